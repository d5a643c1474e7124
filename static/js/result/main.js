/**
 * The result page. While the job runs the picture is already on the stage; when it is done, buttons,
 * panel and data are fetched and put in place, and the boxes appear over the picture that stays.
 */

import { need, readJson } from "../dom.js";
import { onNews, Watcher } from "../events.js";
import { request } from "../http.js";
import { initOptions } from "../options.js";
import { toast } from "../toast.js";
import { listenToGestures } from "./gestures.js";
import { ResultModel } from "./model.js";
import { Overlay } from "./overlay.js";
import { fillPanel } from "./panel.js";
import { listenToRename } from "./rename.js";
import { ObjectTable } from "./table.js";
import { Viewport } from "./viewport.js";

const root = need("#result");
const stage = need("#stage");
const picture = /** @type {HTMLImageElement} */ (need("#picture"));
const layer = /** @type {SVGElement} */ (/** @type {unknown} */ (need("#overlay")));
const size = { width: Number(stage.dataset.width), height: Number(stage.dataset.height) };
// Not the title: somebody may be typing another one.
const PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#panel", "#session-data"];
const ACCESS_PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#result-head .title-edit", "#share-dialog"];
const viewport = new Viewport(stage, picture, layer, size);
/** @type {ResultModel | null} */
let model = null;

function showResult() {
  const data = readJson("session-data");
  if (!data) return;
  performance.mark("result-start");
  model = new ResultModel(data);
  new Overlay(layer, model, viewport);
  if (data.objects.length) {
    fillPanel(need("#panel"), model, layer);
    new ObjectTable(need("#objects"), model);
  }
  layer.classList.add("is-ready");
  performance.measure("result-ready", "result-start");
}

/** @param {import("../events.js").SessionNews} news */
function follow(news) {
  if (news.type === "session.deleted") {
    location.assign(root.dataset.sessionsUrl ?? "/");
    return;
  }
  if (news.status !== "queued" && news.status !== "running") {
    void refresh();
    return;
  }
  const status = need(".result-meta .status", root);
  status.className = `status is-${news.status}`;
  status.textContent = news.status === "running" ? "Running" : "Queued";
  const bar = root.querySelector("[data-progress]");
  if (!bar) return;
  bar.classList.toggle("is-waiting", !news.progress);
  /** @type {HTMLElement} */ (need("span", bar)).style.setProperty("--value", String(news.progress ?? 0));
  const text = need("[data-progress-text]");
  // Somebody who has cancelled wants to know that it is being done.
  if (text.dataset.progressText === "cancelling") return;
  text.textContent = news.status === "queued" ? "Waiting in the queue" : news.message || "Finding objects";
}

/** @param {string[]} parts @returns {Promise<Document | null>} null when the session cannot be seen any more */
async function fetchParts(parts) {
  /** @type {Document} */
  let fresh;
  try {
    const text = await (await request(location.pathname, { accept: "text/html" })).text();
    fresh = new DOMParser().parseFromString(text, "text/html");
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status !== 404) throw error;
    location.assign(root.dataset.sessionsUrl ?? "/");
    return null;
  }
  for (const selector of parts) {
    const [old, next] = [document.querySelector(selector), fresh.querySelector(selector)];
    if (next) old?.replaceWith(document.adoptNode(next));
    else if (parts === ACCESS_PARTS) old?.remove();
  }
  return fresh;
}

/** Who may do what has changed: the page says so, and what was found stays as it is shown. */
async function refreshAccess() {
  if (document.querySelector("dialog[open]")) return;
  await fetchParts(ACCESS_PARTS).catch(() => { /* The next click is told. */ });
}

async function refresh() {
  try {
    const fresh = await fetchParts(PARTS);
    if (!fresh) return;
    root.dataset.status = fresh.getElementById("result")?.dataset.status ?? "done";
    showResult();
  } catch (error) {
    toast(/** @type {Error} */ (error).message, { error: true });
  }
}

need("#zoom").addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-zoom]") : null;
  const name = button?.getAttribute("data-zoom");
  if (name === "in") viewport.step(1);
  if (name === "out") viewport.step(-1);
  if (name === "fit") viewport.fit();
});
const scaleText = need("#scale");
const showScale = () => { scaleText.textContent = `${Math.round(viewport.view.scale * 100)}%`; };
viewport.addEventListener("change", showScale);
showScale();
// A format that this browser cannot show: the small JPEG of the server is better than a gap.
picture.addEventListener("error", () => { picture.src = picture.dataset.fallback ?? ""; }, { once: true });

listenToGestures(stage, viewport, () => model?.select(null));
listenToRename(root);
for (const element of document.querySelectorAll("[data-options]")) initOptions(/** @type {HTMLElement} */ (element));
showResult();
if (root.dataset.status === "queued" || root.dataset.status === "running") {
  new Watcher().watch(root.dataset.id ?? "", follow);
}
onNews((news) => {
  if (news.type === "groups" || (news.type === "session.access" && news.id === root.dataset.id)) void refreshAccess();
});
