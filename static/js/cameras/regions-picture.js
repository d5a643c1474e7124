/** The picture that is drawn on: the newest one of the running camera, or one that is fetched for it. */

import { html } from "../dom.js";
import { post, request, RequestFailed } from "../http.js";

/** @typedef {{latest: string, test: string}} Addresses */

const TRIES = 4;
const WAIT_MS = 700;

export class StagePicture {
  #asked = 0;
  #url = "";

  /** @param {HTMLElement} stage @param {Addresses} addresses */
  constructor(stage, addresses) {
    this.stage = stage;
    this.addresses = addresses;
    this.image = /** @type {HTMLImageElement} */ (stage.querySelector("[data-picture]"));
    this.say = /** @type {HTMLElement} */ (stage.querySelector("[data-picture-say]"));
  }

  /** @returns {Promise<void>} when there is a picture, or a sentence why there is none */
  async refresh() {
    this.#asked += 1;
    const asked = this.#asked;
    this.stage.classList.add("is-loading");
    if (this.image.hidden) this.#tell("Asking the camera for a picture…");
    try {
      const url = await this.#running() ?? await this.#fetched();
      if (asked === this.#asked) await this.#show(url);
    } catch (error) {
      if (asked === this.#asked) this.#tell(`${/** @type {Error} */ (error).message} You can draw without a picture, too.`);
    } finally {
      if (asked === this.#asked) this.stage.classList.remove("is-loading");
    }
  }

  /** Pictures are made while somebody watches, so the first ones may be missing. @returns {Promise<string | null>} */
  async #running() {
    if (!this.addresses.latest) return null;
    for (let left = TRIES; left > 0; left -= 1) {
      try {
        const response = await request(`${this.addresses.latest}?size=large`, { accept: "image/jpeg, application/json" });
        return URL.createObjectURL(await response.blob());
      } catch (error) {
        if (!(error instanceof RequestFailed) || error.status !== 503) return null;
        await new Promise((done) => { setTimeout(done, WAIT_MS); });
      }
    }
    return null;
  }

  async #fetched() {
    return /** @type {string} */ ((await post(this.addresses.test)).picture);
  }

  /** @param {string} url */
  async #show(url) {
    const image = /** @type {HTMLImageElement} */ (html("img", { alt: "", src: url }));
    await image.decode();
    this.image.src = url;
    this.image.hidden = false;
    this.stage.style.setProperty("--ratio", String(image.naturalWidth / image.naturalHeight));
    this.#tell("");
    if (this.#url.startsWith("blob:")) URL.revokeObjectURL(this.#url);
    this.#url = url;
  }

  /** @param {string} text */
  #tell(text) {
    this.say.textContent = text;
    this.say.hidden = !text;
  }
}
