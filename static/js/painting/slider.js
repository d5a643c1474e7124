/** Before and after in one frame: a bar between them, moved by pointer or keyboard. */

import { need } from "../dom.js";

const STEP = 2; // percent
const LEAP = 10;

export class Compare {
  #at = 50;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.frame = need(".compare-frame", root);
    this.bar = need(".compare-bar", root);
    this.before = /** @type {HTMLImageElement} */ (need(".compare-before", root));
    this.frame.addEventListener("pointerdown", (event) => this.#grab(event));
    this.frame.addEventListener("pointermove", (event) => {
      if (this.frame.hasPointerCapture(event.pointerId)) this.#follow(event);
    });
    this.bar.addEventListener("keydown", (event) => this.#onKey(event));
    const { width, height } = root.dataset;
    if (width && height) this.setRatio(Number(width), Number(height));
    this.at = 50;
  }

  /** @returns {HTMLImageElement} what stands right of the bar: exchanged as newer ones come */
  get after() {
    return /** @type {HTMLImageElement} */ (need(".compare-after", this.frame));
  }

  /** Percent of the width that show what was before. */
  get at() { return this.#at; }

  set at(value) {
    this.#at = Math.min(100, Math.max(0, value));
    this.frame.style.setProperty("--at", `${this.#at}%`);
    const shown = Math.round(this.#at);
    this.bar.setAttribute("aria-valuenow", String(shown));
    this.bar.setAttribute("aria-valuetext", `${shown}% before, ${100 - shown}% painted`);
    this.frame.classList.toggle("is-all-after", this.#at < 8);
    this.frame.classList.toggle("is-all-before", this.#at > 92);
  }

  /** @param {number} width @param {number} height in any unit */
  setRatio(width, height) {
    if (width > 0 && height > 0) this.root.style.setProperty("--ratio", String(width / height));
  }

  /** Shows what was before, alone until something is painted. @param {string} url */
  async showBefore(url) {
    this.clearAfter();
    this.before.src = url;
    this.before.hidden = false;
    await this.before.decode();
    this.setRatio(this.before.naturalWidth, this.before.naturalHeight);
  }

  /**
   * Puts a newer picture right of the bar; the one before stays until it can be drawn.
   * @param {string} url
   */
  async showAfter(url) {
    const [old, next] = [this.after, /** @type {HTMLImageElement} */ (this.after.cloneNode())];
    next.src = url;
    next.hidden = false;
    await next.decode();
    // Meanwhile something newer may have taken its place.
    if (!old.isConnected) return false;
    old.replaceWith(next);
    this.root.classList.remove("is-plain");
    return true;
  }

  clearAfter() {
    this.root.classList.add("is-plain");
    this.after.removeAttribute("src");
    this.after.hidden = true;
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (event.button !== 0 || this.root.classList.contains("is-plain")) return;
    this.frame.setPointerCapture(event.pointerId);
    this.bar.focus({ preventScroll: true });
    this.#follow(event);
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    const { left, width } = this.frame.getBoundingClientRect();
    if (width) this.at = ((event.clientX - left) / width) * 100;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const step = event.shiftKey ? LEAP : STEP;
    const moves = new Map([
      ["ArrowLeft", this.at - step], ["ArrowDown", this.at - step],
      ["ArrowRight", this.at + step], ["ArrowUp", this.at + step],
      ["PageDown", this.at - LEAP], ["PageUp", this.at + LEAP],
      ["Home", 0], ["End", 100],
    ]);
    const to = moves.get(event.key);
    if (to === undefined) return;
    this.at = to;
    event.preventDefault();
  }
}
