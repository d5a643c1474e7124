/** The form of a camera. */

import { need } from "../dom.js";
import { ConnectionTest } from "./connection.js";
import { initLooking } from "./looking.js";

const form = /** @type {HTMLFormElement} */ (need("#camera-form"));
const state = need("[data-form-state]", form);
const gone = /** @type {HTMLDialogElement} */ (need("#delete-dialog"));
let changed = form.hasAttribute("data-changed");
let sent = false;

function note() {
  changed = true;
  state.textContent = "Not saved yet";
}

initLooking(need("[data-looking]", form), note);
new ConnectionTest(form);
form.addEventListener("input", (event) => {
  if (event.target instanceof Element && event.target.matches("[name]")) note();
});
form.addEventListener("submit", () => { sent = true; });
window.addEventListener("beforeunload", (event) => {
  if (changed && !sent) event.preventDefault();
});
gone.addEventListener("submit", () => { sent = true; });
document.addEventListener("htmx:afterSwap", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.target === gone) gone.showModal();
});
// Who comes back after a refusal begins where it was refused.
form.querySelector('[aria-invalid="true"]')?.scrollIntoView({ block: "center" });
/** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid="true"]'))?.focus({ preventScroll: true });
