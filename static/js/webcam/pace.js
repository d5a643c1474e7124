/** How large the pictures are that are sent, and how often: by how long the answers take. */

const WIDTHS = [320, 480, 640, 960];
const SLOW_MS = 350;
const QUICK_MS = 120;
const STEADY = 8; // answers in a row before a change
const MOST_A_SECOND = 15;

export class Pace {
  #at = WIDTHS.indexOf(640);
  #slow = 0;
  #quick = 0;
  /** @type {number[]} moments of the last answers */
  #answers = [];
  /** Milliseconds from sending to the answer, smoothed. */
  trip = 0;

  get width() { return WIDTHS[this.#at]; }

  /** Least milliseconds between two pictures. */
  get interval() { return 1000 / MOST_A_SECOND; }

  /** Pictures answered a second. */
  get rate() {
    const [first, last] = [this.#answers[0], this.#answers.at(-1)];
    return this.#answers.length > 1 && last > first ? ((this.#answers.length - 1) * 1000) / (last - first) : 0;
  }

  /** @param {number} trip milliseconds @param {number} now */
  note(trip, now) {
    this.trip = this.trip ? this.trip * 0.8 + trip * 0.2 : trip;
    this.#answers.push(now);
    if (this.#answers.length > 20) this.#answers.shift();
    this.#slow = trip > SLOW_MS ? this.#slow + 1 : 0;
    this.#quick = trip < QUICK_MS ? this.#quick + 1 : 0;
    if (this.#slow >= STEADY && this.#at > 0) this.#step(-1);
    // The detector sees no more than 640 pixels: larger ones only where they cost nothing.
    else if (this.#quick >= 5 * STEADY && this.#at < WIDTHS.length - 1) this.#step(1);
  }

  /** @param {number} by */
  #step(by) {
    this.#at += by;
    this.#slow = 0;
    this.#quick = 0;
  }
}
