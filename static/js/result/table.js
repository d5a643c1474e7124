/** The table of objects: sortable, and linked with the picture in both directions. */

import { html, need } from "../dom.js";
import { STACKED } from "./viewport.js";

/** @typedef {import("./model.js").ResultModel} ResultModel */
/** @typedef {import("./model.js").FoundObject} FoundObject */

/** @type {Record<string, (object: FoundObject) => number | string>} */
const KEYS = {
  class: (object) => object.class,
  confidence: (object) => object.confidence,
  size: (object) => object.box[2] * object.box[3],
  position: (object) => object.box[1] * 1e5 + object.box[0],
};

export class ObjectTable {
  /** @type {Map<number, HTMLTableRowElement>} */ #rows = new Map();
  #sort = { key: "confidence", down: true };

  /** @param {HTMLElement} table @param {ResultModel} model */
  constructor(table, model) {
    this.table = table;
    this.body = need("tbody", table);
    this.model = model;
    for (const object of model.objects) this.#rows.set(object.i, this.#row(object));
    this.#order();
    this.#listen();
  }

  /** @param {FoundObject} object */
  #row(object) {
    const [x, y, width, height] = object.box.map(Math.round);
    const dot = html("i", { class: "dot" });
    dot.style.setProperty("--c", object.color);
    const button = html("button", { type: "button", class: "row-button", tabindex: -1 }, dot, object.class);
    return /** @type {HTMLTableRowElement} */ (html("tr", { "data-i": object.i },
      html("td", {}, button),
      html("td", { class: "num" }, `${(object.confidence * 100).toFixed(0)}%`),
      html("td", { class: "num" }, `${width} × ${height}`),
      html("td", { class: "num" }, `${x}, ${y}`)));
  }

  #order() {
    const value = KEYS[this.#sort.key];
    const sign = this.#sort.down ? -1 : 1;
    const sorted = [...this.model.objects].sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      if (left === right) return b.confidence - a.confidence;
      return (left < right ? -1 : 1) * sign;
    });
    this.body.replaceChildren(...sorted.map((object) => /** @type {HTMLElement} */ (this.#rows.get(object.i))));
    for (const head of this.table.querySelectorAll("th[data-sort]")) {
      const on = head.getAttribute("data-sort") === this.#sort.key;
      head.setAttribute("aria-sort", on ? (this.#sort.down ? "descending" : "ascending") : "none");
    }
    this.#filter();
  }

  #listen() {
    const { table, model } = this;
    const indexOf = (/** @type {Event} */ event) => {
      const row = event.target instanceof Element ? event.target.closest("tr[data-i]") : null;
      return row ? Number(row.getAttribute("data-i")) : null;
    };
    this.body.addEventListener("pointerover", (event) => model.hover(indexOf(event)));
    this.body.addEventListener("pointerleave", () => model.hover(null));
    this.body.addEventListener("focusin", (event) => model.hover(indexOf(event)));
    this.body.addEventListener("focusout", () => model.hover(null));
    this.body.addEventListener("click", (event) => {
      const index = indexOf(event);
      if (index !== null) model.select(index, { zoom: true, from: "table" });
    });
    this.body.addEventListener("keydown", (event) => this.#onKey(event));
    need("thead", table).addEventListener("click", (event) => {
      const head = event.target instanceof Element ? event.target.closest("th[data-sort]") : null;
      const key = head?.getAttribute("data-sort");
      if (!key) return;
      // Names and places begin at the beginning, numbers with the largest.
      const down = this.#sort.key === key ? !this.#sort.down : key !== "class" && key !== "position";
      this.#sort = { key, down };
      this.#order();
    });
    model.addEventListener("filter", () => this.#filter());
    model.addEventListener("hover", (event) => this.#swap("is-hovered", event));
    model.addEventListener("select", (event) => {
      this.#swap("is-selected", event);
      const { now, from } = /** @type {CustomEvent} */ (event).detail;
      // Where the panel scrolls by itself; on a phone the whole page would, away from the picture.
      if (from !== "picture" || matchMedia(STACKED).matches) return;
      this.#rows.get(now)?.scrollIntoView({ block: "nearest" });
    });
  }

  /** @param {string} name @param {Event} event */
  #swap(name, event) {
    const { before, now } = /** @type {CustomEvent} */ (event).detail;
    this.#rows.get(before)?.classList.remove(name);
    this.#rows.get(now)?.classList.add(name);
  }

  #filter() {
    /** @type {HTMLElement | null} */
    let first = null;
    for (const row of this.body.children) {
      const object = this.model.byIndex.get(Number(row.getAttribute("data-i")));
      const shown = object !== undefined && this.model.isVisible(object);
      /** @type {HTMLElement} */ (row).hidden = !shown;
      const button = /** @type {HTMLElement} */ (row.querySelector("button"));
      button.tabIndex = -1;
      if (shown && !first) first = button;
    }
    // One stop for the tab key; the arrows move inside.
    if (first) first.tabIndex = 0;
    const empty = this.table.parentElement?.querySelector("[data-none]");
    if (empty instanceof HTMLElement) empty.hidden = first !== null;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const rows = /** @type {HTMLElement[]} */ ([...this.body.querySelectorAll("tr:not([hidden])")]);
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[at + (event.key === "ArrowDown" ? 1 : -1)]?.querySelector("button");
    if (!next) return;
    event.preventDefault();
    for (const row of rows) /** @type {HTMLElement} */ (row.querySelector("button")).tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
