/** The page of a person: chosen photos, dialogs, and forms that take the chosen photos along. */

import { html, need, plural } from "../dom.js";
import { Chooser } from "./chooser.js";

const form = document.querySelector("#samples-form");

function chosenIds() {
  return [...document.querySelectorAll('#samples-form input[name="samples"]:checked')]
    .map((input) => /** @type {HTMLInputElement} */ (input).value);
}

function showChosen() {
  const count = chosenIds().length;
  const text = count ? plural(count, "photo") : "";
  for (const place of document.querySelectorAll("[data-chosen]")) place.textContent = text;
  const acts = document.querySelector("[data-sample-acts]");
  if (acts instanceof HTMLElement) acts.hidden = count === 0;
}

form?.addEventListener("change", showChosen);
form?.addEventListener("submit", (event) => event.preventDefault());

for (const target of document.querySelectorAll("form[data-with-samples]")) {
  target.addEventListener("submit", () => {
    for (const old of target.querySelectorAll('input[name="samples"]')) old.remove();
    target.append(...chosenIds().map((id) => html("input", { type: "hidden", name: "samples", value: id })));
  }, { capture: true });
}

for (const root of document.querySelectorAll("[data-chooser]")) {
  const button = root.closest("form")?.querySelector("[data-needs-person]");
  new Chooser(/** @type {HTMLElement} */ (root), (card) => button?.toggleAttribute("disabled", !card));
}

const erasing = /** @type {HTMLDialogElement} */ (need("#erase-dialog"));
document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = /** @type {CustomEvent} */ (event).detail;
  if (target === erasing) erasing.showModal();
});
// The name stands at the top of the page, too.
document.addEventListener("person-saved", () => location.reload());
// A page that was kept in memory has its ticks, but not what follows from them.
window.addEventListener("pageshow", showChosen);
