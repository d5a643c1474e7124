/**
 * The timeline under the film: a lane for each class of tracks and for each kind of event, on one
 * canvas. A folded lane shows how many there are at a time, an open one each of them.
 */

import { color } from "../analytics/theme.js";
import { html, need } from "../dom.js";
import { clock } from "./format.js";
import { buildLanes } from "./lanes.js";

const AXIS = 22;
const FOLDED = 18;
const ROW = 7;
const GAP = 4;
const LEAST_SPAN = 2; // seconds
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const DRAG_PIXELS = 4;

/** @typedef {import("./lanes.js").Lane} Lane */
/** @typedef {import("./lanes.js").Bar} Bar */

export class Timeline {
  #view = { from: 0, to: 1 };
  #scheduled = false;
  /** @type {Map<Lane, {top: number, height: number}>} */
  #places = new Map();
  /** @type {Map<string, string>} */
  #resolved = new Map();

  /**
   * @param {HTMLElement} root
   * @param {import("./model.js").VideoModel} model
   * @param {import("./player.js").Player} player
   */
  constructor(root, model, player) {
    this.root = root;
    this.model = model;
    this.player = player;
    this.area = need("[data-lanes]", root);
    this.canvas = /** @type {HTMLCanvasElement} */ (need("canvas", this.area));
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.playhead = need("[data-playhead]", root);
    this.tip = need("[data-tip]", root);
    this.lanes = buildLanes(model);
    this.duration = Math.max(0.1, model.data.duration);
    this.#view = { from: 0, to: this.duration };
    this.#names();
    this.#listen();
    this.#fit();
  }

  #names() {
    const list = need("[data-names]", this.root);
    const rows = this.lanes.map((lane) => {
      const dot = html("i", { class: "dot" });
      dot.style.setProperty("--c", lane.color);
      const label = html("span", {}, lane.name);
      const button = html("button", {
        type: "button", class: "lane-name", "aria-expanded": String(lane.isOpen), title: `${lane.name}: show each`,
      }, dot, label, html("b", { class: "num" }, lane.bars.length.toLocaleString("en")));
      button.addEventListener("click", () => {
        lane.isOpen = !lane.isOpen;
        button.setAttribute("aria-expanded", String(lane.isOpen));
        this.#fit();
      });
      return button;
    });
    if (!rows.length) list.append(html("p", { class: "lane-none" }, "Nothing found"));
    list.append(...rows);
  }

  #listen() {
    const { area, model, player } = this;
    player.addEventListener("time", () => this.#follow(player.time));
    for (const name of ["filter", "select", "hover"]) model.addEventListener(name, () => this.#later());
    new ResizeObserver(() => this.#fit()).observe(this.area);
    new MutationObserver(() => this.#recolor()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolor());
    this.#listenToPointer();
    area.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    area.addEventListener("keydown", (event) => this.#onKey(event));
    this.root.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-zoom]") : null;
      const name = button?.getAttribute("data-zoom");
      if (name === "in") this.#zoom(0.5, player.time);
      if (name === "out") this.#zoom(2, player.time);
      if (name === "all") this.#show(0, this.duration);
    });
  }

  #listenToPointer() {
    const { area, model, player } = this;
    let down = /** @type {{x: number, moved: boolean} | null} */ (null);
    area.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      down = { x: event.clientX, moved: false };
      area.setPointerCapture(event.pointerId);
      player.seek(this.#timeAt(event));
    });
    area.addEventListener("pointermove", (event) => {
      if (down && Math.abs(event.clientX - down.x) > DRAG_PIXELS) down.moved = true;
      if (down?.moved) player.seek(this.#timeAt(event));
      const found = this.#under(event);
      model.hover(found.bar?.track ?? null);
      this.#showTip(event, found);
    });
    area.addEventListener("pointerup", (event) => {
      const bar = this.#under(event).bar;
      if (down && !down.moved && bar && bar.track !== null) model.select(bar.track, { from: "timeline" });
      down = null;
    });
    area.addEventListener("pointercancel", () => { down = null; });
    area.addEventListener("pointerleave", () => { this.tip.hidden = true; model.hover(null); });
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#timeAt(event));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const seconds = ((event.deltaX || event.deltaY) / this.area.clientWidth) * (this.#view.to - this.#view.from);
      this.#show(this.#view.from + seconds, this.#view.to + seconds);
    }
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { player } = this;
    const step = (this.#view.to - this.#view.from) / 50;
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => player.seek(player.time - step),
      ArrowRight: () => player.seek(player.time + step),
      Home: () => player.seek(0),
      End: () => player.seek(this.duration),
      "+": () => this.#zoom(0.5, player.time),
      "-": () => this.#zoom(2, player.time),
      0: () => this.#show(0, this.duration),
      " ": () => player.toggle(),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  }

  /** @param {number} factor @param {number} around seconds that stay where they are */
  #zoom(factor, around) {
    const { from, to } = this.#view;
    const span = Math.min(this.duration, Math.max(LEAST_SPAN, (to - from) * factor));
    const share = Math.min(1, Math.max(0, (around - from) / (to - from)));
    this.#show(around - share * span, around + (1 - share) * span);
  }

  /** @param {number} from @param {number} to */
  #show(from, to) {
    const span = Math.min(this.duration, Math.max(Math.min(LEAST_SPAN, this.duration), to - from));
    const start = Math.min(Math.max(0, from), this.duration - span);
    this.#view = { from: start, to: start + span };
    const isAll = span >= this.duration - 1e-6;
    need("[data-span]", this.root).textContent = isAll ? "" : `${clock(start)} – ${clock(start + span)}`;
    this.#later();
    this.#follow(this.player.time);
  }

  /** The film may be a moment longer than its analysis. @param {number} now */
  #follow(now) {
    const time = Math.min(this.duration, Math.max(0, now));
    const { from, to } = this.#view;
    if (this.player.isPlaying && (time > to || time < from)) {
      this.#show(time, time + (to - from));
      return;
    }
    const x = this.#x(time);
    this.playhead.hidden = time < from - 0.01 || time > to + 0.01;
    this.playhead.style.setProperty("--x", `${x}px`);
    this.area.setAttribute("aria-valuenow", time.toFixed(1));
    this.area.setAttribute("aria-valuetext", clock(time, true));
  }

  /** @param {number} time */
  #x(time) {
    return ((time - this.#view.from) / (this.#view.to - this.#view.from)) * this.area.clientWidth;
  }

  /** @param {PointerEvent | WheelEvent} event */
  #timeAt(event) {
    const { left, width } = this.area.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    return this.#view.from + share * (this.#view.to - this.#view.from);
  }

  /** @param {PointerEvent} event @returns {{lane: Lane | null, bar: Bar | null, count: number, time: number}} */
  #under(event) {
    const y = event.clientY - this.area.getBoundingClientRect().top;
    const time = this.#timeAt(event);
    const slack = (2 / this.area.clientWidth) * (this.#view.to - this.#view.from);
    for (const [lane, { top, height }] of this.#places) {
      if (y < top || y > top + height) continue;
      const here = lane.bars.filter((bar) => bar.start - slack <= time && time <= bar.end + slack);
      const row = lane.isOpen ? Math.floor((y - top - 2) / ROW) : 0;
      const bar = lane.isOpen ? (here.find((item) => item.row === row) ?? null) : here.length === 1 ? here[0] : null;
      return { lane, bar, count: here.length, time };
    }
    return { lane: null, bar: null, count: 0, time };
  }

  /** @param {PointerEvent} event @param {{lane: Lane | null, bar: Bar | null, count: number, time: number}} found */
  #showTip(event, { lane, bar, count, time }) {
    const parts = [clock(time, true)];
    if (bar) parts.push(`${bar.title}, ${clock(bar.start)} – ${clock(bar.end)}`);
    else if (lane && count) parts.push(`${count} × ${lane.name}`);
    this.tip.textContent = parts.join(" · ");
    this.tip.hidden = false;
    const box = this.root.getBoundingClientRect();
    const room = Math.max(0, box.width - this.tip.offsetWidth - 4);
    this.tip.style.setProperty("--x", `${Math.min(room, Math.max(4, event.clientX - box.left + 12))}px`);
    this.tip.style.setProperty("--y", `${event.clientY - box.top - 34}px`);
  }

  #fit() {
    const names = /** @type {HTMLElement[]} */ ([...need("[data-names]", this.root).querySelectorAll("button")]);
    let top = AXIS;
    this.#places = new Map();
    this.lanes.forEach((lane, index) => {
      const height = lane.isOpen ? Math.max(FOLDED, lane.rows * ROW + 4) : FOLDED;
      this.#places.set(lane, { top, height });
      names[index].style.setProperty("--h", `${height}px`);
      top += height + GAP;
    });
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = this.area.clientWidth;
    this.area.style.setProperty("--h", `${Math.max(top, AXIS + FOLDED)}px`);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(Math.max(top, AXIS + FOLDED) * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#draw();
    this.#follow(this.player.time);
  }

  #recolor() {
    this.#resolved.clear();
    this.#draw();
  }

  #later() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => { this.#scheduled = false; this.#draw(); });
  }

  /** A canvas knows no variables. @param {string} name @returns {string} */
  #color(name) {
    if (!name.startsWith("var(")) return name;
    let known = this.#resolved.get(name);
    if (!known) {
      known = color(name.slice(4, -1));
      this.#resolved.set(name, known);
    }
    return known;
  }

  #draw() {
    const { context, area } = this;
    const width = area.clientWidth;
    context.clearRect(0, 0, width, this.canvas.height);
    this.#drawAxis(width);
    for (const [lane, place] of this.#places) {
      context.fillStyle = this.#color("var(--surface-2)");
      context.fillRect(0, place.top, width, place.height);
      context.globalAlpha = lane.className !== null && this.model.hidden.has(lane.className) ? 0.2 : 1;
      if (lane.isOpen) this.#drawBars(lane, place);
      else this.#drawCounts(lane, place, width);
      context.globalAlpha = 1;
    }
    this.#drawChosen();
  }

  /** @param {number} width */
  #drawAxis(width) {
    const { context } = this;
    const { from, to } = this.#view;
    const most = Math.max(2, width / 76);
    const step = STEPS.find((seconds) => (to - from) / seconds <= most) ?? 3600 * Math.ceil((to - from) / 3600 / most);
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.fillStyle = this.#color("var(--text-3)");
    const lines = this.#color("var(--line-strong)");
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
      const x = Math.round(this.#x(time));
      const text = clock(time, step < 1);
      const room = context.measureText(text).width;
      context.fillText(text, Math.min(Math.max(0, x - room / 2), width - room), 8);
      context.save();
      context.fillStyle = lines;
      context.fillRect(Math.min(x, width - 1), 16, 1, 4);
      context.restore();
    }
  }

  /** @param {Lane} lane @param {{top: number, height: number}} place */
  #drawBars(lane, place) {
    const { context } = this;
    const { from, to } = this.#view;
    for (const bar of lane.bars) {
      if (bar.end < from || bar.start > to) continue;
      const x = this.#x(bar.start);
      context.fillStyle = this.#color(bar.color);
      context.fillRect(x, place.top + 2 + bar.row * ROW, Math.max(2, this.#x(bar.end) - x), ROW - 2);
    }
  }

  /** How many there are at a time, as a silhouette: one step per two pixels. @param {Lane} lane @param {{top: number, height: number}} place @param {number} width */
  #drawCounts(lane, place, width) {
    const { context } = this;
    const columns = Math.max(1, Math.ceil(width / 2));
    const changes = new Int32Array(columns + 1);
    const column = (/** @type {number} */ time) => Math.floor(this.#x(time) / 2);
    for (const bar of lane.bars) {
      const [first, last] = [Math.max(0, column(bar.start)), Math.min(columns - 1, column(bar.end))];
      if (last < 0 || first >= columns) continue;
      changes[first] += 1;
      changes[last + 1] -= 1;
    }
    context.fillStyle = this.#color(lane.color);
    let now = 0;
    const most = Math.max(1, lane.most);
    for (let at = 0; at < columns; at += 1) {
      now += changes[at];
      if (now <= 0) continue;
      // Never so low that one of many is not seen.
      const height = Math.max(4, Math.min(1, now / most) * (place.height - 2));
      context.fillRect(at * 2, place.top + place.height - 1 - height, 2, height);
    }
  }

  /** The selected track, and the one under the pointer, in folded lanes too. */
  #drawChosen() {
    const { context, model } = this;
    for (const number of new Set([model.selected, model.hovered])) {
      const track = number === null ? undefined : model.byNumber.get(number);
      const found = track && [...this.#places].find(([lane]) => lane.className === track.class);
      if (!track || !found) continue;
      const [lane, place] = found;
      const bar = lane.isOpen ? lane.bars.find((item) => item.track === number) : null;
      const top = bar ? place.top + 1 + bar.row * ROW : place.top + 1;
      const x = this.#x(track.start);
      context.strokeStyle = this.#color("var(--text)");
      context.lineWidth = 1.5;
      context.strokeRect(x, top, Math.max(3, this.#x(track.end) - x), bar ? ROW : place.height - 2);
    }
  }
}
