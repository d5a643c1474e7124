/** The result of a video: film, overlay, timeline, panel, all around one model. */

import { html, need } from "../dom.js";
import { getJson } from "../http.js";
import { inkOn } from "../result/overlay.js";
import { videoCharts } from "./charts.js";
import { listHappenings } from "./happenings.js";
import { VideoModel } from "./model.js";
import { FilmOverlay } from "./overlay.js";
import { Player } from "./player.js";
import { Positions } from "./positions.js";
import { TrackTable } from "./table.js";
import { initTabs } from "./tabs.js";
import { Timeline } from "./timeline.js";

const STACKED = "(max-width: 60rem)";

/** @param {HTMLElement} root @param {import("./model.js").VideoData} data */
export async function showResult(root, data) {
  performance.mark("video-start");
  const player = new Player(need("#player", root), data);
  const found = await getJson(data.urls.tracks ?? "");
  const model = new VideoModel(data, found);
  const positions = new Positions(data.urls.overlay ?? "", data.duration);
  new FilmOverlay(/** @type {HTMLCanvasElement} */ (need("#overlay", root)), model, positions, player);
  new Timeline(need("#timeline", root), model, player);

  const panel = need("#panel", root);
  const charts = lazily(() => videoCharts(need("#pane-charts", panel), model, player));
  initTabs(panel, (pane) => { if (pane === "pane-charts") charts(); });
  keepCharts(charts, panel);
  layers(panel, model, root);
  const noOverlay = () => {
    // What is drawn into the film cannot be taken out of it; the heat map lies above.
    for (const input of panel.querySelectorAll('[data-layer]:not([data-layer="heat"])')) {
      /** @type {HTMLInputElement} */ (input).disabled = true;
    }
  };
  if (!player.hasOverlay) noOverlay();
  player.addEventListener("fallback", noOverlay);
  if (panel.querySelector("[data-classes]")) classes(panel, model);

  const goTo = (/** @type {number} */ time) => {
    player.seek(time);
    // Where the panel lies under the film, the film comes into sight.
    if (matchMedia(STACKED).matches) player.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  new TrackTable(need("#pane-tracks", panel), model, (track) => {
    model.select(track.n, { from: "table" });
    goTo(track.start);
  });
  listHappenings(need("#pane-events", panel), model, (event) => {
    model.select(event.tracks[0] ?? null, { from: "events" });
    goTo(event.start);
  });
  panel.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-seek-to]") : null;
    if (!(button instanceof HTMLElement)) return;
    model.select(Number(button.dataset.track), { from: "people" });
    goTo(Number(button.dataset.seekTo));
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && model.selected !== null && !document.querySelector("dialog[open], .menu[open]")) model.select(null);
  });
  need("[data-event-count]", panel).textContent = model.events.length.toLocaleString("en");
  root.classList.add("is-ready");
  performance.measure("video-ready", "video-start");
}

/** @template T @param {() => () => T} make @returns {() => T} */
function lazily(make) {
  /** @type {(() => T) | null} */
  let made = null;
  return () => (made ??= make())();
}

/** Other colours are drawn anew, where charts are looked at. @param {() => void} draw @param {HTMLElement} panel */
function keepCharts(draw, panel) {
  const again = () => { if (!need("#pane-charts", panel).hidden) draw(); };
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}

/** @param {HTMLElement} panel @param {VideoModel} model @param {HTMLElement} root */
function layers(panel, model, root) {
  const heat = /** @type {HTMLImageElement | null} */ (root.querySelector("#heat"));
  panel.querySelector("[data-layers]")?.addEventListener("change", (event) => {
    const { dataset, checked } = /** @type {HTMLInputElement} */ (event.target);
    if (!dataset.layer) return;
    model.showLayer(/** @type {import("./model.js").Layer} */ (dataset.layer), checked);
    if (dataset.layer !== "heat" || !heat) return;
    heat.src = heat.src || heat.dataset.src || "";
    heat.hidden = !checked;
  });
}

/** @param {HTMLElement} panel @param {VideoModel} model */
function classes(panel, model) {
  const list = need("[data-classes]", panel);
  /** @type {Map<string, HTMLInputElement>} */
  const inputs = new Map();
  for (const item of model.classes) {
    const attributes = { type: "checkbox", class: "class-toggle", value: item.name, checked: true, autocomplete: "off" };
    const input = /** @type {HTMLInputElement} */ (html("input", attributes));
    const row = html("label", { class: "class-row" }, input, html("span", { class: "class-name" }, item.name),
      html("span", { class: "class-count num" }, item.count.toLocaleString("en")));
    row.style.setProperty("--c", item.color);
    row.style.setProperty("--ink", inkOn(item.color));
    inputs.set(item.name, input);
    list.append(html("li", {}, row));
  }
  list.addEventListener("change", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    model.showClass(input.value, input.checked);
  });
  need("[data-all]", panel).addEventListener("click", () => model.showAll(true));
  need("[data-no]", panel).addEventListener("click", () => model.showAll(false));
  model.addEventListener("filter", () => {
    for (const [name, input] of inputs) input.checked = !model.hidden.has(name);
  });
}
