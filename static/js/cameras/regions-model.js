/** Zones and lines of one camera while they are edited: what there is, what is chosen, what is wrong. */

import * as geometry from "./geometry.js";
import { History } from "./history.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {{key: string, kind: "zone" | "line", name: string, points: Point[], threshold: number,
 *             forward: string, backward: string}} Shape */
/** @typedef {{id: number, name: string, polygon: Point[], threshold_sec: number}} StoredZone */
/** @typedef {{id: number, name: string, points: Point[], forward: string, backward: string}} StoredLine */
/** @typedef {{revision: number, zones: StoredZone[], lines: StoredLine[]}} Stored */
/** @typedef {{kind: "zone" | "line", points: Point[], cursor: Point}} Drawing */

const COLORS = ["#4c8dff", "#ff9f2e", "#35c48d", "#f2599b", "#b48cff", "#e8d13a", "#3cc7e0", "#ff6f5e"];
const LINE_POINTS = 2;
const THRESHOLD = { initial: 10, least: 0.5, most: 86_400 };

export class RegionsModel extends EventTarget {
  /** @type {Drawing | null} */ drawing = null;
  /** @type {string | null} */ selected = null;
  /** @type {number | null} */ point = null;
  /** @type {Map<string, number>} which stored zone or line a shape is */ ids = new Map();
  /** @type {Shape[] | null} while a pointer drags */ #dragged = null;
  #made = 0;

  /** @param {Stored} stored @param {import("./geometry.js").Limits} limits */
  constructor(stored, limits) {
    super();
    this.limits = limits;
    this.history = new History(this.#read(stored));
    this.revision = stored.revision;
    this.saved = this.#wording(this.history.now);
  }

  get shapes() { return this.#dragged ?? this.history.now; }
  get shape() { return this.shapes.find((shape) => shape.key === this.selected) ?? null; }
  get isChanged() { return this.#wording(this.shapes) !== this.saved; }

  /** @param {Shape} shape */
  color(shape) { return COLORS[Number(shape.key.split("-")[1]) % COLORS.length]; }

  /** @param {Stored} stored @returns {Shape[]} */
  #read(stored) {
    const made = (/** @type {"zone" | "line"} */ kind, /** @type {StoredZone | StoredLine} */ row, /** @type {Partial<Shape>} */ own) => {
      const shape = { ...this.#blank(kind, row.name), ...own };
      this.ids.set(shape.key, row.id);
      return shape;
    };
    return [
      ...stored.zones.map((row) => made("zone", row, { points: row.polygon, threshold: row.threshold_sec })),
      ...stored.lines.map((row) => made("line", row, {
        points: row.points, forward: row.forward, backward: row.backward,
      })),
    ];
  }

  /** @param {"zone" | "line"} kind @param {string} name @returns {Shape} */
  #blank(kind, name) {
    const key = `${kind}-${this.#made}`;
    this.#made += 1;
    return { key, kind, name, points: [], threshold: THRESHOLD.initial, forward: "in", backward: "out" };
  }

  /** @param {Shape[]} shapes */
  #wording(shapes) {
    return JSON.stringify(shapes.map(({ key, ...rest }) => [this.ids.get(key) ?? key, rest]));
  }

  #tell() { this.dispatchEvent(new Event("change")); }

  /** @param {string | null} key @param {number | null} [point] */
  select(key, point = null) {
    if (this.drawing || (key === this.selected && point === this.point)) return;
    this.selected = key;
    this.point = point;
    this.history.settle();
    this.#tell();
  }

  /** @param {string} key @param {Partial<Shape>} change @param {string} [tag] steps that count as one */
  update(key, change, tag = "") {
    const shapes = this.shapes.map((shape) => (shape.key === key ? { ...shape, ...change } : shape));
    this.#dragged = null;
    this.history.push(shapes, tag);
    this.#tell();
  }

  /** Shows a change that a pointer is still making; `update` or `drop` ends it. @param {string} key @param {Point[]} points */
  drag(key, points) {
    this.#dragged = this.history.now.map((shape) => (shape.key === key ? { ...shape, points } : shape));
    this.#tell();
  }

  /** @param {boolean} keep */
  drop(keep) {
    const dragged = this.#dragged;
    this.#dragged = null;
    if (dragged && keep) this.history.push(dragged);
    this.#tell();
  }

  /** Moves the chosen point, or the whole shape when none is chosen. @param {Point} by */
  nudge(by) {
    const shape = this.shape;
    if (!shape) return;
    const at = this.point;
    const points = at === null ? geometry.moved(shape.points, by)
      : geometry.withPoint(shape.points, at, [shape.points[at][0] + by[0], shape.points[at][1] + by[1]]);
    this.update(shape.key, { points }, `nudge ${shape.key} ${at}`);
  }

  /** A new point on the edge after a point. @param {Shape} shape @param {number} index */
  insert(shape, index) {
    if (shape.kind !== "zone" || shape.points.length >= this.limits.most) return;
    this.point = index + 1;
    this.update(shape.key, { points: geometry.inserted(shape.points, index, geometry.middles(shape.points)[index]) });
  }

  /** Deletes the chosen point; the whole shape when none is chosen or too few would be left. */
  remove() {
    const { shape, point } = this;
    if (!shape) return;
    if (point !== null && shape.kind === "zone" && shape.points.length > this.limits.fewest) {
      this.point = Math.min(point, shape.points.length - 2);
      this.update(shape.key, { points: shape.points.filter((_, at) => at !== point) });
      return;
    }
    if (point !== null) return;
    this.selected = null;
    this.history.push(this.shapes.filter((item) => item.key !== shape.key));
    this.#tell();
  }

  /** @param {Shape} shape */
  turn(shape) { this.update(shape.key, { points: [...shape.points].reverse() }); }

  undo() { this.#travel(() => this.history.undo()); }
  redo() { this.#travel(() => this.history.redo()); }

  /** @param {() => void} step */
  #travel(step) {
    this.drawing = null;
    step();
    if (!this.shape) this.selected = null;
    if (this.point !== null && this.point >= (this.shape?.points.length ?? 0)) this.point = null;
    this.#tell();
  }

  /** @param {"zone" | "line"} kind */
  draw(kind) {
    this.selected = null;
    this.point = null;
    this.drawing = { kind, points: [], cursor: [0.5, 0.5] };
    this.#tell();
  }

  /** @param {Point} point */
  addPoint(point) {
    if (!this.drawing || this.drawing.points.length >= this.limits.most) return;
    this.drawing.points.push(geometry.heldPoint(point));
    this.drawing.cursor = geometry.heldPoint(point);
    if (this.drawing.kind === "line" && this.drawing.points.length === LINE_POINTS) this.finish();
    else this.#tell();
  }

  /** @param {Point} point where the next point would be */
  aim(point) {
    if (!this.drawing) return;
    this.drawing.cursor = geometry.heldPoint(point);
    this.#tell();
  }

  /** Takes the last point back; with none left the drawing ends. */
  retract() {
    if (!this.drawing) return;
    if (!this.drawing.points.pop()) this.drawing = null;
    this.#tell();
  }

  cancel() {
    this.drawing = null;
    this.#tell();
  }

  get canFinish() {
    const { drawing } = this;
    return drawing !== null && drawing.points.length >= (drawing.kind === "zone" ? this.limits.fewest : LINE_POINTS);
  }

  finish() {
    if (!this.drawing || !this.canFinish) return;
    const { kind, points } = this.drawing;
    const shape = { ...this.#blank(kind, this.#freeName(kind)), points };
    this.drawing = null;
    this.selected = shape.key;
    this.history.push([...this.history.now, shape]);
    this.#tell();
    this.dispatchEvent(new Event("made"));
  }

  /** @param {"zone" | "line"} kind */
  #freeName(kind) {
    const names = new Set(this.shapes.filter((shape) => shape.kind === kind).map((shape) => shape.name.toLowerCase()));
    let number = 1;
    while (names.has(`${kind} ${number}`)) number += 1;
    return `${kind === "zone" ? "Zone" : "Line"} ${number}`;
  }

  /** What is wrong with a shape, in a sentence; "" when nothing is. @param {Shape} shape @returns {string} */
  problem(shape) {
    const name = shape.name.trim().toLowerCase();
    const same = (/** @type {Shape} */ other) =>
      other !== shape && other.kind === shape.kind && other.name.trim().toLowerCase() === name;
    const own = shape.kind === "zone" ? this.#zoneProblem(shape) : this.#lineProblem(shape);
    if (own) return own;
    if (!name) return "It needs a name.";
    return this.shapes.some(same) ? `Another ${shape.kind} has this name.` : "";
  }

  /** @param {Shape} shape */
  #zoneProblem(shape) {
    const { least, most } = THRESHOLD;
    const fits = shape.threshold >= least && shape.threshold <= most;
    return geometry.polygonProblem(shape.points, this.limits) || (fits ? "" : `Choose ${least} to ${most} seconds.`);
  }

  /** @param {Shape} shape */
  #lineProblem(shape) {
    const [forward, backward] = [shape.forward.trim().toLowerCase(), shape.backward.trim().toLowerCase()];
    const problem = geometry.lineProblem(shape.points, this.limits);
    if (problem) return problem;
    if (!forward || !backward) return "Both directions need a name.";
    return forward === backward ? "Its directions need different names." : "";
  }

  /** What is sent to be stored. */
  get outgoing() {
    const rows = (/** @type {"zone" | "line"} */ kind) => this.shapes.filter((shape) => shape.kind === kind)
      .map((shape) => ({ ...this.#known(shape), name: shape.name.trim() }));
    return {
      zones: rows("zone").map(({ points, threshold, name, id }) => ({ ...id, name, polygon: points, threshold_sec: threshold })),
      lines: rows("line").map(({ points, forward, backward, name, id }) => ({
        ...id, name, points, forward: forward.trim(), backward: backward.trim(),
      })),
    };
  }

  /** @param {Shape} shape */
  #known(shape) {
    const stored = this.ids.get(shape.key);
    return { ...shape, id: stored === undefined ? {} : { id: stored } };
  }

  /** What was sent is stored; names tell which is which. @param {Stored} stored @param {Shape[]} sent */
  settled(stored, sent) {
    for (const shape of sent) {
      const rows = shape.kind === "zone" ? stored.zones : stored.lines;
      const row = rows.find((item) => item.name === shape.name.trim());
      if (row) this.ids.set(shape.key, row.id);
    }
    this.#forget(stored);
    this.saved = this.#wording(sent);
    this.#tell();
  }

  /** Another version was stored meanwhile: mine stays and may be saved over it. @param {Stored} stored */
  overrule(stored) {
    this.#forget(stored);
    this.saved = "";
    this.#tell();
  }

  /** Shows the version that was stored meanwhile; undo brings mine back. @param {Stored} stored */
  adopt(stored) {
    this.#forget(stored);
    this.selected = null;
    this.history.push(this.#read(stored));
    this.saved = this.#wording(this.history.now);
    this.#tell();
  }

  /** @param {Stored} stored what is no longer there is new when it is saved again */
  #forget(stored) {
    this.revision = stored.revision;
    for (const [key, id] of this.ids) {
      const rows = key.startsWith("zone") ? stored.zones : stored.lines;
      if (!rows.some((row) => row.id === id)) this.ids.delete(key);
    }
  }
}
