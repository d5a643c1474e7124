/**
 * A WebSocket that comes back: it tries again ever more slowly, notices when a connection has died
 * without saying so, and tells how it stands. Says "data" with what has come, and "state".
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const LOOK_MS = 2000;
const SILENCE_MS = 12000;
const SIGNED_OUT = 4401;
const TOO_MANY = 4429;

/** @typedef {"connecting" | "open" | "down" | "over"} SocketState "over": no use in trying again */

export class LiveSocket extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #timer = 0;
  #heard = 0;
  /** @type {SocketState} */
  state = "connecting";
  /** When it is tried again, by `performance.now()`. */
  retryAt = 0;
  /** Why it closed. */
  code = 0;

  /** @param {string} path @param {{ping?: boolean}} [options] whether to ask for a sign of life */
  constructor(path, { ping = false } = {}) {
    super();
    this.path = path;
    this.ping = ping;
  }

  start() {
    this.#open();
    window.setInterval(() => this.#look(), LOOK_MS);
    // A laptop that wakes up should not wait for the longest pause.
    window.addEventListener("online", () => this.retry());
  }

  /** Tries again now, if it is not connected. */
  retry() {
    if (this.state !== "down") return;
    clearTimeout(this.#timer);
    this.#attempt = 0;
    this.#open();
  }

  /** @param {object} message @returns {boolean} whether there was a connection for it */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`);
    let greeted = false;
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#heard = performance.now();
    if (this.#attempt === 0) this.#become("connecting");
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heard = performance.now();
      const content = typeof data === "string" ? JSON.parse(data) : data;
      if (!greeted) {
        // Opened is not let in: only now is it known that the server wants us.
        greeted = true;
        this.#attempt = 0;
        this.#become("open");
      }
      this.dispatchEvent(new CustomEvent("data", { detail: content }));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event.code, greeted);
    });
  }

  /** @param {number} code @param {boolean} greeted */
  #closed(code, greeted) {
    this.#socket = null;
    this.code = code;
    if (code === SIGNED_OUT && !greeted) {
      this.#become("over");
      return;
    }
    const pause = code === TOO_MANY ? LONGEST_WAIT_MS : FIRST_WAIT_MS * 2 ** this.#attempt;
    const wait = Math.min(LONGEST_WAIT_MS, pause) * (0.75 + Math.random() / 2);
    this.#attempt += 1;
    this.retryAt = performance.now() + wait;
    this.#timer = window.setTimeout(() => this.#open(), wait);
    this.#become("down");
  }

  /** A cable that was pulled closes nothing: silence does. */
  #look() {
    const socket = this.#socket;
    if (!socket) return;
    if (performance.now() - this.#heard > SILENCE_MS) {
      socket.close();
      this.#closed(0, true);
    } else if (this.ping) this.send({ type: "ping" });
  }

  /** @param {SocketState} state */
  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
