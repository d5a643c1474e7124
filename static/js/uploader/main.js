/** The uploader: the drop zone, the options and the list of what was dropped. */

import { need, plural } from "../dom.js";
import { initOptions, optionsConfig } from "../options.js";
import { takeFiles } from "./intake.js";
import { kindOf } from "./kinds.js";
import { isOpen, UploadQueue } from "./queue.js";
import { Row } from "./row.js";

const config = optionsConfig();
const form = /** @type {HTMLFormElement} */ (need("#upload-form"));
const formKind = form.dataset.kind === "video" ? "video" : "image";
const section = need("#queue");
const list = need("#queue-list");
const summary = need("#queue-summary");
/** @type {Map<import("./queue.js").Item, Row>} */
const rows = new Map();
let scheduled = false;
let leaving = false;

const queue = new UploadQueue(judge, (item) => {
  rows.get(item)?.update();
  if (item.session && queue.items.length === 1 && item.state === "queued" && !leaving) {
    // Once: news of the job may come before the page is left, and would begin the way anew.
    leaving = true;
    location.assign(item.session.url);
  }
  schedule();
});

/** @param {File} file @returns {string} */
function judge(file) {
  const isVideo = kindOf(file, formKind) === "video";
  if (file.size === 0) return config.messages.empty_file;
  if (file.size <= (isVideo ? config.max_video_bytes : config.max_bytes)) return "";
  const mib = file.size / 2 ** 20;
  const sentence = isVideo ? config.messages.video_too_large : config.messages.file_too_large;
  return sentence.replace("{size}", mib < 1000 ? mib.toPrecision(3) : mib.toFixed(0));
}

/** What the form says; a file of the other kind goes with the defaults. @param {File} file @returns {import("./queue.js").Route} */
function routeOf(file) {
  const kind = kindOf(file, formKind);
  const url = (kind === "video" ? form.dataset.videoUrl : form.dataset.imageUrl) ?? form.action;
  return { kind, url, options: kind === formKind ? chosenOptions() : [] };
}

/** @returns {[string, string][]} */
function chosenOptions() {
  /** @type {[string, string][]} */
  const chosen = [];
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && name !== "csrfmiddlewaretoken") chosen.push([name, value]);
  }
  return chosen;
}

/** @param {File[]} files */
function add(files) {
  if (!files.length) return;
  const fragment = document.createDocumentFragment();
  for (const item of queue.add(files, routeOf)) {
    const row = new Row(item);
    rows.set(item, row);
    fragment.append(row.element);
  }
  list.append(fragment);
  section.hidden = false;
  section.scrollIntoView({ block: "nearest", behavior: "smooth" });
  schedule();
}

/** The summary is redrawn once per frame, however many files report. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; summarise(); });
}

function summarise() {
  const { items } = queue;
  section.hidden = items.length === 0;
  const done = items.filter((item) => item.state === "done").length;
  const failed = items.filter((item) => item.state === "failed").length;
  const open = items.filter(isOpen).length;
  const kinds = new Set(items.map((item) => item.route.kind));
  const word = kinds.size > 1 ? "file" : kinds.has("video") ? "video" : "picture";
  const parts = [];
  if (open) parts.push(`${done} of ${plural(items.length, word)} done`);
  else if (done) parts.push(`${plural(done, word)} done`);
  if (failed) parts.push(parts.length ? `${failed} failed` : `${plural(failed, word)} failed`);
  const text = parts.join(" · ") || "Cancelled";
  if (summary.textContent !== text) summary.textContent = text;
  button("cancel").hidden = open < 2;
  button("clear").hidden = open === items.length;
  button("retry").hidden = !items.some((item) => item.state === "failed" && !item.final);
}

/** @param {string} name @returns {HTMLButtonElement} */
function button(name) {
  return /** @type {HTMLButtonElement} */ (need(`[data-queue="${name}"]`));
}

/** @param {import("./queue.js").Item} item */
function remove(item) {
  queue.forget(item);
  rows.get(item)?.remove();
  rows.delete(item);
}

list.addEventListener("click", (event) => {
  const act = event.target instanceof Element ? event.target.closest("[data-act]") : null;
  const row = act?.closest(".upload");
  const item = queue.items.find((candidate) => rows.get(candidate)?.element === row);
  if (!act || !item) return;
  if (act.getAttribute("data-act") === "retry") void queue.retry(item);
  else if (isOpen(item)) queue.cancel(item);
  else {
    remove(item);
    schedule();
  }
});

section.addEventListener("click", (event) => {
  const pressed = event.target instanceof Element ? event.target.closest("[data-queue]") : null;
  const name = pressed?.getAttribute("data-queue");
  const failed = queue.items.filter((item) => item.state === "failed");
  if (name === "cancel") queue.items.filter(isOpen).forEach((item) => queue.cancel(item));
  if (name === "retry") failed.forEach((item) => void queue.retry(item));
  if (name === "clear") queue.items.filter((item) => !isOpen(item)).forEach(remove);
  schedule();
});

// Back from the result: a page that was kept in memory can upload again.
window.addEventListener("pageshow", () => { leaving = false; });

// Leaving while bytes are on their way loses them.
window.addEventListener("beforeunload", (event) => {
  if (queue.items.some((item) => item.state === "uploading" || item.state === "waiting")) event.preventDefault();
});

form.addEventListener("submit", (event) => event.preventDefault());
initOptions(need("[data-options]", form));
takeFiles({
  inputs: [need("#upload-input"), need("#upload-camera")],
  veil: need("#drop-veil"),
  onFiles: add,
});
