/**
 * The result page. While the job runs the picture is already on the stage; when it is done, buttons,
 * panel and data are fetched and put in place, and the boxes appear over the picture that stays.
 */

import { need, readJson } from "../dom.js";
import { onNews, Watcher } from "../events.js";
import { initOptions } from "../options.js";
import { fetchParts, refreshAccess } from "../parts.js";
import { toast } from "../toast.js";
import { listenToGestures } from "./gestures.js";
import { ResultModel } from "./model.js";
import { Overlay } from "./overlay.js";
import { fillPanel } from "./panel.js";
import { listenToRename } from "./rename.js";
import { ObjectTable } from "./table.js";
import { Viewport } from "./viewport.js";

const root = need("#result");
const sessionsUrl = root.dataset.sessionsUrl ?? "/";
const stage = need("#stage");
const picture = /** @type {HTMLImageElement} */ (need("#picture"));
const layer = /** @type {SVGElement} */ (/** @type {unknown} */ (need("#overlay")));
const size = { width: Number(stage.dataset.width), height: Number(stage.dataset.height) };
// Not the title: somebody may be typing another one.
const PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#panel", "#session-data"];
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
    location.assign(sessionsUrl);
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

async function refresh() {
  try {
    const fresh = await fetchParts(PARTS, { gone: sessionsUrl });
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
  if (news.type === "groups" || (news.type === "session.access" && news.id === root.dataset.id)) void refreshAccess(sessionsUrl);
});
