/**
 * The timeline: rows for a stretch of the events, newest first. It follows what happens while it is
 * at its top; away from there it stands still and says how much is new.
 */

import { need } from "../dom.js";
import { fillRow, makeRow, tickRow } from "./moment-row.js";
import { Moments } from "./moments.js";

/** @typedef {import("./dashboard.js").LiveEvent} LiveEvent */

const MOST_ROWS = 200;
const MOST_HELD = 3 * MOST_ROWS; // while somebody reads; what comes then is only counted
const MOST_COUNTED = 100;
const STEP = 50;
const AT_TOP = 24; // pixels
const NEAR = 400;
const TICK_MS = 1000;

export class Timeline {
  /** The first event that has a row, and how many have. */
  #first = 0;
  #count = STEP;
  #unseen = new Set();
  /** Whether events were counted that are not in the list. */
  #behind = false;
  /** Whether a row was gone to, and nothing has led away from it since. */
  #reading = false;
  #loading = false;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} root @param {import("./cameras.js").PageData} data
   * @param {import("./moment-filters.js").MomentFilters} filters
   * @param {(event: LiveEvent) => void} onOpen
   */
  constructor(root, data, filters, onOpen) {
    this.scroll = need("[data-moments-scroll]", root);
    this.listed = need("[data-moments-list]", root);
    this.pill = need("[data-moments-new]", root);
    this.none = need("[data-moments-none]", root);
    this.nothing = this.none.textContent ?? "";
    this.more = need("[data-moments-more]", root);
    this.filters = filters;
    this.single = data.camera !== null;
    this.moments = new Moments(data.urls.events, () => filters.query);
    this.moments.begin(data.events);
    this.#listen(onOpen);
    this.#draw();
    window.setInterval(() => this.#tick(), TICK_MS);
  }

  /** @param {(event: LiveEvent) => void} onOpen */
  #listen(onOpen) {
    this.filters.addEventListener("change", () => void this.reload());
    this.pill.addEventListener("click", () => this.#toTop());
    // On narrow screens it is the page that scrolls.
    for (const scroller of [this.scroll, window]) {
      scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    }
    this.listed.addEventListener("click", (click) => {
      const row = click.target instanceof Element ? click.target.closest("[data-id]") : null;
      const event = this.moments.find(row?.getAttribute("data-id") ?? "");
      if (event) onOpen(event);
    });
    this.listed.addEventListener("focusin", () => { this.#reading = true; });
    this.listed.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const row = event.target instanceof Element ? event.target.closest("[data-id]") : null;
      if (step === undefined || !row) return;
      event.preventDefault();
      const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
      next?.querySelector("button")?.focus();
    });
  }

  /** @param {LiveEvent[]} events */
  hear(events) {
    this.filters.learn(events);
    const fitting = events.filter((event) => this.filters.fits(event));
    this.#behind ||= !this.#isAtTop && this.moments.list.length >= MOST_HELD;
    const { added, changed } = this.moments.hear(fitting, this.#behind);
    for (const event of changed) {
      const row = this.#rows.get(event.id);
      if (row) fillRow(row, event, this.single);
    }
    if (this.#behind) {
      this.#note(fitting.filter(({ id }) => !this.moments.find(id)));
      this.#showPill();
      return;
    }
    if (!added.length) return;
    if (this.#isAtTop) {
      this.moments.trim();
      this.#first = 0;
      this.#draw();
      return;
    }
    // What is read stands still: the new ones lie above it.
    const anchor = this.moments.list.findIndex(({ id }) => this.#rows.has(id));
    if (anchor >= 0) this.#first = anchor;
    this.#note(added);
    this.#showPill();
    this.#draw();
  }

  /** Says anew what its rows say: somebody was recognised. */
  renew() {
    for (const [id, row] of this.#rows) {
      const event = this.moments.find(id);
      if (event) fillRow(row, event, this.single);
    }
  }

  /** Counts events that were not seen, up to where the number is not said any more. @param {LiveEvent[]} events */
  #note(events) {
    for (const { id } of events) if (this.#unseen.size < MOST_COUNTED) this.#unseen.add(id);
  }

  /** Nobody looks at one event any more: goes on where that is the top. */
  follow() {
    this.#reading = false;
    if (this.#beyond.above < AT_TOP && (this.#first > 0 || this.#unseen.size || this.#behind)) this.#toTop();
  }

  /** Asks the server anew, for other filters or after other cameras. */
  async reload() {
    this.moments.expect();
    this.listed.setAttribute("aria-busy", "true");
    try {
      if (!await this.moments.load()) return;
      this.#unseen.clear();
      this.#behind = false;
      this.#first = 0;
      this.#count = STEP;
      this.scroll.scrollTop = 0;
      this.#draw();
    } catch {
      // What can be narrowed here is; the rest comes with the connection.
      this.moments.keep((event) => this.filters.fits(event));
      this.#draw();
    } finally {
      this.listed.removeAttribute("aria-busy");
    }
  }

  /** Pixels of the list above and below what is seen of it. */
  get #beyond() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    if (scrollHeight > clientHeight) return { above: scrollTop, below: scrollHeight - clientHeight - scrollTop };
    const { top, bottom } = this.listed.getBoundingClientRect();
    return { above: -top, below: bottom - window.innerHeight };
  }

  get #isAtTop() {
    // Whoever has a row under the keyboard reads it.
    const reads = this.#reading && this.listed.contains(document.activeElement);
    return this.#first === 0 && !reads && this.#beyond.above < AT_TOP;
  }

  #toTop() {
    if (this.#behind) {
      void this.reload().then(() => this.#showStart());
      return;
    }
    this.#first = 0;
    this.#count = STEP;
    this.#unseen.clear();
    this.moments.trim();
    this.#draw();
    this.#showStart();
  }

  #showStart() {
    this.scroll.scrollTop = 0;
    if (this.listed.getBoundingClientRect().top < 0) this.listed.scrollIntoView({ block: "start" });
  }

  #onScroll() {
    const { above, below } = this.#beyond;
    if (above < NEAR && this.#first > 0) {
      this.#first = Math.max(0, this.#first - STEP);
      this.#draw();
    } else if (above < AT_TOP) this.follow();
    if (below < NEAR) void this.#onEnd();
  }

  /** The end of the rows is near. */
  async #onEnd() {
    if (this.#loading) return;
    const end = this.#first + this.#count;
    if (end >= this.moments.list.length) {
      if (!this.moments.hasOlder) return;
      this.#loading = true;
      try {
        await this.moments.loadOlder();
      } catch {
        // Scrolling on tries again.
      } finally {
        this.#loading = false;
      }
    }
    this.#grow();
  }

  #grow() {
    const { length } = this.moments.list;
    this.#count = Math.min(this.#count + STEP, Math.max(STEP, length - this.#first));
    if (this.#count > MOST_ROWS) {
      this.#first += this.#count - MOST_ROWS;
      this.#count = MOST_ROWS;
    }
    this.#draw();
  }

  /** Rows for the stretch that is shown; those that stay are not touched. */
  #draw() {
    const shown = this.moments.list.slice(this.#first, this.#first + this.#count);
    /** @type {Map<string, HTMLElement>} */
    const rows = new Map();
    for (const event of shown) rows.set(event.id, this.#rows.get(event.id) ?? makeRow(event, this.single));
    const anchor = this.#anchor(rows);
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.remove();
    let place = this.listed.firstElementChild;
    for (const row of rows.values()) {
      if (row === place) place = place.nextElementSibling;
      else this.listed.insertBefore(row, place);
    }
    this.#rows = rows;
    if (anchor) this.scroll.scrollTop += anchor.row.offsetTop - anchor.top;
    this.none.hidden = shown.length > 0;
    this.none.textContent = this.filters.isActive ? "Nothing of this kind has happened." : this.nothing;
    this.more.hidden = !this.moments.hasOlder && this.#first + this.#count >= this.moments.list.length;
    this.#showPill();
  }

  /** A row that stays, with where it stands: it should stand there afterwards. @param {Map<string, HTMLElement>} rows */
  #anchor(rows) {
    if (this.#isAtTop) return null;
    const { scrollTop } = this.scroll;
    const seen = [...this.#rows].find(([id, row]) => rows.has(id) && row.offsetTop + row.offsetHeight > scrollTop);
    return seen ? { row: seen[1], top: seen[1].offsetTop } : null;
  }

  #showPill() {
    const count = this.#unseen.size;
    this.pill.hidden = count === 0;
    const said = count < MOST_COUNTED ? String(count) : `${MOST_COUNTED - 1}+`;
    this.pill.textContent = `${said} new`;
    this.pill.setAttribute("aria-label", `Show ${said} new events`);
  }

  #tick() {
    for (const [id, row] of this.#rows) {
      if (!row.classList.contains("is-ongoing")) continue;
      const event = this.moments.find(id);
      if (event) tickRow(row, event);
    }
  }
}
