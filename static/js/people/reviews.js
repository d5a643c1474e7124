/** The queue of doubts: yes, no, someone else, later, by mouse, finger or key; the next one comes at once. */

import { need } from "../dom.js";
import { Chooser } from "./chooser.js";

const KEYS = new Map([["y", "yes"], ["n", "no"], ["l", "skip"]]);

const form = () => /** @type {HTMLFormElement | null} */ (document.querySelector("#review-form"));

/** @param {string} answer */
function say(answer) {
  const current = form();
  if (!current || current.dataset.answered) return;
  // A key that is held down must not answer the next face, too.
  current.dataset.answered = "1";
  /** @type {HTMLInputElement} */ (need('[name="answer"]', current)).value = answer;
  current.requestSubmit();
}

function openOther() {
  const current = form();
  if (!current) return;
  const part = need("[data-other-part]", current);
  part.hidden = false;
  need("[role=combobox]", current).focus();
  part.scrollIntoView({ block: "center" });
}

function closeOther() {
  const current = form();
  if (!current) return;
  need("[data-other-part]", current).hidden = true;
  need("[data-other]", current).focus();
}

function prepare() {
  const current = form();
  const tab = document.querySelector("[data-waiting].tab-count");
  const waiting = document.querySelector("#review")?.getAttribute("data-waiting");
  if (tab instanceof HTMLElement && waiting) { tab.textContent = waiting; tab.hidden = waiting === "0"; }
  if (!current) return;
  const button = /** @type {HTMLButtonElement} */ (need('[data-say="other"]', current));
  const label = need("[data-other-label]", current);
  const name = /** @type {HTMLInputElement} */ (need('[name="name"]', current));
  const chooser = new Chooser(need("[data-chooser]", current), () => {
    name.value = chooser.chosen ? "" : chooser.text;
    button.disabled = !chooser.chosen && !chooser.text;
    label.textContent = chooser.chosen || !chooser.text ? "It is this person" : "It is a new person of this name";
  });
  // Enter in the field would send the form without an answer.
  current.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === chooser.input && !event.defaultPrevented) event.preventDefault();
  });
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest("[data-say]");
  if (button instanceof HTMLElement && button.closest("#review-form")) say(button.dataset.say ?? "");
  if (target?.closest("[data-other]")) openOther();
  if (target?.closest("[data-other-cancel]")) closeOther();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  if (typing) {
    if (event.key === "Escape") closeOther();
    return;
  }
  const answer = KEYS.get(event.key.toLowerCase());
  if (answer) say(answer);
  if (event.key.toLowerCase() === "s" && form()) { openOther(); event.preventDefault(); }
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.target?.id === "review" || document.querySelector("#review-form:not([data-ready])")) ready();
});
// A failed request gives the buttons back.
for (const name of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, () => form()?.removeAttribute("data-answered"));
}

function ready() {
  const current = form();
  if (current?.dataset.ready) return;
  if (current) current.dataset.ready = "1";
  prepare();
}

ready();
