/** The page on which something is to be painted: picture, style, options, a live look, and off it goes. */

import { fileSize, need, readJson } from "../dom.js";
import { toast } from "../toast.js";
import { takeFiles } from "../uploader/intake.js";
import { send } from "../uploader/transfer.js";
import { contentOf, fileFrom } from "./content.js";
import { PaintingOptions } from "./options.js";
import { StylePicker } from "./picker.js";
import { Preview, reduced } from "./preview.js";
import { Compare } from "./slider.js";

/** @typedef {import("./content.js").Content} Content */

const form = /** @type {HTMLFormElement} */ (need("#painting-form"));
const limits = readJson("painting-limits");
const say = need("[data-preview-say]", form);
const compare = new Compare(need("[data-compare]", form));
const sendButton = /** @type {HTMLButtonElement} */ (need("[data-send]", form));
const bar = need("[data-upload]", form);
const chosenPart = need("[data-chosen]", form);
/** @type {Content | null} */
let content = null;
/** @type {Blob | null} */
let small = null;
let taken = 0;
let sending = false;
let painted = "";

const preview = new Preview(form.dataset.previewUrl ?? "", {
  onBegin: () => { say.textContent = "Painting a look at it…"; say.classList.add("is-busy"); },
  onPainted: (picture, ms) => void showPainted(picture, ms),
  onFailed: (error) => {
    say.classList.remove("is-busy");
    say.textContent = error.message;
    compare.clearAfter();
  },
});
const options = new PaintingOptions(form, limits, look);
const picker = new StylePicker(need("[data-picker]", form), follow);

/** @param {Blob} picture @param {number} ms */
async function showPainted(picture, ms) {
  const url = URL.createObjectURL(picture);
  try {
    await compare.showAfter(url);
  } finally {
    if (painted) URL.revokeObjectURL(painted);
    painted = url;
  }
  say.classList.remove("is-busy");
  say.textContent = `A small look, painted in ${ms < 950 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(1)} s`}. The result is sharper.`;
}

/** Shows what the chosen style makes of the chosen picture, as far as that can be shown now. */
function look() {
  preview.stop();
  say.classList.remove("is-busy");
  const style = picker.chosen;
  if (style?.fast && small) {
    // What was painted before stays until this is there.
    preview.ask(small, style.id, options.keepColours);
    return;
  }
  compare.clearAfter();
  if (!style) say.textContent = "Choose a style.";
  else if (style.fast || content?.isVideo) say.textContent = "";
  else say.textContent = "This style is painted step by step. You will see it grow on the next page.";
}

/** After the style has changed. */
function follow() {
  const style = picker.chosen;
  options.setStyle(style);
  complain("style", style && !style.fast && content?.isVideo ? "A video is painted in a fast style only: choose one marked Fast." : "");
  if (content) look();
}

/** @param {Content} next */
async function show(next) {
  const mine = ++taken;
  content = next;
  small = null;
  preview.stop();
  complain("image", tooLarge(next));
  form.elements.again.value = next.from === "again" ? form.dataset.again : "";
  form.elements.example.value = next.from === "example" ? "1" : "";
  need("[data-drop]", form).hidden = true;
  chosenPart.hidden = false;
  need("[data-chosen-name]", form).textContent = next.file ? `${next.name} · ${fileSize(next.file.size)}` : next.name;
  let seen = false;
  try {
    if (next.url) await compare.showBefore(next.url);
    seen = Boolean(next.url);
  } catch {
    // A format that only the painter knows.
  }
  if (mine !== taken) return;
  compare.root.hidden = !seen;
  need("[data-no-look]", form).hidden = seen;
  const { naturalWidth: width, naturalHeight: height } = compare.before;
  const side = next.side || (seen ? Math.max(width, height) : 0);
  options.setContent({ side, ratio: seen ? width / height : 1, isVideo: next.isVideo });
  if (seen) small = await reduced(compare.before, width, height).catch(() => null);
  if (mine === taken) follow();
}

/** @param {Content} next */
function tooLarge({ file, isVideo }) {
  if (!file) return "";
  if (!file.size) return "The file is empty.";
  const most = isVideo ? limits.max_video_bytes : limits.max_bytes;
  if (file.size <= most) return "";
  return `The file has ${fileSize(file.size)}; at most ${isVideo ? limits.max_video : limits.max_file} are accepted.`;
}

/** @param {string} name of a field, or "form" @param {string} sentence empty: nothing is wrong */
function complain(name, sentence) {
  const place = form.querySelector(`[data-error="${name === "style_image" ? "style" : name}"]`) ?? need('[data-error="form"]', form);
  place.textContent = sentence;
  /** @type {HTMLElement} */ (place).hidden = !sentence;
  return /** @type {HTMLElement} */ (place);
}

function clearErrors() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-error]"))) place.hidden = true;
}

/** @returns {FormData | null} null after something was found missing */
function wishes() {
  const style = picker.chosen;
  const missing = [
    ["image", content ? tooLarge(content) : "Choose a picture first."],
    ["style", style ? (!style.fast && content?.isVideo ? "A video is painted in a fast style only: choose one marked Fast." : "") : "Choose a style."],
  ].filter(([, sentence]) => sentence);
  for (const [name, sentence] of missing) complain(name, sentence).scrollIntoView({ block: "nearest" });
  if (missing.length) return null;
  const body = new FormData(form);
  for (const name of ["image", "video", "q", "style_image"]) body.delete(name);
  if (style?.file) {
    body.delete("style");
    body.append("style_image", style.file, style.file.name);
  }
  if (content?.file && content.from === "file") body.append(content.isVideo ? "video" : "image", content.file, content.file.name);
  return body;
}

async function submit() {
  if (sending) return;
  clearErrors();
  const body = wishes();
  if (!body) return;
  busy(true);
  try {
    const { done } = send(form.action, body, (share) => progress(share));
    const made = await done;
    location.assign(made.url);
  } catch (error) {
    const { fields = {}, message } = /** @type {import("../http.js").RequestFailed} */ (error);
    const entries = Object.entries(fields);
    for (const [name, sentence] of entries) complain(name, String(sentence)).scrollIntoView({ block: "nearest" });
    if (!entries.length) complain("form", message).scrollIntoView({ block: "nearest" });
    busy(false);
  }
}

/** @param {boolean} isBusy */
function busy(isBusy) {
  sending = isBusy;
  sendButton.disabled = isBusy;
  bar.hidden = !isBusy;
  need("[data-send-label]", form).textContent = isBusy ? "Sending" : "Paint it";
  progress(0);
}

/** @param {number} share */
function progress(share) {
  /** @type {HTMLElement} */ (need("span", bar)).style.setProperty("--value", String(share));
  bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  bar.classList.toggle("is-waiting", share >= 1);
}

/** @param {File} file */
const choose = async (file) => show(await contentOf(file));

async function begin() {
  const { again, againPicture = "", againName = "", againKind, againSide, sessionPicture } = form.dataset;
  if (again) {
    await show({ from: "again", file: null, isVideo: againKind === "video", name: againName, url: againPicture, side: Number(againSide) });
  } else if (sessionPicture) {
    await choose(await fileFrom(sessionPicture));
  }
}

takeFiles({
  inputs: ["#picture-input", "#picture-camera"].map((selector) => /** @type {HTMLInputElement} */ (need(selector, form))),
  veil: need("#drop-veil"),
  onFiles: ([file]) => { if (file) void choose(file); },
});
need("[data-other]", form).addEventListener("click", () => { need("#picture-input", form).click(); });
form.querySelector("[data-example]")?.addEventListener("click", (event) => {
  const url = /** @type {HTMLElement} */ (event.currentTarget).dataset.example ?? "";
  void show({ from: "example", file: null, isVideo: false, name: "The example: a street in Madrid", url, side: 0 });
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
options.setStyle(picker.chosen);
begin().catch((error) => toast(error.message, { error: true }));
// The back button may show this very document again.
window.addEventListener("pageshow", () => busy(false));
