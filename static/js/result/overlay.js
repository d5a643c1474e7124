/**
 * Boxes, masks and labels over the picture, in picture pixels. Listeners sit on the layer, never on
 * an object, and every change is a class: three hundred objects cost no more than three.
 */

import { svg } from "../dom.js";

/** @typedef {import("./model.js").ResultModel} ResultModel */
/** @typedef {import("./model.js").FoundObject} FoundObject */

const TAG_HEIGHT = 18;
const measure = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

/** Black or white, whichever reads better on the colour. @param {string} color "#rrggbb" */
export function inkOn(color) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.22 ? "#111214" : "#ffffff";
}

/** @param {number[][]} polygons flat x, y, x, y … */
function pathOf(polygons) {
  return polygons.map((flat) => {
    let path = "";
    for (let at = 0; at + 1 < flat.length; at += 2) path += `${at ? "L" : "M"}${flat[at]} ${flat[at + 1]}`;
    return `${path}Z`;
  }).join("");
}

/**
 * Where a label begins along one axis: at its box, moved so far that it stays on the stage, but not
 * away from the box.
 * @param {number} wanted @param {number} boxEnd @param {number} roomEnd
 */
function kept(wanted, boxEnd, roomEnd) {
  if (wanted < 1) return Math.min(1, Math.max(wanted, boxEnd));
  return Math.min(wanted, Math.max(roomEnd - 1, 1));
}

export class Overlay {
  /** @type {Map<number, {object: SVGElement, tag: SVGElement, width: number}>} */
  #parts = new Map();
  #scheduled = false;

  /** @param {SVGElement} layer @param {ResultModel} model @param {import("./viewport.js").Viewport} viewport */
  constructor(layer, model, viewport) {
    this.layer = layer;
    this.model = model;
    this.viewport = viewport;
    this.#build();
    this.#listen();
    this.#filter();
  }

  #build() {
    measure.font = `560 12px ${getComputedStyle(document.body).fontFamily}`;
    const shapes = svg("g", { class: "shapes" });
    const tags = svg("g", { class: "tags" });
    // The smaller lies above the larger, so that everything can be reached with the pointer.
    const area = (/** @type {FoundObject} */ object) => object.box[2] * object.box[3];
    for (const object of [...this.model.objects].sort((a, b) => area(b) - area(a))) {
      const { shape, tag, width } = this.#draw(object);
      shapes.append(shape);
      tags.append(tag);
      this.#parts.set(object.i, { object: shape, tag, width });
    }
    this.layer.replaceChildren(shapes, tags);
  }

  /** @param {FoundObject} object */
  #draw(object) {
    const [x, y, width, height] = object.box;
    const shape = svg("g", { class: "shape", "data-i": object.i });
    if (object.polygons?.length) {
      shape.append(svg("path", {
        class: "shape-mask", d: pathOf(object.polygons), fill: object.color, stroke: object.color,
        "fill-rule": "evenodd",
      }));
    }
    shape.append(
      svg("rect", { class: "shape-halo", x, y, width, height }),
      svg("rect", { class: "shape-box", x, y, width, height, stroke: object.color, fill: object.color }),
    );
    const label = `${object.class} ${Math.round(object.confidence * 100)}%`;
    const tagWidth = Math.ceil(measure.measureText(label).width) + 10;
    const tag = svg("g", { class: "tag", "data-i": object.i, transform: `translate(${x} ${y})` },
      svg("g", { class: "tag-body" },
        svg("rect", { x: -1, y: -TAG_HEIGHT - 1, width: tagWidth, height: TAG_HEIGHT, rx: 3, fill: object.color }),
        svg("text", { x: 4, y: -6, fill: inkOn(object.color) }, label)));
    return { shape, tag, width: tagWidth };
  }

  #listen() {
    const { layer, model } = this;
    const indexOf = (/** @type {Event} */ event) => {
      const found = event.target instanceof Element ? event.target.closest("[data-i]") : null;
      return found ? Number(found.getAttribute("data-i")) : null;
    };
    layer.addEventListener("pointerover", (event) => model.hover(indexOf(event)));
    layer.addEventListener("pointerleave", () => model.hover(null));
    layer.addEventListener("click", (event) => model.select(indexOf(event), { from: "picture" }));
    model.addEventListener("filter", () => this.#filter());
    model.addEventListener("hover", (event) => this.#swap("is-hovered", event));
    model.addEventListener("select", (event) => {
      this.#swap("is-selected", event);
      const { now, zoom } = /** @type {CustomEvent} */ (event).detail;
      layer.classList.toggle("has-selection", now !== null);
      const object = model.byIndex.get(now);
      if (!zoom || !object) return;
      this.viewport.zoomToBox(object.box);
      this.viewport.stage.scrollIntoView({ block: "nearest", behavior: "smooth" });
    });
    this.viewport.addEventListener("change", () => this.#later());
  }

  /** @param {string} name @param {Event} event */
  #swap(name, event) {
    const { before, now } = /** @type {CustomEvent} */ (event).detail;
    for (const [index, on] of [[before, false], [now, true]]) {
      const parts = this.#parts.get(index);
      parts?.object.classList.toggle(name, on);
      parts?.tag.classList.toggle(name, on);
    }
    const tag = this.#parts.get(now)?.tag;
    // Drawn last is drawn on top.
    if (tag && tag !== tag.parentNode?.lastChild) tag.parentNode?.appendChild(tag);
  }

  #filter() {
    for (const object of this.model.objects) {
      const parts = this.#parts.get(object.i);
      const hidden = !this.model.isVisible(object);
      parts?.object.classList.toggle("is-out", hidden);
      parts?.tag.classList.toggle("is-out", hidden);
    }
    this.#later();
  }

  #later() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => { this.#scheduled = false; this.#declutter(); });
  }

  /** Where labels would cover each other the surer object keeps its own; the rest come with zoom. */
  #declutter() {
    const { scale, x, y } = this.viewport.view;
    const room = { width: this.viewport.stage.clientWidth, height: this.viewport.stage.clientHeight };
    /** @type {[number, number, number][]} */
    const placed = [];
    const byConfidence = [...this.model.objects].sort((a, b) => b.confidence - a.confidence);
    for (const object of byConfidence) {
      if (!this.model.isVisible(object)) continue;
      const parts = this.#parts.get(object.i);
      if (!parts) continue;
      const [boxX, boxY, boxWidth, boxHeight] = object.box.map((value) => value * scale);
      const left = kept(boxX + x, boxX + boxWidth + x - 24, room.width - parts.width);
      const top = kept(boxY + y - TAG_HEIGHT, boxY + boxHeight + y - TAG_HEIGHT, room.height - TAG_HEIGHT);
      const place = `translate(${(left - x) / scale} ${(top + TAG_HEIGHT - y) / scale})`;
      if (parts.tag.getAttribute("transform") !== place) parts.tag.setAttribute("transform", place);
      const right = left + parts.width;
      const covered = placed.some(([l, t, w]) => left < l + w && l < right && Math.abs(top - t) < TAG_HEIGHT);
      parts.tag.classList.toggle("is-covered", covered);
      if (!covered) placed.push([left, top, parts.width]);
    }
  }
}
