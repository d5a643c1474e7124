/** Tries the address that stands in the form: a picture, or the real reason why there is none. */

import { html, need } from "../dom.js";
import { csrfToken, failureOf } from "../http.js";

const TICK_MS = 100;

export class ConnectionTest {
  /** @type {AbortController | null} */ #running = null;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.root = need("#test", form);
    this.button = need("[data-test]", this.root);
    this.cancel = need("[data-test-cancel]", this.root);
    this.progress = need("[data-test-progress]", this.root);
    this.clock = need("[data-test-clock]", this.root);
    this.failed = need("[data-test-failed]", this.root);
    this.shown = need("[data-test-shown]", this.root);
    this.button.addEventListener("click", () => void this.#run());
    this.cancel.addEventListener("click", () => this.#running?.abort());
  }

  #body() {
    const given = new FormData(this.form);
    const body = new FormData();
    for (const name of ["address", "username", "password"]) body.append(name, String(given.get(name) ?? ""));
    body.append("hide_people", String(given.get("hide_people") === "true"));
    body.append("faces", String(given.get("faces") ?? ""));
    return body;
  }

  async #run() {
    const control = new AbortController();
    this.#running = control;
    const began = performance.now();
    const tick = () => { this.clock.textContent = `${((performance.now() - began) / 1000).toFixed(1)} s`; };
    const timer = setInterval(tick, TICK_MS);
    this.#busy(true);
    try {
      const response = await fetch(this.form.dataset.testUrl ?? "", {
        method: "POST", body: this.#body(), credentials: "same-origin", signal: control.signal,
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      });
      if (!response.ok) throw failureOf(response.status, await response.text());
      await this.#show(await response.json());
    } catch (error) {
      if (control.signal.aborted) this.#end("Cancelled.");
      else this.#fail(error instanceof TypeError ? failureOf(0, "").message : /** @type {Error} */ (error).message);
    } finally {
      clearInterval(timer);
      this.#busy(false);
      this.#running = null;
    }
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.button.toggleAttribute("disabled", busy);
    this.cancel.hidden = !busy;
    this.progress.hidden = !busy;
    if (!busy) return;
    this.failed.hidden = true;
    this.shown.hidden = true;
  }

  /** @param {string} text */
  #end(text) { this.clock.textContent = text; }

  /** @param {string} message */
  #fail(message) {
    this.#end("");
    need("span", this.failed).textContent = message;
    this.failed.hidden = false;
    this.failed.scrollIntoView({ block: "nearest" });
  }

  /** @param {{picture: string, codec: string, width: number, height: number, rate: number, seconds: number}} found */
  async #show(found) {
    this.#end("");
    const image = /** @type {HTMLImageElement} */ (need("img", this.shown));
    image.hidden = !found.picture;
    if (found.picture) {
      image.src = found.picture;
      await image.decode();
    }
    const facts = [
      ["Size", `${found.width} × ${found.height}`], ["Codec", found.codec],
      ["Rate", found.rate ? `${Number(found.rate.toFixed(1))} fps` : "not said"], ["Took", `${found.seconds.toFixed(1)} s`],
    ];
    need(".test-facts", this.shown).replaceChildren(...facts.map(([name, value]) =>
      html("div", {}, html("dt", {}, name), html("dd", { class: "num" }, value))));
    this.shown.hidden = false;
    this.shown.scrollIntoView({ block: "nearest" });
  }
}
