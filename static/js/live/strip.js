/** The figures of all cameras together in one line, and those of each in a table below it. */

import { html, need } from "../dom.js";
import { colorOf } from "./draw.js";
import { one } from "./format.js";
import { drawLatency } from "./latency.js";
import { remember, remembered } from "./remembered.js";
import { standingOf } from "./states.js";

/** @typedef {import("./dashboard.js").Stats} Stats */
/** @typedef {import("./dashboard.js").CameraStats} CameraStats */
/** @typedef {import("./cameras.js").CameraSetup} CameraSetup */

const MOST_CLASSES = 6;

/** @param {HTMLElement} root of the page @param {import("./cameras.js").Cameras} cameras */
export function showStrip(root, cameras) {
  const strip = need("#strip", root);
  const table = need("#figures-table", root);
  const button = need("[data-figures]", strip);
  /** @type {Stats | null} */
  let newest = null;

  function open(/** @type {boolean} */ isOpen) {
    table.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen && newest) fillTable(table, newest, cameras);
  }
  button.addEventListener("click", () => {
    open(table.hidden);
    remember("figures", table.hidden ? "off" : "on");
  });
  cameras.addEventListener("stats", (event) => {
    newest = /** @type {CustomEvent<Stats>} */ (event).detail;
    fillStrip(strip, newest);
    if (!table.hidden) fillTable(table, newest, cameras);
  });
  return (/** @type {Stats} */ first) => {
    newest = first;
    fillStrip(strip, first);
    open(remembered("figures", "off") === "on");
  };
}

/** @param {HTMLElement} strip @param {Stats} stats */
function fillStrip(strip, { global }) {
  need("[data-live]", strip).textContent = String(global.live);
  need("[data-cameras]", strip).textContent = String(global.cameras);
  need("[data-fps]", strip).textContent = one(global.fps.processed);
  const age = global.age_ms.p95 ?? 0;
  need("[data-age]", strip).textContent = age < 1000 ? String(Math.round(age)) : one(age / 1000);
  need("[data-age-unit]", strip).textContent = age < 1000 ? " ms" : " s";
  drawLatency(strip, global.ms);
  const counts = Object.entries(global.counts).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  const chips = counts.slice(0, MOST_CLASSES).map(([name, count]) => {
    const dot = html("i", { class: "live-dot" });
    dot.style.setProperty("--c", colorOf(name));
    return html("span", { class: "chip" }, dot, `${name.replaceAll("_", " ")} `, html("b", {}, String(count)));
  });
  if (counts.length > MOST_CLASSES) chips.push(html("span", { class: "chip" }, `+${counts.length - MOST_CLASSES}`));
  need("[data-counts]", strip).replaceChildren(...chips);
}

/** @param {HTMLElement} table @param {Stats} stats @param {import("./cameras.js").Cameras} cameras */
function fillTable(table, stats, cameras) {
  const rows = stats.cameras.map((camera) => row(camera, cameras.setups.get(camera.id)));
  const body = need("[data-figures-rows]", table);
  // A link that has the focus keeps it.
  const held = document.activeElement instanceof HTMLAnchorElement && body.contains(document.activeElement) ? document.activeElement.pathname : "";
  body.replaceChildren(...rows);
  if (held) [...body.querySelectorAll("a")].find((link) => link.pathname === held)?.focus();
}

/** @param {CameraStats} camera @param {CameraSetup | undefined} setup */
function row(camera, setup) {
  const { fps, age_ms: age, ms } = camera;
  const standing = standingOf({ ...camera, enabled: setup?.enabled ?? true });
  const objects = Object.values(camera.counts).reduce((sum, count) => sum + count, 0);
  const numbers = [fps.in, fps.processed, fps.gated, fps.dropped].map(one)
    .concat([age.p50, age.p95].map(round))
    .concat([ms.decode, ms.wait, ms.detect, ms.track, ms.total].map(one), String(objects));
  return html("tr", {},
    html("th", { scope: "row" }, setup ? html("a", { href: setup.url }, camera.name) : camera.name),
    html("td", {}, html("span", { class: "tile-badge", "data-tone": standing.tone }, standing.label)),
    ...numbers.map((text) => html("td", {}, text)));
}

/** @param {number | undefined} value */
function round(value) {
  return value === undefined ? "–" : String(Math.round(value));
}
