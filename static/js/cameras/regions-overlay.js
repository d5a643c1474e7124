/** Draws zones and lines over the picture. Shares of the picture become pixels of the screen here. */

import { svg } from "../dom.js";
import { arrow, middles, top } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./regions-model.js").RegionsModel} RegionsModel */
/** @typedef {import("./regions-model.js").Shape} Shape */

const ARROW = 26;
const measure = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

export class Overlay {
  #scheduled = false;

  /** @param {SVGElement} layer @param {RegionsModel} model */
  constructor(layer, model) {
    this.layer = layer;
    this.model = model;
    this.size = { width: 1, height: 1 };
    measure.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    new ResizeObserver(() => this.#resized()).observe(layer);
    model.addEventListener("change", () => this.later());
    this.#resized();
  }

  #resized() {
    const { width, height } = this.layer.getBoundingClientRect();
    if (!width || !height) return;
    this.size = { width, height };
    this.layer.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.later();
  }

  /** A point of the screen as shares of the picture. @param {{clientX: number, clientY: number}} event @returns {Point} */
  place(event) {
    const { left, top: upper, width, height } = this.layer.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - upper) / height];
  }

  later() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => { this.#scheduled = false; this.#draw(); });
  }

  #draw() {
    const { model } = this;
    // The chosen shape lies on top, so that its points can always be reached.
    const order = [...model.shapes].sort((a, b) => Number(a.key === model.selected) - Number(b.key === model.selected));
    const parts = order.map((shape) => this.#shape(shape));
    const chosen = model.shape;
    if (chosen) parts.push(this.#handles(chosen));
    if (model.drawing) parts.push(this.#sketch());
    this.layer.replaceChildren(...parts);
  }

  /** @param {Point} point */
  #at([x, y]) { return /** @type {Point} */ ([x * this.size.width, y * this.size.height]); }

  /** @param {Point[]} points */
  #path(points) { return points.map((point) => this.#at(point).map((value) => value.toFixed(1)).join(",")).join(" "); }

  /** @param {Shape} shape */
  #shape(shape) {
    const { model } = this;
    const color = model.color(shape);
    const states = [
      "region", `is-${shape.kind}`, shape.key === model.selected ? "is-selected" : "", model.problem(shape) ? "is-wrong" : "",
    ];
    const group = svg("g", { class: states.filter(Boolean).join(" "), "data-shape": shape.key });
    const points = this.#path(shape.points);
    if (shape.kind === "zone") {
      group.append(
        svg("polygon", { class: "region-halo", points }),
        svg("polygon", { class: "region-body", points, stroke: color, fill: color }),
        this.#tag(shape.name || "Zone", ...this.#tagPlace(shape), color));
    } else {
      group.append(
        svg("polyline", { class: "region-reach", points }),
        svg("polyline", { class: "region-halo", points }),
        svg("polyline", { class: "region-body", points, stroke: color }),
        ...this.#direction(shape, color));
    }
    return group;
  }

  /** @param {Shape} shape @returns {Point} */
  #tagPlace(shape) {
    const [x, y] = this.#at(top(shape.points));
    return [x, y - 14];
  }

  /** @param {Shape} shape @param {string} color */
  #direction(shape, color) {
    const { from, to, back } = arrow(shape.points, this.size, ARROW);
    const [dx, dy] = [(to[0] - from[0]) / ARROW, (to[1] - from[1]) / ARROW];
    const wing = (/** @type {number} */ side) =>
      `${to[0] - 9 * dx + 6 * side * dy},${to[1] - 9 * dy - 6 * side * dx}`;
    const head = `${wing(1)} ${to[0]},${to[1]} ${wing(-1)}`;
    const shaft = `M${from[0]} ${from[1]}L${to[0]} ${to[1]}`;
    const [forwardX, forwardY] = [to[0] + dx * 20, to[1] + dy * 16];
    return [
      svg("path", { class: "region-halo", d: shaft }),
      svg("path", { class: "region-arrow", d: shaft, stroke: color }),
      svg("polygon", { class: "region-head", points: head, fill: color }),
      this.#tag(`${shape.name}: ${shape.forward}`, forwardX, forwardY, color),
      this.#tag(shape.backward, back[0] + dx * 8, back[1] + dy * 8, color, "is-quiet"),
    ];
  }

  /** A label that stays within the picture. @param {string} text @param {number} x @param {number} y @param {string} color @param {string} [more] */
  #tag(text, x, y, color, more = "") {
    const width = Math.ceil(measure.measureText(text).width) + 12;
    const left = Math.max(2, Math.min(x - width / 2, this.size.width - width - 2));
    const upper = Math.max(2, Math.min(y - 10, this.size.height - 22));
    return svg("g", { class: `region-tag ${more}`, transform: `translate(${left} ${upper})` },
      svg("rect", { width, height: 20, rx: 5 }),
      svg("rect", { class: "region-tag-edge", x: 0, y: 0, width: 4, height: 20, rx: 2, fill: color }),
      svg("text", { x: 8, y: 14 }, text));
  }

  /** @param {Shape} shape */
  #handles(shape) {
    const color = this.model.color(shape);
    const group = svg("g", { class: "handles", "data-shape": shape.key });
    if (shape.kind === "zone" && shape.points.length < this.model.limits.most) {
      middles(shape.points).forEach((point, index) => {
        const [cx, cy] = this.#at(point);
        group.append(svg("g", { class: "handle is-middle", "data-insert": index },
          svg("circle", { class: "handle-reach", cx, cy, r: 11 }), svg("circle", { class: "handle-dot", cx, cy, r: 4, stroke: color })));
      });
    }
    shape.points.forEach((point, index) => group.append(this.#handle(point, index, color)));
    return group;
  }

  /** @param {Point} point @param {number} index @param {string} color */
  #handle(point, index, color) {
    const [cx, cy] = this.#at(point);
    const chosen = index === this.model.point ? " is-chosen" : "";
    return svg("g", { class: `handle${chosen}`, "data-point": index },
      svg("circle", { class: "handle-reach", cx, cy, r: 15 }),
      svg("circle", { class: "handle-dot", cx, cy, r: chosen ? 8 : 6.5, fill: color }),
      svg("title", {}, `Point ${index + 1}`));
  }

  #sketch() {
    const { points, cursor, kind } = /** @type {import("./regions-model.js").Drawing} */ (this.model.drawing);
    const group = svg("g", { class: `sketch is-${kind}` });
    const path = this.#path([...points, cursor]);
    group.append(svg("polyline", { class: "region-halo", points: path }), svg("polyline", { class: "sketch-line", points: path }));
    points.forEach((point, index) => {
      const [cx, cy] = this.#at(point);
      const closes = index === 0 && this.model.canFinish && kind === "zone";
      group.append(svg("circle", { class: closes ? "sketch-first" : "sketch-dot", cx, cy, r: closes ? 10 : 5 }));
    });
    const [x, y] = this.#at(cursor);
    group.append(svg("path", { class: "sketch-cross", d: `M${x - 11} ${y}H${x + 11}M${x} ${y - 11}V${y + 11}` }));
    return group;
  }
}
