/** What was found and where is counted, drawn over a picture of a camera. */

import { inkOn } from "../result/overlay.js";
import { nameOf } from "./people.js";

/** @typedef {import("./pictures.js").Meta} Meta */
/** @typedef {{x: number, y: number, width: number, height: number}} Rect where the picture lies, in pixels of the page */
/** @typedef {{id: number, name: string, polygon: [number, number][]}} Zone */
/** @typedef {{id: number, name: string, points: [number, number][], forward: string, backward: string}} Line */
/** @typedef {{font: string, height: number, detail: number}} Type letters, and how much is said: 0 the number, 1 the class, 2 how sure */

const ZONE = "#4fd1c5";
const LINE = "#ffc53d";
const TINY = 240; // pixels of a picture; below that, labels say less
const NARROW = 320;
const SMALL = 480;
const HEAD = 28; // pixels at the top of a tile where its name stands
const MOST_WIDTHS = 400;

/** @type {Map<string, number>} */
const widths = new Map();
/** @type {Record<string, string>} */
let colors = {};

/** @param {Record<string, string>} given colours of classes by name */
export function setColors(given) {
  colors = given;
}

/** The colour of a class; of one that is not known, always the same one. @param {string} name @returns {string} */
export function colorOf(name) {
  const known = colors[name];
  if (known) return known;
  const all = Object.values(colors);
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return all.length ? all[sum % all.length] : "#9db2ff";
}

/** The letters for a picture of this width. @param {number} width @param {string} family @returns {Type} */
export function typeFor(width, family) {
  const size = width < SMALL ? 10 : width < 1000 ? 12 : 14;
  return { font: `560 ${size}px ${family}`, height: size + 6, detail: width < TINY ? 0 : width < NARROW ? 1 : 2 };
}

/**
 * @param {CanvasRenderingContext2D} context @param {Meta} meta @param {Rect} rect @param {Type} type
 */
export function drawObjects(context, meta, rect, type) {
  /** @type {[number, number, number, number][]} */
  const taken = [];
  const thick = rect.width < SMALL ? 1.5 : 2;
  const boxes = meta.objects.map(([number, name, confidence, x, y, w, h]) => ({
    text: nameOf(meta.camera, number)
      ?? [`${number}`, `${name} ${number}`, `${name} ${number} · ${Math.round(confidence * 100)}%`][type.detail],
    color: colorOf(name),
    box: /** @type {const} */ ([rect.x + x * rect.width, rect.y + y * rect.height, w * rect.width, h * rect.height]),
  }));
  for (const { box, color } of boxes) {
    context.lineWidth = thick + 1.5;
    context.strokeStyle = "rgb(0 0 0 / 42%)";
    context.strokeRect(...box);
    context.lineWidth = thick;
    context.strokeStyle = color;
    context.strokeRect(...box);
  }
  for (const { box, color, text } of boxes) {
    const width = widthOf(context, text, type) + 8;
    const [left, top] = roomFor(box, width, type.height, rect, taken);
    drawTag(context, text, left, top, width, color, type);
  }
}

/**
 * Zones with how many are in them, and lines with the way that counts forward.
 * @param {CanvasRenderingContext2D} context @param {{zones: Zone[], lines: Line[]}} regions
 * @param {Record<string, number>} occupancy @param {Rect} rect @param {Type} type
 */
export function drawRegions(context, { zones, lines }, occupancy, rect, type) {
  const at = (/** @type {[number, number]} */ [x, y]) => /** @type {[number, number]} */ ([rect.x + x * rect.width, rect.y + y * rect.height]);
  for (const zone of zones) {
    const points = zone.polygon.map(at);
    const count = occupancy[String(zone.id)] ?? 0;
    trace(context, points, true);
    context.fillStyle = count ? "rgb(79 209 197 / 20%)" : "rgb(79 209 197 / 8%)";
    context.fill();
    context.setLineDash([6, 4]);
    stroke(context, ZONE, 1.5);
    context.setLineDash([]);
    if (type.detail === 0) continue;
    const text = count ? `${zone.name} · ${count}` : zone.name;
    const width = widthOf(context, text, type) + 8;
    const [x, y] = upperLeftOf(points);
    drawTag(context, text, x, y, width, ZONE, type);
  }
  for (const line of lines) {
    const [from, to] = line.points.map(at);
    if (!from || !to) continue;
    trace(context, [from, to], false);
    stroke(context, LINE, 2.5);
    drawArrow(context, from, to);
    if (type.detail === 0) continue;
    const width = widthOf(context, line.name, type) + 8;
    drawTag(context, line.name, from[0] + 4, from[1] + 4, width, LINE, type);
  }
}

/** Across the line, from its left to its right as one goes along it: that way is forward.
 * @param {CanvasRenderingContext2D} context @param {[number, number]} from @param {[number, number]} to */
function drawArrow(context, from, to) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy);
  if (length < 1) return;
  // With y pointing down, right of the way is (-dy, dx).
  const [nx, ny] = [-dy / length, dx / length];
  const [mx, my] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const reach = Math.min(26, Math.max(12, length / 5));
  const tip = /** @type {[number, number]} */ ([mx + nx * reach, my + ny * reach]);
  trace(context, [[mx - nx * reach * 0.4, my - ny * reach * 0.4], tip], false);
  stroke(context, LINE, 2.5);
  const [bx, by] = [tip[0] - nx * 7, tip[1] - ny * 7];
  trace(context, [[bx - ny * 5, by + nx * 5], tip, [bx + ny * 5, by - nx * 5]], false);
  stroke(context, LINE, 2.5);
}

/** @param {CanvasRenderingContext2D} context @param {[number, number][]} points @param {boolean} closed */
function trace(context, points, closed) {
  context.beginPath();
  points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (closed) context.closePath();
}

/** @param {CanvasRenderingContext2D} context @param {string} color @param {number} width */
function stroke(context, color, width) {
  context.lineWidth = width + 1.5;
  context.strokeStyle = "rgb(0 0 0 / 40%)";
  context.stroke();
  context.lineWidth = width;
  context.strokeStyle = color;
  context.stroke();
}

/** The corner that a name is written at. @param {[number, number][]} points @returns {[number, number]} */
function upperLeftOf(points) {
  return points.reduce((best, point) => (point[0] + point[1] < best[0] + best[1] ? point : best), points[0] ?? [0, 0]);
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {Type} type */
function widthOf(context, text, type) {
  const key = `${type.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size >= MOST_WIDTHS) widths.clear();
    context.font = type.font;
    width = Math.ceil(context.measureText(text).width);
    widths.set(key, width);
  }
  return width;
}

/**
 * Above the box, or where no other label lies: below it, or inside it.
 * @param {readonly [number, number, number, number]} box @param {number} width @param {number} height
 * @param {Rect} rect @param {[number, number, number, number][]} taken @returns {[number, number]}
 */
function roomFor([x, y, , boxHeight], width, height, rect, taken) {
  const left = Math.max(rect.x, Math.min(x - 1, rect.x + rect.width - width));
  const lowest = rect.y + rect.height - height;
  const highest = Math.max(rect.y, HEAD);
  const tops = [y - height - 1, y + boxHeight + 1, y + 1].map((top) => Math.min(lowest, Math.max(highest, top)));
  const isFree = (/** @type {number} */ top) => taken.every(
    ([l, t, w, h]) => left >= l + w || l >= left + width || top >= t + h || t >= top + height,
  );
  const top = tops.find(isFree) ?? tops[0];
  taken.push([left, top, width, height]);
  return [left, top];
}

/**
 * @param {CanvasRenderingContext2D} context @param {string} text @param {number} left @param {number} top
 * @param {number} width @param {string} fill @param {Type} type
 */
function drawTag(context, text, left, top, width, fill, type) {
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(left, top, width, type.height, 3);
  context.fill();
  context.font = type.font;
  context.textBaseline = "middle";
  context.fillStyle = inkOn(fill);
  context.fillText(text, left + 4, top + type.height / 2 + 0.5);
}
