/** The pictures of all tiles over one WebSocket: says which are wanted, hands out what comes. */

import { LiveSocket } from "./socket.js";

/** @typedef {[number, string, number, number, number, number, number]} SeenObject number, class, confidence, x, y, w, h */
/** @typedef {{camera: number, number: number, size: "small" | "large", at: number, epoch: number, width: number,
 *             height: number, objects: SeenObject[], occupancy: Record<string, number>, gated: boolean,
 *             ms: Record<string, number>}} Meta */
/** @typedef {{camera: number, size: "small" | "large"}} Wanted */
/** @typedef {(meta: Meta, picture: Blob) => void} Taker */

const decoder = new TextDecoder();

export class PictureFeed extends EventTarget {
  /** @type {Wanted[]} */
  #wanted = [];
  #told = "";
  /** @type {Map<number, Taker>} */
  #takers = new Map();

  constructor() {
    super();
    this.socket = new LiveSocket("/ws/cameras/", { ping: true });
    this.socket.addEventListener("state", () => {
      this.#told = "";
      if (this.socket.state === "open") this.#tell();
    });
    this.socket.addEventListener("data", (event) => this.#take(/** @type {CustomEvent} */ (event).detail));
  }

  start() {
    this.socket.start();
  }

  /** @param {number} camera @param {Taker | null} taker null: nobody any more */
  give(camera, taker) {
    if (taker) this.#takers.set(camera, taker);
    else this.#takers.delete(camera);
  }

  /** What is on the screen now, instead of what was before. @param {Wanted[]} wanted */
  want(wanted) {
    this.#wanted = wanted;
    this.#tell();
  }

  /** The picture has been shown, or overtaken by a newer one: the next may come. @param {Meta} meta */
  ack(meta) {
    this.socket.send({ type: "ack", camera: meta.camera, size: meta.size, number: meta.number });
  }

  #tell() {
    const message = { type: "watch", tiles: this.#wanted };
    const text = JSON.stringify(message);
    if (text !== this.#told && this.socket.state === "open" && this.socket.send(message)) this.#told = text;
  }

  /** @param {ArrayBuffer | {type: string, camera?: number}} content */
  #take(content) {
    if (!(content instanceof ArrayBuffer)) {
      if (content.type !== "refused") return;
      // Whoever wants it still, after a look at what there is, says so again.
      this.#told = "";
      this.dispatchEvent(new CustomEvent("refused", { detail: content.camera }));
      return;
    }
    const length = new DataView(content).getUint32(0);
    const meta = /** @type {Meta} */ (JSON.parse(decoder.decode(new Uint8Array(content, 4, length))));
    const taker = this.#takers.get(meta.camera);
    const picture = new Blob([new Uint8Array(content, 4 + length)], { type: "image/jpeg" });
    if (taker) taker(meta, picture);
    else this.ack(meta);
  }
}
