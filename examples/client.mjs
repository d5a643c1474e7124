// SIGHTLINE_URL=… SIGHTLINE_TOKEN=… node client.mjs street.jpg     (Node 18 or later)
// @ts-check
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const ATTEMPTS = 5;

/** @typedef {{class: string, class_id: number, confidence: number, bbox: number[]}} Found */
/** @typedef {{id: string, name: string, created_at: string, object_count: number}} Session */
/** @typedef {{code: string, message: string, fields: Record<string, string>}} Refusal */

/** What the server says is wrong; `code` is for programs, `fields` names the culprits. */
export class SightlineError extends Error {
  /**
   * @param {number} status
   * @param {Refusal} refusal
   */
  constructor(status, { code, message, fields }) {
    super(`${message} (${status} ${code})`);
    Object.assign(this, { status, code, fields });
  }
}

/** One Sightline; waits and asks again when told to (429, 503). */
export class Sightline {
  /**
   * @param {string} url
   * @param {string} token
   */
  constructor(url, token) {
    this.url = url;
    this.headers = { Authorization: `Token ${token}`, Accept: "application/json" };
  }

  /**
   * Find objects in a picture; it is kept as a session.
   * @param {Blob} picture
   * @param {string} name
   * @param {number} [confidence]
   * @returns {Promise<Found[]>}
   */
  async detect(picture, name, confidence = 0.4) {
    const body = new FormData();
    body.append("image", picture, name);
    body.append("confidence", String(confidence));
    return (await this.#ask("/api/detect/", { method: "POST", body })).objects;
  }

  /**
   * Go through all sessions, the newest first; one page is read at a time.
   * @param {Record<string, string>} [filters]
   * @returns {AsyncGenerator<Session>}
   */
  async *sessions(filters = {}) {
    /** @type {string | null} */
    let next = `/api/sessions/?${new URLSearchParams(filters)}`;
    while (next) {
      const page = await this.#ask(next);
      yield* page.results;
      next = page.next;
    }
  }

  /**
   * @param {string} address
   * @param {RequestInit} [request]
   * @returns {Promise<any>}
   */
  async #ask(address, request = {}) {
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(new URL(address, this.url), { ...request, headers: this.headers });
      if (response.ok) return response.json();
      if (![429, 503].includes(response.status) || attempt === ATTEMPTS) {
        throw new SightlineError(response.status, (await response.json()).error);
      }
      await wait(1000 * Number(response.headers.get("Retry-After") ?? 2 ** attempt));
    }
  }
}

const { SIGHTLINE_URL = "http://127.0.0.1:8000", SIGHTLINE_TOKEN = "" } = process.env;
const server = new Sightline(SIGHTLINE_URL, SIGHTLINE_TOKEN);
try {
  for (const path of process.argv.slice(2)) {
    const picture = new Blob([await readFile(path)]);
    for (const found of await server.detect(picture, basename(path))) {
      console.log(`${found.class} ${Math.round(found.confidence * 100)}% at ${found.bbox}`);
    }
  }
  for await (const session of server.sessions({ page_size: "2" })) {
    console.log(`${session.created_at} ${session.name}: ${session.object_count} objects`);
  }
} catch (error) {
  if (!(error instanceof SightlineError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
