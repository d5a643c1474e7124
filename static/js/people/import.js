/** Importing people: the ZIP goes up with its progress, then the page of the job takes over. */

import { fileSize, need } from "../dom.js";
import { send } from "../uploader/transfer.js";

const form = /** @type {HTMLFormElement} */ (need("#import-form"));
const input = /** @type {HTMLInputElement} */ (need("#import-file", form));
const button = /** @type {HTMLButtonElement} */ (need("button.is-primary", form));
const say = need("[data-say]", form);
const wrong = need("[data-wrong]", form);
const progress = need("[data-progress]", form);
const bar = need("span", progress);

/** @param {string} text */
function refuse(text) {
  wrong.textContent = text;
  wrong.hidden = !text;
}

function follow() {
  const file = input.files?.[0];
  const tooLarge = Boolean(file && file.size > Number(form.dataset.max));
  need("[data-file-name]", form).textContent = file ? `${file.name}, ${fileSize(file.size)}` : `Up to ${fileSize(Number(form.dataset.max))}`;
  refuse(tooLarge ? "This file is too large." : "");
  button.disabled = !file || tooLarge;
}

async function start() {
  button.disabled = true;
  progress.hidden = false;
  refuse("");
  const { done } = send(form.dataset.url ?? "", new FormData(form), (share) => {
    bar.style.setProperty("--value", String(share));
    say.textContent = share < 1 ? `Uploading, ${Math.round(share * 100)}%` : "Checking";
  });
  try {
    location.assign((await done).url);
  } catch (error) {
    refuse(/** @type {Error} */ (error).message);
    say.textContent = "";
    progress.hidden = true;
    button.disabled = false;
  }
}

input.addEventListener("change", follow);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!button.disabled) void start();
});
// Back from the page of the job: the browser may have kept the file.
window.addEventListener("pageshow", follow);
