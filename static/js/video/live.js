/** A video that is being worked on: its newest frame, how far it is, and the news when it has ended. */

import { need } from "../dom.js";
import { request } from "../http.js";

const LEAST_MS = 125; // eight pictures a second
const NONE_YET_MS = 500;
const TROUBLE_MS = 3000;

/** Shows the newest frame as long as the page is looked at. */
export class LivePicture {
  #running = false;
  #timer = 0;
  #address = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    this.url = root.dataset.preview ?? "";
    this.picture = /** @type {HTMLImageElement | null} */ (root.querySelector("#live-picture"));
    this.tag = /** @type {HTMLElement | null} */ (root.querySelector("#live-tag"));
    this.onVisible = () => this.#resume();
  }

  start() {
    if (!this.picture || !this.tag) return;
    this.#running = true;
    document.addEventListener("visibilitychange", this.onVisible);
    this.#resume();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.onVisible);
    URL.revokeObjectURL(this.#address);
  }

  #resume() {
    clearTimeout(this.#timer);
    if (this.#running && !document.hidden) void this.#load();
  }

  async #load() {
    const began = performance.now();
    let wait = TROUBLE_MS;
    try {
      const answer = await request(this.url, { accept: "image/jpeg, application/json" });
      wait = NONE_YET_MS;
      if (answer.status === 200) {
        await this.#show(await answer.blob(), answer.headers.get("X-Frame"));
        wait = Math.max(0, LEAST_MS - (performance.now() - began));
      }
    } catch {
      // The next one may come through.
    }
    clearTimeout(this.#timer);
    if (this.#running && !document.hidden) this.#timer = window.setTimeout(() => void this.#load(), wait);
  }

  /** @param {Blob} blob @param {string | null} number */
  async #show(blob, number) {
    const { picture, tag } = this;
    if (!picture || !tag || !this.#running) return;
    const before = this.#address;
    this.#address = URL.createObjectURL(blob);
    picture.src = this.#address;
    await picture.decode().catch(() => { /* The next one is on its way. */ });
    URL.revokeObjectURL(before);
    tag.hidden = false;
    picture.classList.add("is-live");
    need("[data-frame]", tag).textContent = `Live · frame ${Number(number ?? 0).toLocaleString("en")}`;
  }
}

/** @param {HTMLElement} root @param {import("../events.js").SessionNews} news */
export function showProgress(root, news) {
  const status = need(".result-meta .status", root);
  status.className = `status is-${news.status}`;
  status.textContent = news.status === "running" ? "Running" : "Queued";
  const bar = root.querySelector("[data-progress]");
  if (!bar) return;
  paintProgress(/** @type {HTMLElement} */ (bar), news.progress ?? 0);
  need("[data-percent]", root).textContent = `${Math.round((news.progress ?? 0) * 100)}%`;
  const text = need("[data-progress-text]", root);
  // Somebody who has cancelled wants to know that it is being done.
  if (text.dataset.progressText === "cancelling") return;
  text.textContent = news.status === "queued" ? "Waiting in the queue" : news.message || "Opening the video";
}

/** @param {HTMLElement} bar @param {number} share */
export function paintProgress(bar, share) {
  bar.classList.toggle("is-waiting", !share);
  /** @type {HTMLElement} */ (need("span", bar)).style.setProperty("--value", String(share));
  bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
}
