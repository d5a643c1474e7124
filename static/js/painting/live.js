/** The newest picture of what is being painted, as long as somebody looks. */

import { request } from "../http.js";

const LEAST_MS = 200;
// Asked for this often, too, without news: that somebody looks is what has pictures made.
const MARK_MS = 2000;

export class LivePainting {
  #running = true;
  #busy = false;
  #wanted = false;
  #shown = -1;
  #address = "";
  #timer = 0;

  /** @param {string} url @param {(url: string) => Promise<unknown>} show puts a picture in place */
  constructor(url, show) {
    this.url = url;
    this.show = show;
    this.onVisible = () => { if (!document.hidden) void this.#load(); };
    document.addEventListener("visibilitychange", this.onVisible);
    void this.#load();
  }

  /** There is a newer one. @param {number | null | undefined} number */
  hear(number) {
    if (number === null || number === undefined || number === this.#shown) return;
    if (this.#busy) this.#wanted = true;
    else void this.#load();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  async #load() {
    clearTimeout(this.#timer);
    if (!this.#running || this.#busy || document.hidden) return;
    this.#busy = true;
    this.#wanted = false;
    const began = performance.now();
    try {
      const answer = await request(`${this.url}?n=${this.#shown + 1}`, { accept: "image/jpeg, application/json" });
      const number = Number(answer.headers.get("X-Preview") ?? -1);
      if (answer.status === 200 && number !== this.#shown) await this.#put(await answer.blob(), number);
    } catch {
      // The next one may come through.
    }
    this.#busy = false;
    if (!this.#running) return;
    const wait = this.#wanted ? Math.max(0, LEAST_MS - (performance.now() - began)) : MARK_MS;
    this.#timer = window.setTimeout(() => void this.#load(), wait);
  }

  /** @param {Blob} blob @param {number} number */
  async #put(blob, number) {
    if (!this.#running) return;
    const url = URL.createObjectURL(blob);
    await this.show(url);
    this.#shown = number;
    // The one before is not drawn any more.
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = url;
  }
}
