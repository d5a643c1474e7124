/** How far a painting is, in words: its place in the queue, its step, the time that is left. */

import { need } from "../dom.js";
import { about } from "./words.js";

const LABELS = new Map([["queued", "Queued"], ["running", "Running"]]);

export class Progress {
  /** @param {HTMLElement} root of the page @param {any} state as the server has told it */
  constructor(root, state) {
    this.root = root;
    this.state = { ...state };
    this.isVideo = root.querySelector("[data-live]") !== null;
    this.bar = need("[data-progress]", root);
    const form = root.querySelector("[data-stop]");
    form?.addEventListener("submit", () => this.hear({ cancelling: true }));
    this.hear({});
  }

  /** @param {any} news what has changed */
  hear(news) {
    for (const [name, value] of Object.entries(news)) if (value !== undefined) this.state[name] = value;
    const { status, progress, cancelling } = this.state;
    const chip = need(".result-meta .status", this.root);
    chip.className = `status is-${status}`;
    chip.textContent = LABELS.get(status) ?? status;
    need("[data-progress-title]", this.root).textContent = status === "queued" ? "Waiting" : "Painting";
    need("[data-step]", this.root).textContent = this.#step();
    // A step at half the size is a quarter of the work: the share is not that of the steps.
    const share = status === "running" ? progress ?? 0 : 0;
    this.bar.classList.toggle("is-waiting", !share);
    /** @type {HTMLElement} */ (need("span", this.bar)).style.setProperty("--value", String(share));
    this.bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    need("[data-progress-text]", this.root).textContent = cancelling ? "Stopping. It ends with the step that it is at." : this.#sentence();
    const label = this.root.querySelector("[data-stop-label]");
    if (label && status === "running" && this.state.steps) label.textContent = "Stop and keep the best so far";
    const button = this.root.querySelector("[data-stop] button");
    if (cancelling && button instanceof HTMLButtonElement) window.setTimeout(() => { button.disabled = true; });
  }

  #step() {
    const { status, step, steps, place, progress } = this.state;
    if (status === "queued") return place ? (place === 1 ? "Next" : `${place - 1} before it`) : "";
    if (this.isVideo) return progress ? `${Math.round(progress * 100)}%` : "";
    return step && steps ? `Step ${step} of ${steps}` : "";
  }

  #sentence() {
    const { status, message, seconds, seconds_left: left, step } = this.state;
    if (status === "queued") {
      const wait = typeof seconds === "number" ? `; it begins in ${about(seconds)}` : "";
      return `Waiting in the queue${wait}.`;
    }
    if (typeof left !== "number" || !step) return message || "Getting ready.";
    const rest = left < 1 ? "nearly done" : `${about(left)} left`;
    return this.isVideo ? `${message} · ${rest}` : `${rest[0].toUpperCase()}${rest.slice(1)}.`;
  }
}
