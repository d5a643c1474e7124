/**
 * Geometry of zones and lines: points are shares 0..1 of the picture, y grows downwards. No element of
 * the page is known here. What is judged is judged again by the server, by the same rules.
 */

/** @typedef {[number, number]} Point */
/** @typedef {{fewest: number, most: number, area: number, length: number}} Limits */
/** @typedef {{width: number, height: number}} Size */

const TOUCH = 1e-4;
const STEPS = 10_000;

/** @param {number} value @returns {number} within 0..1, to a ten-thousandth */
export function held(value) {
  return Math.round(Math.min(1, Math.max(0, value)) * STEPS) / STEPS;
}

/** @param {Point} point @returns {Point} */
export function heldPoint([x, y]) {
  return [held(x), held(y)];
}

/** Moves a shape as a whole; it stops at the border and keeps its form. @param {Point[]} points @param {Point} by @returns {Point[]} */
export function moved(points, [dx, dy]) {
  const room = (/** @type {number} */ axis, /** @type {number} */ wanted) => {
    const values = points.map((point) => point[axis]);
    return Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), wanted));
  };
  const [x, y] = [room(0, dx), room(1, dy)];
  return points.map((point) => heldPoint([point[0] + x, point[1] + y]));
}

/** @param {Point[]} points @param {number} index @param {Point} to @returns {Point[]} */
export function withPoint(points, index, to) {
  return points.map((point, at) => (at === index ? heldPoint(to) : point));
}

/** A new point after another one. @param {Point[]} points @param {number} index @param {Point} point @returns {Point[]} */
export function inserted(points, index, point) {
  return [...points.slice(0, index + 1), heldPoint(point), ...points.slice(index + 1)];
}

/** @param {Point} a @param {Point} b @returns {Point} */
export function between(a, b) {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** The middle of every edge; edge i leads from point i to the next. @param {Point[]} points @returns {Point[]} */
export function middles(points) {
  return points.map((point, at) => between(point, points[(at + 1) % points.length]));
}

/** Half the sum of cross products; its sign tells the direction. @param {Point[]} points */
export function area(points) {
  let sum = 0;
  points.forEach(([x, y], at) => {
    const [nextX, nextY] = points[(at + 1) % points.length];
    sum += x * nextY - nextX * y;
  });
  return Math.abs(sum) / 2;
}

/** @param {Point} a @param {Point} b @param {Size} [size] in pixels of the screen */
export function distance(a, b, { width, height } = { width: 1, height: 1 }) {
  return Math.hypot((a[0] - b[0]) * width, (a[1] - b[1]) * height);
}

/** @param {Point} point @param {Point} a @param {Point} b how far the point is from the edge between a and b */
function distanceToEdge(point, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const share = length ? ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length : 0;
  const t = Math.min(1, Math.max(0, share));
  return distance(point, [a[0] + t * dx, a[1] + t * dy]);
}

/** On which side of the line from a to b. @param {Point} a @param {Point} b @param {Point} point */
function side(a, b, point) {
  return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]);
}

/** Whether two edges cross within both. @param {Point} a @param {Point} b @param {Point} c @param {Point} d */
function cross(a, b, c, d) {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/**
 * The first pair of places that makes something true.
 * @param {number} count @param {(one: number, other: number) => boolean} test
 * @returns {[number, number] | null}
 */
function firstPair(count, test) {
  for (let one = 0; one < count; one += 1) {
    for (let other = 0; other < count; other += 1) {
      if (one !== other && test(one, other)) return [one, other];
    }
  }
  return null;
}

/** What is wrong with the edges of a zone, in a sentence. @param {Point[]} points */
function edgeProblem(points) {
  const count = points.length;
  const end = (/** @type {number} */ at) => points[(at + 1) % count];
  const edge = (/** @type {number} */ at) => `${at + 1}–${((at + 1) % count) + 1}`;
  const same = firstPair(count, (one, other) => distance(points[one], points[other]) < TOUCH);
  if (same) return `Points ${same[0] + 1} and ${same[1] + 1} lie on each other. Move or remove one.`;
  // An edge's own ends lie on it.
  const touching = firstPair(count, (at, corner) =>
    corner !== (at + 1) % count && distanceToEdge(points[corner], points[at], end(at)) < TOUCH);
  if (touching) return `Point ${touching[1] + 1} lies on the edge ${edge(touching[0])}. Move it away.`;
  const crossing = firstPair(count, (one, other) => cross(points[one], end(one), points[other], end(other)));
  return crossing ? `The edges ${edge(crossing[0])} and ${edge(crossing[1])} cross. Move a point.` : "";
}

/** What is wrong with a zone, in a sentence; "" when nothing is. @param {Point[]} points @param {Limits} limits */
export function polygonProblem(points, limits) {
  if (points.length < limits.fewest) return `A zone needs at least ${limits.fewest} points.`;
  if (points.length > limits.most) return `A zone has at most ${limits.most} points.`;
  const edges = edgeProblem(points);
  if (edges) return edges;
  return area(points) < limits.area ? "It is too small to watch. Draw it larger." : "";
}

/** What is wrong with a line. @param {Point[]} points @param {Limits} limits */
export function lineProblem(points, limits) {
  return distance(points[0], points[1]) < limits.length ? "It is too short to count on. Draw it longer." : "";
}

/**
 * Where the arrow of a line begins and ends, in pixels of the screen: from its middle to the right side
 * of somebody who looks along it from start to end.
 * @param {Point[]} points @param {Size} size @param {number} length pixels
 * @returns {{from: Point, to: Point, back: Point}}
 */
export function arrow([start, end], { width, height }, length) {
  const middle = between(start, end);
  const from = /** @type {Point} */ ([middle[0] * width, middle[1] * height]);
  const [dx, dy] = [(end[0] - start[0]) * width, (end[1] - start[1]) * height];
  const long = Math.hypot(dx, dy) || 1;
  const [x, y] = [(-dy / long) * length, (dx / long) * length];
  return { from, to: [from[0] + x, from[1] + y], back: [from[0] - x, from[1] - y] };
}

/** The uppermost point, the left one of two. @param {Point[]} points @returns {Point} */
export function top(points) {
  return points.reduce((best, point) =>
    point[1] < best[1] || (point[1] === best[1] && point[0] < best[0]) ? point : best);
}
