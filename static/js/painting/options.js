/** The options: what fits the style is shown, and how long it will take is said. */

import { need } from "../dom.js";
import { paintRange } from "../options.js";
import { about } from "./words.js";

/**
 * @typedef {object} Limits
 * @property {number} largest_size
 * @property {number} least_size
 * @property {number} fast_size
 * @property {[number, number][] | null} step_seconds by the longer side of a square
 * @property {number} max_bytes
 * @property {number} max_video_bytes
 * @property {string} max_file
 * @property {string} max_video
 */

const BALANCED = Math.log10(20); // of the weight

export class PaintingOptions {
  #way = "slow";
  #side = 0;
  #ratio = 1;
  #isVideo = false;
  #isChosen = false;

  /** @param {HTMLFormElement} form @param {Limits} limits @param {() => void} onColours */
  constructor(form, limits, onColours) {
    this.form = form;
    this.limits = limits;
    this.root = need("[data-painting-options]", form);
    this.size = this.#input("#size");
    this.steps = this.#input("#steps");
    this.weight = this.#input("#weight");
    this.heavy = this.#input('[name="style_weight"]');
    this.full = this.#input('[name="full_size"]');
    this.colours = this.#input('[name="keep_colours"]');
    this.weight.value = String(Math.log10(Number(this.heavy.value) || 1));
    this.weight.addEventListener("input", () => { this.heavy.value = Number(10 ** Number(this.weight.value)).toPrecision(3); });
    this.colours.addEventListener("change", onColours);
    this.root.addEventListener("input", () => this.show());
    this.root.addEventListener("change", () => this.show());
    this.show();
  }

  /** @param {string} selector @returns {HTMLInputElement} */
  #input(selector) { return /** @type {HTMLInputElement} */ (need(selector, this.root)); }

  get keepColours() { return this.colours.checked; }

  /** @param {{fast: boolean} | null} style null as long as none is chosen */
  setStyle(style) {
    this.#isChosen = style !== null;
    this.#way = style?.fast ? "fast" : "slow";
    this.#limit();
  }

  /** What is to be painted, as far as it is known. @param {{side: number, ratio: number, isVideo: boolean}} content */
  setContent({ side, ratio, isVideo }) {
    [this.#side, this.#ratio, this.#isVideo] = [side, ratio > 0 ? ratio : 1, isVideo];
    this.#limit();
  }

  /** Nothing is enlarged, and nothing is offered that does not fit. */
  #limit() {
    const most = this.#way === "fast" ? this.limits.fast_size : this.limits.largest_size;
    const wanted = this.size.dataset.wanted ?? this.size.value;
    this.size.max = String(Math.max(Number(this.size.min), this.#side ? Math.min(most, Math.ceil(this.#side / 16) * 16) : most));
    this.size.value = wanted;
    this.show();
  }

  show() {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll("[data-for]"))) {
      part.hidden = part.dataset.for !== this.#way;
    }
    const whole = this.#way === "fast" && this.full.checked;
    need("[data-size-field]", this.root).hidden = whole;
    this.size.disabled = whole;
    const start = /** @type {HTMLInputElement | null} */ (this.root.querySelector('[name="start"]:checked'))?.value;
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll("[data-start]"))) {
      part.hidden = part.dataset.start !== start;
    }
    const pixels = this.#side && Number(this.size.value) >= this.#side ? `${this.#side} px, all it has` : `${this.size.value} px`;
    this.#say("size", pixels);
    this.#say("steps", this.steps.value);
    this.#say("weight", Math.abs(Number(this.weight.value) - BALANCED) < 0.3 ? "balanced" : Number(this.weight.value) < BALANCED ? "more photo" : "more painting");
    for (const range of [this.size, this.steps, this.weight]) paintRange(range);
    need("[data-estimate]", this.form).textContent = this.#estimate();
  }

  /** @param {string} name @param {string} text */
  #say(name, text) { need(`[data-value="${name}"]`, this.root).textContent = text; }

  #estimate() {
    if (!this.#isChosen) return "";
    if (this.#way === "fast") return this.#isVideo ? "A video is painted frame by frame; you can follow it on the next page." : "This takes a second or two.";
    const pace = this.limits.step_seconds;
    if (!pace?.length) return "How long it takes is not known before the first one is painted here; you can follow it on the next page.";
    const side = this.#side ? Math.min(this.#side, Number(this.size.value)) : Number(this.size.value);
    const flat = this.#ratio < 1 ? this.#ratio : 1 / this.#ratio;
    const [, seconds] = pace.find(([size]) => size >= side) ?? pace[pace.length - 1];
    return `This takes ${about(seconds * Number(this.steps.value) * flat)} once it begins.`;
  }
}
