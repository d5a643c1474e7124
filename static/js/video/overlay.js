/** What was found, drawn over the film in step with it: one canvas, redrawn for every frame shown. */

import { inkOn } from "../result/overlay.js";
import { words } from "./format.js";
import { indexAt, placeAt } from "./positions.js";

const TRAIL_SECONDS = 2.5;
const SMALL_FILM = 420; // pixels; below that, labels are smaller
const PEAK_SECONDS = 1; // around the moment when the most moved
const MOTION = "#ffc828";

/** @typedef {import("./positions.js").Piece} Piece */
/** @typedef {{piece: Piece, track: import("./model.js").Track, place: import("./positions.js").Place}} Shown */

export class FilmOverlay {
  #scheduled = false;
  /** @type {Shown[]} */
  #shown = [];
  /** @type {Map<string, number>} */
  #widths = new Map();
  #rect = { x: 0, y: 0, width: 0, height: 0, scale: 1 };
  #tag = { font: "", height: 18 };
  /** @type {[number, number, number, number][]} where labels lie already: left, top, width, height */
  #taken = [];

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./model.js").VideoModel} model
   * @param {import("./positions.js").Positions} positions
   * @param {import("./player.js").Player} player
   */
  constructor(canvas, model, positions, player) {
    this.canvas = canvas;
    this.model = model;
    this.positions = positions;
    this.player = player;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#listen();
    this.#fit();
  }

  #listen() {
    const { canvas, model, player, positions } = this;
    player.addEventListener("frame", () => this.#draw());
    player.addEventListener("fallback", () => this.#later());
    for (const name of ["filter", "layers", "hover", "select"]) model.addEventListener(name, () => this.#later());
    positions.addEventListener("change", () => this.#later());
    new ResizeObserver(() => this.#fit()).observe(canvas);
    canvas.addEventListener("pointermove", (event) => {
      const found = this.#under(event);
      canvas.classList.toggle("is-over", found !== null);
      model.hover(found);
    });
    canvas.addEventListener("pointerleave", () => model.hover(null));
    canvas.addEventListener("click", (event) => {
      const found = this.#under(event);
      if (found !== null) model.select(found, { from: "film" });
      else if (model.selected !== null) model.select(null);
      else player.toggle();
    });
    canvas.addEventListener("dblclick", () => player.root.querySelector("[data-full]")?.dispatchEvent(new Event("click")));
  }

  /** The film keeps its shape inside the stage; the drawing lies where it is. */
  #fit() {
    const { canvas, model } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const { clientWidth, clientHeight } = canvas;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    const { width, height } = model.data;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    this.#rect = {
      x: (clientWidth - width * scale) / 2, y: (clientHeight - height * scale) / 2,
      width: width * scale, height: height * scale, scale,
    };
    const size = this.#rect.width < SMALL_FILM ? 10 : 12;
    this.#tag = { font: `560 ${size}px ${getComputedStyle(document.body).fontFamily}`, height: size + 6 };
    this.#widths.clear();
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#draw();
  }

  #later() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => { this.#scheduled = false; this.#draw(); });
  }

  #draw() {
    const { context, canvas, model } = this;
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    this.#shown = [];
    this.#taken = [];
    // The annotated film has its drawing inside.
    if (!this.player.hasOverlay) return;
    const pieces = this.positions.at(this.player.frameTime);
    if (model.layers.has("motion")) this.#drawMotion();
    if (!pieces) return;
    const slack = 0.6 / Math.max(1, model.data.rate);
    for (const piece of pieces) {
      const track = model.byNumber.get(piece.n);
      if (!track || model.hidden.has(track.class)) continue;
      const place = placeAt(piece, this.player.frameTime, slack);
      if (place) this.#shown.push({ piece, track, place });
    }
    if (model.layers.has("trails")) this.#shown.forEach((item) => this.#drawTrail(item));
    if (model.layers.has("boxes")) this.#shown.forEach((item) => this.#drawBox(item));
    if (model.layers.has("labels") || model.layers.has("activities")) this.#shown.forEach((item) => this.#drawTag(item));
  }

  /** @param {Shown} item */
  #isFaded({ track }) {
    const chosen = this.model.selected;
    return chosen !== null && chosen !== track.n && this.#shown.some((other) => other.track.n === chosen);
  }

  /** @param {Shown} item */
  #drawBox(item) {
    const { context, model } = this;
    const { track, place } = item;
    const [x, y, width, height] = this.#box(place);
    const strong = track.n === model.selected || track.n === model.hovered;
    context.globalAlpha = this.#isFaded(item) ? 0.35 : 1;
    context.setLineDash(place.predicted ? [6, 4] : []);
    context.lineWidth = strong ? 5 : 3.5;
    context.strokeStyle = "rgb(0 0 0 / 42%)";
    context.strokeRect(x, y, width, height);
    context.lineWidth = strong ? 3.5 : 2;
    context.strokeStyle = track.color;
    context.strokeRect(x, y, width, height);
    if (strong) {
      context.globalAlpha = 0.16;
      context.fillStyle = track.color;
      context.fillRect(x, y, width, height);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  /** @param {Shown} item */
  #drawTag(item) {
    const { context, model } = this;
    const { track, place } = item;
    const parts = model.layers.has("labels") ? [`${track.class} ${track.n}`] : [];
    if (model.layers.has("activities")) parts.push(...model.doing(track.n, this.player.frameTime).map(words));
    if (!parts.length) return;
    const text = parts.join(" · ");
    const width = this.#widthOf(text) + 10;
    const [left, top] = this.#roomFor(this.#box(place), width);
    context.globalAlpha = this.#isFaded(item) ? 0.35 : 1;
    this.#label(text, left, top, width, track.color);
    context.globalAlpha = 1;
  }

  /** @param {string} text @param {number} left @param {number} top @param {number} width @param {string} fill */
  #label(text, left, top, width, fill) {
    const { context } = this;
    context.fillStyle = fill;
    context.beginPath();
    context.roundRect(left, top, width, this.#tag.height, 3);
    context.fill();
    context.font = this.#tag.font;
    context.textBaseline = "middle";
    context.fillStyle = inkOn(fill);
    context.fillText(text, left + 5, top + this.#tag.height / 2 + 0.5);
  }

  /**
   * Above the box, or where no other label lies: below it, or inside it.
   * @param {[number, number, number, number]} box @param {number} width @returns {[number, number]}
   */
  #roomFor([x, y, , boxHeight], width) {
    const { height } = this.#tag;
    const area = this.#rect;
    const left = Math.max(area.x, Math.min(x - 1, area.x + area.width - width));
    const lowest = area.y + area.height - height;
    const tops = [y - height - 1, y + boxHeight + 1, y + 1].map((top) => Math.min(lowest, Math.max(area.y, top)));
    const isFree = (/** @type {number} */ top) => this.#taken.every(
      ([l, t, w, h]) => left >= l + w || l >= left + width || top >= t + h || t >= top + height,
    );
    const top = tops.find(isFree) ?? tops[0];
    this.#taken.push([left, top, width, height]);
    return [left, top];
  }

  /** The way of the feet over the last seconds. @param {Shown} item */
  #drawTrail(item) {
    const { context } = this;
    const { piece, place, track } = item;
    const from = Math.max(0, indexAt(piece.t, this.player.frameTime - TRAIL_SECONDS) + 1);
    const to = indexAt(piece.t, this.player.frameTime);
    if (to - from < 1) return;
    context.beginPath();
    for (let at = from; at <= to; at += 1) {
      const [x, y] = this.#point(piece.b[4 * at] + piece.b[4 * at + 2] / 2, piece.b[4 * at + 1] + piece.b[4 * at + 3]);
      if (at === from) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    context.lineTo(...this.#point(place.x + place.width / 2, place.y + place.height));
    context.globalAlpha = this.#isFaded(item) ? 0.3 : 0.9;
    context.lineJoin = "round";
    context.lineWidth = 4.5;
    context.strokeStyle = "rgb(0 0 0 / 35%)";
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = track.color;
    context.stroke();
    context.globalAlpha = 1;
  }

  /** A word for as long as anything moves, and where the most did at its moment. */
  #drawMotion() {
    const { context, model } = this;
    for (const event of model.events) {
      if (event.kind !== "motion" || event.start > this.player.frameTime || event.end < this.player.frameTime) continue;
      const [left, top, room] = [this.#rect.x + 6, this.#rect.y + 6, this.#widthOf("Motion") + 10];
      this.#label("Motion", left, top, room, MOTION);
      this.#taken.push([left, top, room, this.#tag.height]);
      if (!event.area || Math.abs(this.player.frameTime - (event.peak ?? event.start)) > PEAK_SECONDS) continue;
      const [x, y] = this.#point(event.area[0], event.area[1]);
      const [width, height] = [event.area[2] * this.#rect.scale, event.area[3] * this.#rect.scale];
      context.setLineDash([3, 4]);
      context.lineWidth = 1.5;
      context.strokeStyle = MOTION;
      context.strokeRect(x, y, width, height);
      context.setLineDash([]);
    }
  }

  /** @param {string} text */
  #widthOf(text) {
    let width = this.#widths.get(text);
    if (width === undefined) {
      this.context.font = this.#tag.font;
      width = Math.ceil(this.context.measureText(text).width);
      this.#widths.set(text, width);
    }
    return width;
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  #point(x, y) {
    return [this.#rect.x + x * this.#rect.scale, this.#rect.y + y * this.#rect.scale];
  }

  /** @param {import("./positions.js").Place} place @returns {[number, number, number, number]} */
  #box(place) {
    return [...this.#point(place.x, place.y), place.width * this.#rect.scale, place.height * this.#rect.scale];
  }

  /** The smallest box under the pointer. @param {PointerEvent | MouseEvent} event @returns {number | null} */
  #under(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - left, event.clientY - top];
    let [found, least] = [/** @type {number | null} */ (null), Infinity];
    for (const { track, place } of this.#shown) {
      const [x, y, width, height] = this.#box(place);
      if (px < x || py < y || px > x + width || py > y + height || width * height >= least) continue;
      [found, least] = [track.n, width * height];
    }
    return found;
  }
}
