/**
 * The queue of uploads: three pictures at once, videos one after the other, the rest wait; each
 * follows its job until it is finished. Knows nothing of the page: rows are told through onChange.
 */

import { Watcher } from "../events.js";
import { post } from "../http.js";
import { send } from "./transfer.js";

const AT_ONCE = 3;

/** @typedef {"waiting" | "uploading" | "queued" | "running" | "done" | "failed" | "cancelled"} State */
/** Where a file goes, and as what. @typedef {{kind: "image" | "video", url: string, options: [string, string][]}} Route */
/** @typedef {{file: File, route: Route, state: State, progress: number, message: string, error: string,
 *             count: number | null, session: import("./transfer.js").CreatedSession | null, abort: (() => void) | null,
 *             final: boolean}} Item */

// The same bytes will be refused again.
const FINAL = new Set([400, 413, 415, 422]);

/** @param {Item} item */
export const isOpen = (item) => ["waiting", "uploading", "queued", "running"].includes(item.state);

export class UploadQueue {
  /** @type {Item[]} */ items = [];
  #watcher = new Watcher();
  #sending = 0;

  /**
   * @param {(file: File) => string} judge a sentence for a file that the server would refuse anyway, or ""
   * @param {(item: Item) => void} onChange
   */
  constructor(judge, onChange) {
    this.judge = judge;
    this.onChange = onChange;
  }

  /** @param {File[]} files @param {(file: File) => Route} routeOf @returns {Item[]} */
  add(files, routeOf) {
    const added = files.map((file) => {
      const error = this.judge(file);
      /** @type {Item} */
      const item = {
        file, route: routeOf(file), state: error ? "failed" : "waiting", progress: 0, message: "", error, count: null,
        session: null, abort: null, final: Boolean(error),
      };
      return item;
    });
    this.items.push(...added);
    // After the caller has made its rows.
    queueMicrotask(() => this.#pump());
    return added;
  }

  /** @param {Item} item */
  cancel(item) {
    if (item.state === "waiting") this.#set(item, { state: "cancelled" });
    else if (item.state === "uploading") item.abort?.();
    else if (item.session && isOpen(item)) {
      this.#set(item, { message: "Cancelling" });
      post(item.session.cancel).catch((error) => this.#set(item, { message: error.message }));
    }
  }

  /** @param {Item} item */
  async retry(item) {
    if (isOpen(item) || item.final) return;
    if (!item.session) {
      this.#set(item, { state: "waiting", progress: 0, error: "", message: "" });
      this.#pump();
      return;
    }
    try {
      await post(item.session.retry);
      this.#set(item, { state: "queued", progress: 0, error: "", message: "" });
      this.#follow(item);
    } catch (error) {
      this.#set(item, { error: /** @type {Error} */ (error).message });
    }
  }

  /** @param {Item} item */
  forget(item) {
    this.items = this.items.filter((other) => other !== item);
  }

  #pump() {
    for (const item of this.items) {
      if (this.#sending >= AT_ONCE) return;
      // Two large files side by side only make each other late.
      const isVideo = item.route.kind === "video";
      if (isVideo && this.items.some((other) => other.route.kind === "video" && other.state === "uploading")) continue;
      if (item.state === "waiting") void this.#send(item);
    }
  }

  /** @param {Item} item */
  async #send(item) {
    this.#sending += 1;
    const body = new FormData();
    for (const [name, value] of item.route.options) body.append(name, value);
    body.append(item.route.kind, item.file, item.file.name);
    const transfer = send(item.route.url, body, (progress) => this.#set(item, { progress }));
    this.#set(item, { state: "uploading", progress: 0, abort: transfer.abort });
    try {
      const session = await transfer.done;
      this.#set(item, { session, state: "queued", progress: 0 });
      this.#follow(item);
    } catch (error) {
      const aborted = error instanceof DOMException && error.name === "AbortError";
      const { message, status } = /** @type {import("../http.js").RequestFailed} */ (error);
      this.#set(item, aborted ? { state: "cancelled" } : { state: "failed", error: message, final: FINAL.has(status) });
    } finally {
      item.abort = null;
      this.#sending -= 1;
      this.#pump();
    }
  }

  /** @param {Item} item */
  #follow(item) {
    const id = item.session?.id ?? "";
    this.#watcher.watch(id, (news) => {
      if (news.type === "session.deleted") return this.#set(item, { state: "cancelled", session: null });
      return this.#set(item, {
        state: /** @type {State} */ (news.status), progress: news.progress ?? 0, message: news.message ?? "",
        count: news.object_count ?? null, error: news.error?.message ?? "",
      });
    });
  }

  /** @param {Item} item @param {Partial<Item>} change */
  #set(item, change) {
    Object.assign(item, change);
    this.onChange(item);
  }
}
