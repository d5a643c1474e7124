/**
 * Events and figures over one WebSocket. Whatever happens to the connection, each change of an event
 * comes once: the page asks for what came after the last number that it has seen.
 */

import { heardAt } from "./clock.js";
import { LiveSocket } from "./socket.js";

/** @typedef {{id: number, name: string}} Named */
/** @typedef {{id: string, sequence: number, kind: "entry" | "exit" | "dwell" | "crossing" | "occupancy", camera: Named,
 *             area: string | null, zone: Named | null, line: Named | null, place: string, direction: string,
 *             label: string, track: number | null, start: string, end: string | null, ongoing: boolean,
 *             value: number | null, confidence: number | null, box: [number, number, number, number] | null,
 *             snapshot: string | null, sentence: string}} LiveEvent */
/** @typedef {{in: number, processed: number, gated: number, dropped: number}} Rates */
/** @typedef {{id: number, name: string, state: string, code: string, reason: string, since: string, codec: string,
 *             width: number, height: number, fps: Partial<Rates>, age_ms: {p50?: number, p95?: number, newest?: number},
 *             ms: Record<string, number>, counts: Record<string, number>, tracks: number,
 *             occupancy: Record<string, number>, stale: boolean}} CameraStats */
/** @typedef {{at: string, cameras: CameraStats[], model?: string,
 *             global: {cameras: number, live: number, fps: Partial<Rates>, age_ms: {p95?: number | null},
 *                      ms: Record<string, number>, counts: Record<string, number>}}} Stats */

/** Says "events" with LiveEvent[], "stats" with Stats, and "cameras" when other cameras may be seen now. */
export class Dashboard extends EventTarget {
  #sequence;

  /** @param {number} sequence up to which the page has read already */
  constructor(sequence) {
    super();
    this.#sequence = sequence;
    this.socket = new LiveSocket("/ws/dashboard/");
    this.socket.addEventListener("state", () => {
      if (this.socket.state === "open") this.socket.send({ type: "listen", after: this.#sequence });
    });
    this.socket.addEventListener("data", (event) => this.#take(/** @type {CustomEvent} */ (event).detail));
  }

  start() {
    this.socket.start();
  }

  /** @param {any} message */
  #take(message) {
    if (message.type === "events") {
      /** @type {LiveEvent[]} */
      const fresh = message.events.filter((/** @type {LiveEvent} */ item) => item.sequence > this.#sequence);
      this.#sequence = Math.max(this.#sequence, message.sequence);
      if (fresh.length) this.#say("events", fresh);
    } else if (message.type === "stats") {
      heardAt(message.at);
      this.#say("stats", message);
    } else if (message.type === "cameras") this.#say("cameras", null);
  }

  /** @param {string} name @param {unknown} detail */
  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
