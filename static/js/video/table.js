/** The table of tracks: sortable, filtered, and only the rows in sight are in the page. */

import { html, need } from "../dom.js";
import { clock } from "./format.js";

const ROW = 44;
const MORE = 8; // rows above and below those in sight
const REST_MS = 90; // of scrolling, until pictures are fetched

/** @typedef {import("./model.js").VideoModel} VideoModel */
/** @typedef {import("./model.js").Track} Track */
/** @typedef {"px" | "bh" | "m"} Unit */

/** @type {Record<string, (track: Track) => number | string>} */
const KEYS = {
  n: (track) => track.n,
  start: (track) => track.start,
  dwell: (track) => track.end - track.start,
  mean: (track) => track.mean_speed,
  top: (track) => track.top_speed,
  path: (track) => track.path,
  turns: (track) => track.turns,
  sides: (track) => `${track.entry} ${track.exit}`,
  confidence: (track) => track.confidence,
};
const ARROWS = new Map([["left", "←"], ["right", "→"], ["top", "↑"], ["bottom", "↓"], ["inside", "•"]]);

export class TrackTable {
  #sort = { key: "n", down: false };
  /** @type {Track[]} */
  #shown = [];
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();
  /** @type {Unit} */
  #unit = "px";
  #scheduled = false;
  #focused = 0;
  #timer = 0;

  /**
   * @param {HTMLElement} pane
   * @param {VideoModel} model
   * @param {(track: Track) => void} onChoose
   */
  constructor(pane, model, onChoose) {
    this.pane = pane;
    this.model = model;
    this.onChoose = onChoose;
    this.scroll = need("[data-track-scroll]", pane);
    this.table = need("#tracks", pane);
    this.body = need("tbody", this.table);
    this.query = /** @type {HTMLInputElement} */ (need("[data-track-query]", pane));
    this.classes = /** @type {HTMLSelectElement} */ (need("[data-track-class]", pane));
    this.table.classList.toggle("is-long", model.data.duration >= 3600);
    this.classes.append(...model.classes.map((item) => new Option(`${item.name} (${item.count})`, item.name)));
    this.#listen();
    this.#order();
  }

  #listen() {
    const { pane, body, model } = this;
    this.query.addEventListener("input", () => this.#order());
    this.classes.addEventListener("change", () => this.#order());
    const unit = /** @type {HTMLSelectElement} */ (need("[data-track-unit]", pane));
    unit.addEventListener("change", () => {
      this.#unit = /** @type {Unit} */ (unit.value);
      this.#rows = new Map();
      this.#draw();
    });
    this.scroll.addEventListener("scroll", () => this.#later(), { passive: true });
    new ResizeObserver(() => this.#later()).observe(this.scroll);
    const numberOf = (/** @type {Event} */ event) => {
      const row = event.target instanceof Element ? event.target.closest("tr[data-n]") : null;
      return row ? Number(row.getAttribute("data-n")) : null;
    };
    body.addEventListener("pointerover", (event) => model.hover(numberOf(event)));
    body.addEventListener("pointerleave", () => model.hover(null));
    body.addEventListener("focusin", (event) => model.hover(numberOf(event)));
    body.addEventListener("focusout", () => model.hover(null));
    body.addEventListener("click", (event) => {
      const track = model.byNumber.get(numberOf(event) ?? -1);
      if (track) this.onChoose(track);
    });
    body.addEventListener("keydown", (event) => this.#onKey(event));
    need("thead", this.table).addEventListener("click", (event) => {
      const key = event.target instanceof Element ? event.target.closest("th[data-sort]")?.getAttribute("data-sort") : null;
      if (!key) return;
      // Numbers and times begin at the beginning, figures with the largest.
      const down = this.#sort.key === key ? !this.#sort.down : !["n", "start", "sides"].includes(key);
      this.#sort = { key, down };
      this.#order();
    });
    model.addEventListener("hover", () => this.#mark());
    model.addEventListener("select", (event) => {
      const { from } = /** @type {CustomEvent} */ (event).detail;
      if (from !== "table") this.#reveal();
      this.#mark();
    });
    model.addEventListener("filter", () => this.#order());
  }

  #order() {
    const text = this.query.value.trim().toLowerCase();
    const name = this.classes.value;
    const value = KEYS[this.#sort.key];
    const sign = this.#sort.down ? -1 : 1;
    this.#shown = this.model.tracks.filter(
      (track) => this.model.isVisible(track.n) && (!name || track.class === name)
        && (!text || `${track.class} ${track.n}`.toLowerCase().includes(text)),
    );
    this.#shown.sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      if (left === right) return a.n - b.n;
      return (left < right ? -1 : 1) * sign;
    });
    for (const head of this.table.querySelectorAll("th[data-sort]")) {
      const on = head.getAttribute("data-sort") === this.#sort.key;
      head.setAttribute("aria-sort", on ? (this.#sort.down ? "descending" : "ascending") : "none");
    }
    this.table.setAttribute("aria-rowcount", String(this.#shown.length + 1));
    need("[data-none]", this.pane).hidden = this.#shown.length > 0;
    this.#focused = 0;
    this.scroll.scrollTop = 0;
    this.#rows = new Map();
    this.#draw();
  }

  #later() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => { this.#scheduled = false; this.#draw(); });
  }

  #draw() {
    // Nobody sees it: the pane's turn comes with its size.
    if (!this.scroll.clientHeight) return;
    const count = this.#shown.length;
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - MORE);
    const last = Math.min(count, Math.ceil((this.scroll.scrollTop + this.scroll.clientHeight) / ROW) + MORE);
    /** @type {Map<number, HTMLElement>} */
    const rows = new Map();
    const held = document.activeElement instanceof HTMLElement && this.body.contains(document.activeElement);
    for (let at = first; at < last; at += 1) {
      const track = this.#shown[at];
      const row = this.#rows.get(track.n) ?? this.#row(track);
      row.setAttribute("aria-rowindex", String(at + 2));
      /** @type {HTMLElement} */ (row.querySelector("button")).tabIndex = at === this.#focused ? 0 : -1;
      rows.set(track.n, row);
    }
    const before = [...this.#rows.keys()].join();
    this.#rows = rows;
    if (before !== [...rows.keys()].join() || !this.body.childElementCount) {
      this.body.replaceChildren(spacer(first * ROW), ...rows.values(), spacer((count - last) * ROW));
    }
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#fillLooks(), REST_MS);
    if (held) this.#rows.get(this.#shown[this.#focused]?.n)?.querySelector("button")?.focus({ preventScroll: true });
    this.#mark();
  }

  /** Rows that only fly by fetch nothing. */
  #fillLooks() {
    for (const look of this.body.querySelectorAll("img[data-src]")) {
      look.setAttribute("src", look.getAttribute("data-src") ?? "");
      look.removeAttribute("data-src");
    }
  }

  /** @param {Track} track */
  #row(track) {
    const dot = html("i", { class: "dot" });
    dot.style.setProperty("--c", track.color);
    const { snapshot } = this.model.data.urls;
    const look = track.snapshot && snapshot
      ? html("img", { "data-src": snapshot.replace("/0/", `/${track.n}/`), alt: "", decoding: "async" })
      : "";
    const cell = (/** @type {string} */ text, /** @type {string} */ title = "") => html("td", { class: "num", title: title || null }, text);
    const name = html("button", { type: "button", class: "row-button", tabindex: -1 },
      dot, html("span", { class: "track-class" }, track.class), " ", html("span", { class: "num" }, String(track.n)));
    return html("tr", { "data-n": track.n },
      html("td", { class: "track-look" }, look), html("td", {}, name),
      cell(`${clock(track.start)}–${clock(track.end)}`),
      cell(`${(track.end - track.start).toFixed(1)} s`),
      cell(this.#speed(track.mean_speed, track.mean_speed_bh)),
      cell(this.#speed(track.top_speed, track.top_speed_bh)),
      cell(this.#length(track.path), `${Math.round(track.displacement)} px as the crow flies`),
      cell(String(track.turns)),
      cell(`${ARROWS.get(track.entry) ?? "•"} ${ARROWS.get(track.exit) ?? "•"}`, `In: ${track.entry}, out: ${track.exit}`),
      cell(`${Math.round(track.confidence * 100)}%`));
  }

  /** @param {number} pixels a second @param {number} heights a second */
  #speed(pixels, heights) {
    const scale = this.model.data.pixels_per_metre;
    if (this.#unit === "bh") return heights.toFixed(2);
    if (this.#unit === "m" && scale) return (pixels / scale).toFixed(2);
    return pixels.toFixed(pixels < 10 ? 1 : 0);
  }

  /** @param {number} pixels */
  #length(pixels) {
    const scale = this.model.data.pixels_per_metre;
    return this.#unit === "m" && scale ? `${(pixels / scale).toFixed(1)} m` : `${Math.round(pixels).toLocaleString("en")} px`;
  }

  #mark() {
    for (const [number, row] of this.#rows) {
      row.classList.toggle("is-hovered", number === this.model.hovered);
      row.classList.toggle("is-selected", number === this.model.selected);
    }
  }

  /** Brings the selected track into sight. */
  #reveal() {
    const at = this.#shown.findIndex((track) => track.n === this.model.selected);
    if (at < 0) return;
    this.#focused = at;
    const { scrollTop, clientHeight } = this.scroll;
    if (at * ROW < scrollTop || (at + 2) * ROW > scrollTop + clientHeight) {
      this.scroll.scrollTop = Math.max(0, at * ROW - clientHeight / 3);
    }
    this.#later();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const row = event.target instanceof Element ? event.target.closest("tr[data-n]") : null;
    const now = this.#shown.findIndex((track) => track.n === Number(row?.getAttribute("data-n")));
    this.#focused = Math.min(this.#shown.length - 1, Math.max(0, now + step));
    const top = this.#focused * ROW;
    const { scrollTop, clientHeight } = this.scroll;
    if (top < scrollTop) this.scroll.scrollTop = top;
    // The heading stands above the rows.
    if (top + 2 * ROW > scrollTop + clientHeight) this.scroll.scrollTop = top + 2 * ROW - clientHeight;
    this.#draw();
    this.#rows.get(this.#shown[this.#focused].n)?.querySelector("button")?.focus({ preventScroll: true });
  }
}

/** @param {number} height */
function spacer(height) {
  const row = html("tr", { class: "spacer", "aria-hidden": "true" }, html("td", { colspan: 10 }));
  row.style.setProperty("height", `${height}px`);
  row.hidden = height <= 0;
  return row;
}
