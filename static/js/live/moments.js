/** The events that the page knows, newest first; asks the server for older ones. */

import { getJson } from "../http.js";

/** @typedef {import("./dashboard.js").LiveEvent} LiveEvent */

const MOST = 1000;
const PAGE = 50;

/** @param {LiveEvent} a @param {LiveEvent} b */
function newerFirst(a, b) {
  if (a.start !== b.start) return a.start < b.start ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** An address of the server as this page reaches it, whatever the server thinks its name is. @param {string | null} address */
function here(address) {
  if (!address) return null;
  const { pathname, search } = new URL(address, location.href);
  return pathname + search;
}

export class Moments {
  /** @type {LiveEvent[]} */
  list = [];
  /** @type {Map<string, LiveEvent>} */
  #byId = new Map();
  /** @type {string | null} where older ones are; null when there are none */
  #older = null;
  #turn = 0;
  /** @type {LiveEvent[] | null} heard while an answer is under way; null when none is */
  #late = null;

  /** @param {string} url @param {() => URLSearchParams} query */
  constructor(url, query) {
    this.url = url;
    this.query = query;
  }

  get hasOlder() {
    return this.#older !== null;
  }

  /** @param {string} id */
  find(id) {
    return this.#byId.get(id);
  }

  /** What came with the page. @param {LiveEvent[]} events */
  begin(events) {
    this.#clear();
    this.add(events);
    if (events.length >= PAGE) this.#older = this.#before();
  }

  /** The newest that fit the query, from the server. @returns {Promise<boolean>} whether it was still wanted */
  async load() {
    const turn = ++this.#turn;
    try {
      const { results, next } = await getJson(`${this.url}?${this.query()}`);
      if (turn !== this.#turn) return false;
      // What was heard meanwhile is newer than the answer.
      const heard = this.#late ?? [];
      this.#clear();
      this.add([...results, ...heard]);
      this.#older = here(next);
      return true;
    } finally {
      if (turn === this.#turn) this.#late = null;
    }
  }

  /** Begins to note what is heard while `load` is under way. */
  expect() {
    this.#late = [];
  }

  /** @returns {Promise<number>} how many were added */
  async loadOlder() {
    const address = this.#older;
    if (!address) return 0;
    const turn = this.#turn;
    const { results, next } = await getJson(address);
    if (turn !== this.#turn || address !== this.#older) return 0;
    const before = this.list.length;
    this.add(results);
    this.#older = here(next);
    return this.list.length - before;
  }

  /**
   * Takes events in; of one that is known, the later change counts.
   * @param {LiveEvent[]} events @returns {{added: LiveEvent[], changed: LiveEvent[]}}
   */
  add(events) {
    /** @type {{added: LiveEvent[], changed: LiveEvent[]}} */
    const news = { added: [], changed: [] };
    for (const event of events) {
      const known = this.#byId.get(event.id);
      if (known && known.sequence >= event.sequence) continue;
      this.#byId.set(event.id, event);
      (known ? news.changed : news.added).push(event);
    }
    if (news.added.length || news.changed.length) this.list = [...this.#byId.values()].sort(newerFirst);
    return news;
  }

  /** Events heard live. @param {LiveEvent[]} events @param {boolean} [onlyKnown] whether others are not kept */
  hear(events, onlyKnown = false) {
    this.#late?.push(...events);
    return this.add(onlyKnown ? events.filter(({ id }) => this.#byId.has(id)) : events);
  }

  /** Forgets the oldest beyond what a page needs to hold. */
  trim() {
    if (this.list.length <= MOST) return;
    for (const event of this.list.splice(MOST)) this.#byId.delete(event.id);
    this.#older = this.#before();
  }

  /** @param {(event: LiveEvent) => boolean} fits */
  keep(fits) {
    this.list = this.list.filter(fits);
    this.#byId = new Map(this.list.map((event) => [event.id, event]));
  }

  #clear() {
    this.list = [];
    this.#byId.clear();
    this.#older = null;
  }

  /** Where what is older than the last of the list begins; those of the same moment come again. */
  #before() {
    const last = this.list.at(-1);
    if (!last) return null;
    const query = this.query();
    query.set("before", new Date(Date.parse(last.start) + 1).toISOString());
    return `${this.url}?${query}`;
  }
}
