/**
 * Where every track is when: fetched in windows of half a minute around the playhead. The next one is
 * there before it is needed, and those far away are dropped, so that hours of video take no memory.
 */

import { getJson } from "../http.js";

const LENGTH = 30;
const BEFORE = 3; // seconds of the window before, for trails that reach back
const AHEAD = 0.55; // of a window; from there on the next one is fetched
const KEPT = 2; // windows on either side
const RETRY_MS = 2500;
const LONGEST_GAP = 2; // seconds; between points further apart nobody knows where a track was

/** @typedef {{n: number, class_id: number, t: number[], b: number[], c: number[], p: number[]}} Piece */
/** @typedef {{pieces: Piece[] | null, isLoading: boolean, failed: number}} Entry */
/** @typedef {{x: number, y: number, width: number, height: number, confidence: number, predicted: boolean}} Place */

export class Positions extends EventTarget {
  /** @type {Map<number, Entry>} */
  #windows = new Map();

  /** @param {string} url @param {number} duration seconds */
  constructor(url, duration) {
    super();
    this.url = url;
    this.last = Math.max(0, Math.ceil(duration / LENGTH) - 1);
  }

  /** The tracks around a time, or null while they are not there yet. @param {number} time @returns {Piece[] | null} */
  at(time) {
    const key = this.#keyOf(time);
    this.#load(key);
    const share = time / LENGTH - key;
    if (share > AHEAD && key < this.last) this.#load(key + 1);
    this.#forget(key);
    return this.#windows.get(key)?.pieces ?? null;
  }

  /** @param {number} time */
  #keyOf(time) {
    return Math.min(this.last, Math.max(0, Math.floor(time / LENGTH)));
  }

  /** @param {number} key */
  #load(key) {
    const known = this.#windows.get(key);
    if (known && (known.pieces || known.isLoading || performance.now() - known.failed < RETRY_MS)) return;
    const entry = { pieces: null, isLoading: true, failed: 0 };
    this.#windows.set(key, entry);
    void this.#fetch(key, entry);
  }

  /** @param {number} key @param {Entry} entry */
  async #fetch(key, entry) {
    const from = Math.max(0, key * LENGTH - BEFORE);
    // The last window has no end: the length of a video is known to a frame only.
    const to = (key + 1) * LENGTH + 1;
    try {
      const answer = await getJson(`${this.url}?from=${from}&to=${to}`);
      entry.pieces = answer.tracks;
    } catch {
      entry.failed = performance.now();
    }
    entry.isLoading = false;
    if (this.#windows.get(key) === entry) this.dispatchEvent(new Event("change"));
  }

  /** @param {number} near */
  #forget(near) {
    for (const key of this.#windows.keys()) {
      if (Math.abs(key - near) > KEPT) this.#windows.delete(key);
    }
  }
}

/**
 * Index of the last point at or before a time; -1 before the first.
 * @param {number[]} times @param {number} time
 */
export function indexAt(times, time) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Where a track is, between its points in proportion.
 * @param {Piece} piece @param {number} time @param {number} slack seconds that a point holds before and after
 * @returns {Place | null}
 */
export function placeAt(piece, time, slack) {
  const { t, b, c, p } = piece;
  const at = indexAt(t, time);
  const next = at + 1;
  if (at < 0) return t.length && t[0] - time <= slack ? pick(b, c, p, 0) : null;
  if (next >= t.length) return time - t[at] <= slack ? pick(b, c, p, at) : null;
  const gap = t[next] - t[at];
  if (gap > LONGEST_GAP) return time - t[at] <= slack ? pick(b, c, p, at) : null;
  const share = gap > 0 ? (time - t[at]) / gap : 0;
  const between = (/** @type {number} */ field) => b[4 * at + field] + share * (b[4 * next + field] - b[4 * at + field]);
  return {
    x: between(0), y: between(1), width: between(2), height: between(3), confidence: c[at], predicted: p[at] === 1,
  };
}

/** @param {number[]} b @param {number[]} c @param {number[]} p @param {number} at @returns {Place} */
function pick(b, c, p, at) {
  const [x, y, width, height] = b.slice(4 * at, 4 * at + 4);
  return { x, y, width, height, confidence: c[at], predicted: p[at] === 1 };
}
