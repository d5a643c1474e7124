/**
 * The page of a painting. While it is painted its newest state is right of the bar, the original left;
 * when it is done, what has changed is fetched and put in place, and the bar stays where it is.
 */

import { need, readJson } from "../dom.js";
import { onNews } from "../events.js";
import { fetchParts, refreshAccess } from "../parts.js";
import { listenToRename } from "../result/rename.js";
import { toast } from "../toast.js";
import { Curve } from "./curve.js";
import { follow } from "./follow.js";
import { LivePainting } from "./live.js";
import { Progress } from "./progress.js";
import { Compare } from "./slider.js";
import { playTogether } from "./videos.js";

const root = need("#painting");
const results = root.dataset.resultsUrl ?? "/";
// Not the title: somebody may be typing another one.
const PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#painting-body"];
const RETRY_MS = 5000;
const isOpen = (/** @type {string | undefined} */ status) => status === "queued" || status === "running";
/** @type {Compare | null} */
let compare = null;
/** @type {Curve | null} */
let curve = null;
/** @type {LivePainting | null} */
let live = null;
/** @type {Progress | null} */
let progress = null;
let stop = () => {};
let refreshing = false;
let complained = false;
let leaving = false;

/** It is gone. Who has deleted it here is being led away already, with a message. */
function leave() {
  if (!leaving) location.assign(results);
}

function show() {
  const state = readJson("painting-state", root);
  const at = compare?.at ?? 50;
  const [slider, graph] = [root.querySelector("[data-compare]"), root.querySelector("[data-curve]")];
  compare = slider instanceof HTMLElement ? new Compare(slider) : null;
  if (compare) compare.at = at;
  curve = graph instanceof HTMLElement ? new Curve(graph, isOpen(state.status) ? state.steps : 0) : null;
  curve?.add(state.losses);
  playTogether(root);
  progress = null;
  if (!isOpen(state.status)) return;
  progress = new Progress(root, state);
  stop = follow({
    id: state.id,
    url: root.dataset.stateUrl ?? "",
    onState: (news) => hear(news),
    onStep: (news) => hear({ ...news, status: "running" }),
    onPlace: (news) => progress?.hear({ place: news.place, seconds: news.seconds }),
    onGone: leave,
  });
  look(state.status);
}

/** News, or the whole state: whatever of it is there. @param {any} news */
function hear(news) {
  if (!isOpen(news.status)) { void refresh(); return; }
  root.dataset.status = news.status;
  progress?.hear(news);
  if (news.losses) curve?.add(news.losses);
  look(news.status);
  live?.hear(news.preview);
}

/** @param {string} status */
function look(status) {
  if (live || status !== "running") return;
  live = new LivePainting(root.dataset.liveUrl ?? "", async (url) => {
    if (compare) await compare.showAfter(url);
    else /** @type {HTMLImageElement | null} */ (root.querySelector("[data-live]"))?.setAttribute("src", url);
    for (const tag of root.querySelectorAll("[data-live-tag]")) tag.removeAttribute("hidden");
  });
}

/** Have the browser hold the result before it takes the place of its last preview. */
async function fetchResult() {
  if (!compare) return;
  const image = new Image();
  image.src = root.dataset.resultUrl ?? "";
  await image.decode();
}

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  stop();
  live?.stop();
  try {
    const state = await (await fetch(root.dataset.stateUrl ?? "", { headers: { Accept: "application/json" } })).json();
    if (state.has_result) await fetchResult().catch(() => { /* The page says what there is. */ });
    const fresh = await fetchParts(PARTS, { gone: results });
    if (!fresh) return;
    live = null;
    complained = false;
    root.dataset.status = fresh.getElementById("painting")?.dataset.status ?? "done";
    show();
  } catch (error) {
    if (!complained) toast(/** @type {Error} */ (error).message, { error: true });
    complained = true;
    window.setTimeout(() => void refresh(), RETRY_MS);
  } finally {
    refreshing = false;
  }
}

listenToRename(root);
document.querySelector("#delete-dialog form")?.addEventListener("submit", () => { leaving = true; });
show();
onNews((news) => {
  if (news.type === "groups" || (news.type === "restyling.access" && news.id === root.dataset.id)) void refreshAccess(results);
  // One that is finished may be deleted, or tried again, in another window.
  if (news.id !== root.dataset.id || isOpen(root.dataset.status)) return;
  if (news.type === "restyling.deleted") leave();
  if (news.type === "restyling" && isOpen(news.status)) void refresh();
});
