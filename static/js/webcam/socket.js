/** `/ws/webcam/`: pictures out, boxes in; connects again by itself and says so. */

const SIGNED_OUT = 4401;
const FOR_GOOD = new Map([
  [4400, "The server refused what this page sent. Load it again."],
  [SIGNED_OUT, "You are signed out. Sign in again to go on."],
  [4405, "Your account may not use the webcam."],
  [4429, "Too many pages of yours are open. Close some and try again."],
]);

export class WebcamSocket extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #timer = 0;
  #wanted = false;

  get ready() { return this.#socket?.readyState === WebSocket.OPEN && this.#socket.bufferedAmount === 0; }

  open() {
    this.#wanted = true;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/webcam/`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      const detail = JSON.parse(event.data);
      if (detail.type === "hello") this.#attempt = 0;
      this.dispatchEvent(new CustomEvent(detail.type, { detail }));
    });
    socket.addEventListener("close", (event) => this.#closed(event.code));
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** @param {number} number @param {Blob} jpeg */
  async send(number, jpeg) {
    const header = new DataView(new ArrayBuffer(4));
    header.setUint32(0, number);
    const message = await new Blob([header.buffer, jpeg]).arrayBuffer();
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  /** @param {Record<string, unknown>} wish */
  ask(wish) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(wish));
  }

  /** @param {number} code */
  #closed(code) {
    if (!this.#wanted) return;
    const reason = FOR_GOOD.get(code);
    if (reason) {
      this.#wanted = false;
      this.dispatchEvent(new CustomEvent("refused", { detail: { reason } }));
      return;
    }
    this.dispatchEvent(new CustomEvent("lost"));
    const wait = Math.min(15000, 500 * 2 ** this.#attempt++) * (0.75 + Math.random() / 2);
    this.#timer = window.setTimeout(() => this.open(), wait);
  }
}
