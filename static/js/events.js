/**
 * Live news of this user's sessions over one WebSocket per page.
 * While the socket is down, whoever watches a session falls back to asking for it (see watch()).
 */

import { getJson } from "./http.js";

/**
 * What the server says: "session" when it changed, "session.deleted", "session.access" when it is worth
 * asking again who may see it, and "groups" (without an id) when the user's groups or role changed.
 * @typedef {{type: string, id: string, status: string, progress: number, message?: string,
 *            object_count?: number | null, error?: {code: string, message: string} | null}} SessionNews
 */

const POLL_MS = 1500;
const FIRST_POLL_MS = 150;
const LIVE = new Set(["queued", "running"]);
const SIGNED_OUT = 4401;
const ROLE_CHANGED = 4403;

class Events extends EventTarget {
  #attempt = 0;
  #connected = false;
  #started = false;

  get connected() { return this.#connected; }

  start() {
    if (this.#started) return;
    this.#started = true;
    this.#open();
    // A laptop that wakes up should not wait for the longest back-off.
    window.addEventListener("online", () => { this.#attempt = 0; });
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    let greeted = false;
    const socket = new WebSocket(`${scheme}://${location.host}/ws/events/`);
    socket.addEventListener("open", () => { this.#connected = true; this.#attempt = 0; });
    socket.addEventListener("message", (event) => {
      const news = JSON.parse(event.data);
      if (news.type === "hello") greeted = true;
      else this.dispatchEvent(new CustomEvent("news", { detail: news }));
    });
    socket.addEventListener("close", (event) => {
      this.#connected = false;
      // Refused at the door: nobody is signed in. Later on it may be that the password was changed
      // in this very browser, which is signed in anew.
      if (event.code === SIGNED_OUT && !greeted) return;
      if (event.code === ROLE_CHANGED) this.dispatchEvent(new CustomEvent("news", { detail: { type: "groups" } }));
      const wait = Math.min(15000, 500 * 2 ** this.#attempt++) * (0.75 + Math.random() / 2);
      window.setTimeout(() => this.#open(), wait);
    });
  }
}

export const events = new Events();

/** @param {(news: SessionNews) => void} listener @returns {() => void} stops listening */
export function onNews(listener) {
  events.start();
  /** @param {Event} event */
  const handle = (event) => listener(/** @type {CustomEvent<SessionNews>} */ (event).detail);
  events.addEventListener("news", handle);
  return () => events.removeEventListener("news", handle);
}

/**
 * Follows sessions until each is finished; asks the server for those the socket is silent about,
 * because news may have passed before the page began to listen.
 */
export class Watcher {
  /** @type {Map<string, {listener: (news: SessionNews) => void, heard: number}>} */
  #watched = new Map();
  #timer = 0;

  constructor() {
    onNews((news) => this.#deliver(news));
  }

  /** @param {string} id @param {(news: SessionNews) => void} listener */
  watch(id, listener) {
    // Heard at 0: the first poll asks for what was missed.
    this.#watched.set(id, { listener, heard: 0 });
    if (this.#timer) return;
    this.#timer = window.setInterval(() => void this.#poll(), POLL_MS);
    window.setTimeout(() => void this.#poll(), FIRST_POLL_MS);
  }

  /** @param {string} id */
  unwatch(id) {
    this.#watched.delete(id);
    if (!this.#watched.size) { clearInterval(this.#timer); this.#timer = 0; }
  }

  /** @param {SessionNews} news */
  #deliver(news) {
    const entry = this.#watched.get(news.id);
    if (!entry || !news.type.startsWith("session") || news.type === "session.access") return;
    entry.heard = performance.now();
    if (news.type === "session.deleted" || !LIVE.has(news.status)) this.unwatch(news.id);
    entry.listener(news);
  }

  async #poll() {
    const patience = events.connected ? 6 * POLL_MS : POLL_MS;
    const silent = [...this.#watched].filter(
      ([, { heard }]) => heard === 0 || performance.now() - heard >= patience,
    );
    // A few at a time: two hundred queued pictures must not become two hundred requests.
    await Promise.all(silent.slice(0, 4).map(async ([id, entry]) => {
      entry.heard = performance.now();
      try {
        const session = await getJson(`/api/sessions/${id}/`);
        this.#deliver({ ...session, type: "session", id });
      } catch (error) {
        if (/** @type {{status?: number}} */ (error).status === 404) {
          this.#deliver({ type: "session.deleted", id, status: "deleted", progress: 0 });
        }
      }
    }));
  }
}
