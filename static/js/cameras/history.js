/** States that can be gone back to. Steps of one kind in a row, such as letters of a name, count as one. */

const MOST = 200;

/** @template T */
export class History {
  /** @type {T[]} */ #states;
  #at = 0;
  #tag = "";

  /** @param {T} first */
  constructor(first) { this.#states = [first]; }

  get now() { return this.#states[this.#at]; }
  get canUndo() { return this.#at > 0; }
  get canRedo() { return this.#at < this.#states.length - 1; }

  /** @param {T} state @param {string} [tag] of steps that count as one with the step before */
  push(state, tag = "") {
    const merges = tag !== "" && tag === this.#tag && this.#at > 0;
    const kept = this.#states.slice(0, this.#at + (merges ? 0 : 1)).slice(-MOST);
    this.#states = [...kept, state];
    this.#at = this.#states.length - 1;
    this.#tag = tag;
  }

  /** The next step is one of its own. */
  settle() { this.#tag = ""; }
  undo() { this.#go(-1); }
  redo() { this.#go(1); }

  /** @param {number} by */
  #go(by) {
    this.#at = Math.min(this.#states.length - 1, Math.max(0, this.#at + by));
    this.settle();
  }
}
