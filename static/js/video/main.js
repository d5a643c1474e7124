/**
 * The page of a video. While the work goes on it shows the newest frame; when it is done, the result
 * is fetched and put in place, and the page becomes the player.
 */

import { need, readJson } from "../dom.js";
import { onNews, Watcher } from "../events.js";
import { request } from "../http.js";
import { initOptions } from "../options.js";
import { listenToRename } from "../result/rename.js";
import { toast } from "../toast.js";
import { LivePicture, paintProgress, showProgress } from "./live.js";
import { showResult } from "./result.js";

const root = need("#video");
// Not the title: somebody may be typing another one.
const PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#video-body"];
const ACCESS_PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#result-head .title-edit", "#share-dialog"];
const isOpen = () => root.dataset.status === "queued" || root.dataset.status === "running";
/** @type {LivePicture | null} */
let live = null;

function show() {
  live?.stop();
  live = null;
  if (root.dataset.status === "done") {
    showResult(root, readJson("video-data", root)).catch((error) => toast(error.message, { error: true }));
    return;
  }
  const bar = /** @type {HTMLElement | null} */ (root.querySelector("[data-progress]"));
  if (bar) paintProgress(bar, Number(bar.dataset.value));
  if (!isOpen()) return;
  live = new LivePicture(need("#live", root));
  live.start();
}

/** @param {import("../events.js").SessionNews} news */
function follow(news) {
  if (news.type === "session.deleted") location.assign(root.dataset.sessionsUrl ?? "/");
  else if (news.status === "queued" || news.status === "running") showProgress(root, news);
  else void refresh();
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
    root.dataset.status = fresh.getElementById("video")?.dataset.status ?? "done";
    show();
  } catch (error) {
    toast(/** @type {Error} */ (error).message, { error: true });
  }
}

listenToRename(root);
for (const element of document.querySelectorAll("[data-options]")) initOptions(/** @type {HTMLElement} */ (element));
show();
if (isOpen()) new Watcher().watch(root.dataset.id ?? "", follow);
onNews((news) => {
  if (news.type === "groups" || (news.type === "session.access" && news.id === root.dataset.id)) void refreshAccess();
});
