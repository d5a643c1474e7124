/**
 * The page of a video. While the work goes on it shows the newest frame; when it is done, the result
 * is fetched and put in place, and the page becomes the player.
 */

import { need, readJson } from "../dom.js";
import { onNews, Watcher } from "../events.js";
import { initOptions } from "../options.js";
import { listenToRename } from "../result/rename.js";
import { fetchParts, refreshAccess } from "../parts.js";
import { toast } from "../toast.js";
import { LivePicture, paintProgress, showProgress } from "./live.js";
import { showResult } from "./result.js";

const root = need("#video");
const sessionsUrl = root.dataset.sessionsUrl ?? "/";
// Not the title: somebody may be typing another one.
const PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#video-body"];
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
  if (news.type === "session.deleted") location.assign(sessionsUrl);
  else if (news.status === "queued" || news.status === "running") showProgress(root, news);
  else void refresh();
}

async function refresh() {
  try {
    const fresh = await fetchParts(PARTS, { gone: sessionsUrl });
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
  if (news.type === "groups" || (news.type === "session.access" && news.id === root.dataset.id)) void refreshAccess(sessionsUrl);
});
