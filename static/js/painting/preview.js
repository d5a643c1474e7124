/**
 * What a fast style makes of a picture, in small: the picture is reduced here, so that hardly anything
 * travels, and the newest answer wins.
 */

import { csrfToken, failureOf } from "../http.js";

const SIDE = 320;
const QUALITY = 0.85;
const PATIENCE_MS = 120; // who looks through the styles does not want all of them

/**
 * @param {CanvasImageSource} source @param {number} width @param {number} height
 * @returns {Promise<Blob>} a JPEG of at most 320 pixels, transparent parts over white
 */
export async function reduced(source, width, height) {
  const scale = Math.min(1, SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture could not be reduced."))), "image/jpeg", QUALITY);
  });
}

export class Preview {
  #timer = 0;
  /** @type {AbortController | null} */ #asked = null;

  /**
   * @param {string} url
   * @param {{onBegin: () => void, onPainted: (picture: Blob, ms: number) => void, onFailed: (error: Error) => void}} told
   */
  constructor(url, told) {
    this.url = url;
    this.told = told;
  }

  /** @param {Blob} picture @param {string} style @param {boolean} keepColours */
  ask(picture, style, keepColours) {
    this.stop();
    this.told.onBegin();
    this.#timer = window.setTimeout(() => void this.#send(picture, style, keepColours), PATIENCE_MS);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#asked = null;
  }

  /** @param {Blob} picture @param {string} style @param {boolean} keepColours */
  async #send(picture, style, keepColours) {
    const mine = new AbortController();
    this.#asked = mine;
    const body = new FormData();
    body.append("image", picture, "preview.jpg");
    body.append("style", style);
    if (keepColours) body.append("keep_colours", "1");
    const began = performance.now();
    try {
      const answer = await fetch(this.url, {
        method: "POST", body, signal: mine.signal, credentials: "same-origin",
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken(), "X-Requested-With": "XMLHttpRequest" },
      });
      if (!answer.ok) throw failureOf(answer.status, await answer.text());
      const painted = await answer.blob();
      if (this.#asked === mine) this.told.onPainted(painted, performance.now() - began);
    } catch (error) {
      if (this.#asked === mine) this.told.onFailed(error instanceof TypeError ? failureOf(0, "") : /** @type {Error} */ (error));
    }
  }
}
