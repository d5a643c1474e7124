/** The lanes of the timeline: what lies in them, and in which rows, without the page. */

import { words } from "./format.js";

const MOST_OPEN = 40; // a class with more tracks begins folded
const EVENT_COLORS = ["--lane-1", "--lane-2", "--lane-3", "--lane-4", "--lane-5", "--lane-6"];

/** @typedef {{start: number, end: number, color: string, track: number | null, row: number, title: string}} Bar */
/** @typedef {{id: string, name: string, color: string, bars: Bar[], rows: number, isOpen: boolean,
 *             className: string | null, most: number}} Lane */

/** @param {import("./model.js").VideoModel} model @returns {Lane[]} */
export function buildLanes(model) {
  return [...trackLanes(model), ...eventLanes(model)];
}

/** @param {import("./model.js").VideoModel} model @returns {Lane[]} */
function trackLanes(model) {
  /** @type {Map<string, Bar[]>} */
  const byClass = new Map(model.classes.map((item) => [item.name, []]));
  for (const track of model.tracks) {
    byClass.get(track.class)?.push({
      start: track.start, end: track.end, color: track.color, track: track.n, row: 0, title: `${track.class} ${track.n}`,
    });
  }
  return model.classes.map((item) => {
    const bars = byClass.get(item.name) ?? [];
    return lane(`class-${item.name}`, item.name, item.color, bars, bars.length <= MOST_OPEN, item.name);
  });
}

/** @param {import("./model.js").VideoModel} model @returns {Lane[]} */
function eventLanes(model) {
  /** @type {Map<string, Bar[]>} */
  const byLabel = new Map();
  for (const event of model.events) {
    const label = event.kind === "motion" ? "motion" : event.label;
    const title = event.tracks.length ? `${words(label)}: ${event.tracks.join(", ")}` : words(label);
    const bar = {
      start: event.start, end: event.end, color: "", track: event.tracks.length === 1 ? event.tracks[0] : null, row: 0, title,
    };
    const known = byLabel.get(label);
    if (known) known.push(bar);
    else byLabel.set(label, [bar]);
  }
  // Motion first: it is not one of the things that people do.
  const labels = [...byLabel.keys()].sort((a, b) => Number(b === "motion") - Number(a === "motion") || a.localeCompare(b));
  return labels.map((label, index) => {
    const color = `var(${EVENT_COLORS[index % EVENT_COLORS.length]})`;
    const bars = /** @type {Bar[]} */ (byLabel.get(label));
    for (const bar of bars) bar.color = color;
    return lane(`event-${label}`, words(label), color, bars, false, null);
  });
}

/** @param {string} id @param {string} name @param {string} color @param {Bar[]} bars @param {boolean} isOpen @param {string | null} className @returns {Lane} */
function lane(id, name, color, bars, isOpen, className) {
  bars.sort((a, b) => a.start - b.start);
  return { id, name, color, bars, rows: pack(bars), isOpen, className, most: mostAtOnce(bars) };
}

/** Put each bar into the first row that is free. @param {Bar[]} bars by start @returns {number} rows */
function pack(bars) {
  /** @type {number[]} */
  const ends = [];
  for (const bar of bars) {
    let row = ends.findIndex((end) => end <= bar.start);
    if (row < 0) row = ends.length;
    ends[row] = bar.end;
    bar.row = row;
  }
  return Math.max(1, ends.length);
}

/** @param {Bar[]} bars @returns {number} */
function mostAtOnce(bars) {
  const steps = bars.flatMap((bar) => [[bar.start, 1], [bar.end, -1]]);
  steps.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let [now, most] = [0, 0];
  for (const [, change] of steps) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
