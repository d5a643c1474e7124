/** How the loss falls, as a line that grows: steps to the right, the loss on a logarithmic scale. */

import { need, svg } from "../dom.js";

const [WIDTH, HEIGHT] = [320, 132];
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 8, 8, 20];
const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

export class Curve {
  /** @type {Map<number, number>} */ #losses = new Map();

  /** @param {HTMLElement} root @param {number} steps asked for */
  constructor(root, steps) {
    this.root = root;
    this.steps = steps;
    this.picture = /** @type {SVGElement} */ (/** @type {unknown} */ (need(".curve", root)));
  }

  get lastStep() { return Math.max(0, ...this.#losses.keys()); }

  /** @param {[number, number][]} losses [step, loss]; what is known already changes nothing */
  add(losses) {
    const before = this.#losses.size;
    for (const [step, loss] of losses) if (Number.isFinite(loss) && loss > 0) this.#losses.set(step, loss);
    if (this.#losses.size !== before) this.#draw();
  }

  #draw() {
    const points = [...this.#losses].sort(([a], [b]) => a - b);
    this.root.hidden = points.length < 2;
    if (points.length < 2) return;
    const values = points.map(([, loss]) => Math.log10(loss));
    const low = Math.min(...values);
    const high = Math.max(Math.max(...values), low + 0.05);
    const [first, last] = [points[0], points[points.length - 1]];
    const best = points[values.indexOf(low)]; // which is the one that is kept
    const end = Math.max(this.steps, last[0]);
    const x = (/** @type {number} */ step) => LEFT + ((step - first[0]) / Math.max(1, end - first[0])) * (WIDTH - LEFT - RIGHT);
    const y = (/** @type {number} */ value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const line = points.map(([step], at) => `${x(step).toFixed(1)},${y(values[at]).toFixed(1)}`);
    const floor = HEIGHT - BOTTOM;
    const grid = [high, (high + low) / 2, low].flatMap((value) => [
      svg("line", { class: "curve-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value).toFixed(1), y2: y(value).toFixed(1) }),
      svg("text", { class: "curve-text", x: LEFT - 6, y: (y(value) + 3.5).toFixed(1), "text-anchor": "end" }, digits.format(10 ** value)),
    ]);
    this.picture.replaceChildren(
      ...grid,
      svg("path", { class: "curve-area", d: `M${x(first[0]).toFixed(1)},${floor} L${line.join(" L")} L${x(last[0]).toFixed(1)},${floor} Z` }),
      svg("path", { class: "curve-line", d: `M${line.join(" L")}` }),
      svg("circle", { class: "curve-dot", cx: x(best[0]).toFixed(1), cy: y(low).toFixed(1), r: 3.5 }),
      svg("text", { class: "curve-text", x: LEFT, y: HEIGHT - 5 }, `step ${first[0]}`),
      svg("text", { class: "curve-text", x: WIDTH - RIGHT, y: HEIGHT - 5, "text-anchor": "end" }, String(end)),
    );
    const sentence = `The loss fell from ${digits.format(first[1])} to ${digits.format(best[1])} at step ${best[0]}`;
    this.picture.setAttribute("aria-label", sentence);
    need("[data-curve-now]", this.root).textContent = `best ${digits.format(best[1])}`;
  }
}
