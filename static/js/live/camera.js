/** The page of one camera. */

import { html, need } from "../dom.js";
import { toast } from "../toast.js";
import { showCounts } from "./day-counts.js";
import { momentOf, one } from "./format.js";
import { fill } from "./fullscreen.js";
import { drawLatency } from "./latency.js";
import { openPage } from "./page.js";
import { peopleAt } from "./people.js";
import { remember, remembered } from "./remembered.js";
import { Tile } from "./tile.js";

const TICK_MS = 500;

/** @typedef {import("./dashboard.js").CameraStats} CameraStats */

const root = need("#camera");
const view = need("[data-view]", root);
/** @type {Tile | null} */
let tile = null;
const { cameras, dashboard, feed } = openPage(root, (lost) => {
  root.classList.toggle("is-lost", lost);
  tile?.connected(!lost);
});
const large = tile = new Tile(need("[data-camera]", view), feed);
const counts = showCounts(need(".camera-cards", root), root.dataset.countsUrl ?? "");

function show() {
  const [setup] = cameras.all;
  if (!setup) {
    // Deleted, or not for us any more.
    location.assign(root.dataset.wallUrl ?? "/live/");
    return;
  }
  const stats = cameras.stats.get(setup.id);
  large.show(setup, stats);
  need("[data-camera-name]", root).textContent = setup.name;
  need("[data-camera-area]", root).textContent = setup.area;
  if (stats?.width && stats.height) large.root.style.setProperty("--aspect", String(stats.width / stats.height));
  if (stats) showFacts(stats);
  want();
}

/** Who is recognised now, beside the name of the camera. */
function showPeople() {
  const list = need("[data-camera-people]", root);
  const people = peopleAt(large.id).map(({ name, url }) => html("a", { href: url }, name));
  list.replaceChildren(...people.flatMap((link, at) => (at ? [", ", link] : [link])));
  list.hidden = people.length === 0;
}

function want() {
  const [setup] = cameras.all;
  feed.want(setup?.enabled && !document.hidden ? [{ camera: setup.id, size: "large" }] : []);
}

/** @param {CameraStats} stats */
function showFacts(stats) {
  drawLatency(root, stats.ms);
  const counts = Object.entries(stats.counts).map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`);
  /** @type {[string, string][]} */
  const facts = [
    ["Picture", stats.width ? `${stats.width} × ${stats.height}${stats.codec ? `, ${stats.codec}` : ""}` : "–"],
    ["Frames a second", `${one(stats.fps.in)} in, ${one(stats.fps.processed)} analysed`],
    ["Left out", `${one(stats.fps.gated)} at rest, ${one(stats.fps.dropped)} dropped`],
    ["Age of a frame", `${Math.round(stats.age_ms.p50 ?? 0)} ms, 95% within ${Math.round(stats.age_ms.p95 ?? 0)} ms`],
    ["In the picture", counts.join(", ") || "nothing"],
    ["State since", momentOf(stats.since)],
  ];
  need("[data-facts]", root).replaceChildren(...facts.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))));
}

const boxes = /** @type {HTMLInputElement} */ (need("input[name=boxes]", root));
boxes.checked = remembered("boxes", "on") === "on";
large.screen.showBoxes(boxes.checked);
boxes.addEventListener("change", () => {
  remember("boxes", boxes.checked ? "on" : "off");
  large.screen.showBoxes(boxes.checked);
});
need("[data-tile-full]", view).addEventListener("click", () => fill(large.root));
need("[data-copy]", root).addEventListener("click", async ({ currentTarget }) => {
  const path = /** @type {HTMLElement} */ (currentTarget).dataset.copy ?? "";
  const address = new URL(path, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    toast("The address was copied. Whoever opens it signs in, or sends a token.");
  } catch {
    // Only secure pages may copy; the address can be read.
    toast(`Copy it from here: ${address}`);
  }
});
document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
  if (event.key === "f" || event.key === "F") fill(large.root);
  if (event.key === "b" || event.key === "B") boxes.click();
});
document.addEventListener("visibilitychange", want);
cameras.addEventListener("stats", show);
root.addEventListener("people", showPeople);
cameras.addEventListener("setup", () => { show(); counts.reload(); });
dashboard.addEventListener("events", (event) => counts.hear(/** @type {CustomEvent} */ (event).detail, large.id));
window.setInterval(() => large.tick(), TICK_MS);
show();
