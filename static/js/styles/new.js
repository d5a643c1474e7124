/** A new style: the picture is shown before it is sent, and what is refused is said beside its field. */

import { need } from "../dom.js";
import { request, RequestFailed } from "../http.js";
import { toast } from "../toast.js";

const form = /** @type {HTMLFormElement} */ (need("#style-form"));
const drop = need("#style-drop");
const input = /** @type {HTMLInputElement} */ (need("#style-file"));
const preview = /** @type {HTMLImageElement} */ (need("#style-preview"));
const name = /** @type {HTMLInputElement} */ (need("#style-name"));
const button = /** @type {HTMLButtonElement} */ (need("[data-save]"));
let suggested = "";

/** @param {string} field @param {string} text empty: nothing is wrong with it */
function showError(field, text) {
  const root = form.querySelector(`[data-field="${CSS.escape(field)}"]`);
  const place = root?.querySelector("[data-error]");
  if (!(place instanceof HTMLElement)) return;
  place.textContent = text;
  place.hidden = !text;
  const control = root?.querySelector("input, textarea");
  if (text) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}

/** @param {string} fileName @returns {string} as the server would call it */
function nameOf(fileName) {
  return fileName.replace(/\.[^.]*$/, "").replaceAll("_", " ").trim().slice(0, 80);
}

function showChosen() {
  const file = input.files?.[0];
  showError("picture", "");
  if (preview.src) URL.revokeObjectURL(preview.src);
  preview.removeAttribute("src");
  preview.hidden = true;
  drop.classList.toggle("has-picture", Boolean(file));
  if (!file) return;
  preview.src = URL.createObjectURL(file);
  // What a browser cannot show may still be a picture for the server (HEIC, TIFF).
  preview.decode().then(() => { preview.hidden = false; }, () => { drop.dataset.file = file.name; });
  if (!name.value.trim() || name.value === suggested) {
    suggested = nameOf(file.name);
    name.value = suggested;
  }
}

/** @param {FileList | undefined | null} files */
function take(files) {
  const file = [...(files ?? [])][0];
  if (!file) return;
  const carrier = new DataTransfer();
  carrier.items.add(file);
  input.files = carrier.files;
  showChosen();
}

input.addEventListener("change", showChosen);
for (const type of ["dragenter", "dragover"]) {
  drop.addEventListener(type, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
}
for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => drop.classList.remove("is-over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer?.files); });
// A file that misses its place must not replace the page.
for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());
document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) take(event.clipboardData.files);
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  for (const field of ["picture", "name", "description"]) showError(field, "");
  button.disabled = true;
  try {
    const made = await (await request(form.action, { method: "POST", body: new FormData(form) })).json();
    location.assign(made.url);
  } catch (error) {
    button.disabled = false;
    const failure = /** @type {RequestFailed} */ (error);
    const fields = Object.entries(failure.fields);
    for (const [field, text] of fields) showError(field, String(text));
    const first = form.querySelector("[aria-invalid]");
    if (first instanceof HTMLElement) first.focus();
    else toast(failure.message, { error: true });
  }
});
