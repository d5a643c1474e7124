/** The picture of an event, with a box around who it is about. */

import { need, plural } from "../dom.js";
import { clockOf, momentOf, stay } from "./format.js";
import { lengthOf, sentenceOf } from "./moment-row.js";

/** @typedef {import("./dashboard.js").LiveEvent} LiveEvent */

/** @param {HTMLDialogElement} dialog @param {(camera: number) => string} address of a camera's page */
export function momentDialog(dialog, address) {
  const figure = need("[data-moment-figure]", dialog);
  const picture = /** @type {HTMLImageElement} */ (need("[data-moment-picture]", dialog));
  const box = need("[data-moment-box]", dialog);
  const none = need("[data-moment-none]", dialog);

  const missing = () => {
    figure.hidden = true;
    none.hidden = false;
  };
  picture.addEventListener("error", missing);
  // The box waits for its picture.
  picture.addEventListener("load", () => figure.classList.add("is-loaded"));
  dialog.addEventListener("close", () => picture.removeAttribute("src"));

  return (/** @type {LiveEvent} */ event) => {
    need("[data-moment-sentence]", dialog).textContent = sentenceOf(event);
    need("[data-moment-facts]", dialog).textContent = factsOf(event).join(" · ");
    const link = /** @type {HTMLAnchorElement} */ (need("[data-moment-camera]", dialog));
    link.href = address(event.camera.id);
    link.hidden = link.pathname === location.pathname;
    figure.classList.remove("is-loaded");
    figure.hidden = false;
    none.hidden = true;
    if (event.snapshot) {
      picture.alt = `${event.sentence}, ${momentOf(event.start)}`;
      picture.src = event.snapshot;
    } else missing();
    box.hidden = event.box === null;
    if (event.box) {
      const [x, y, w, h] = event.box;
      for (const [name, value] of [["left", x], ["top", y], ["width", w], ["height", h]]) {
        box.style.setProperty(String(name), `${Number(value) * 100}%`);
      }
    }
    if (!dialog.open) dialog.showModal();
  };
}

/** @param {LiveEvent} event */
function factsOf(event) {
  const facts = [event.end && event.end !== event.start ? `${momentOf(event.start)} to ${clockOf(event.end)}` : momentOf(event.start)];
  const length = lengthOf(event);
  if (length !== null) facts.push(event.ongoing ? `${stay(length)} so far` : stay(length));
  facts.push(event.area ? `${event.camera.name}, ${event.area}` : event.camera.name);
  if (event.confidence !== null) facts.push(`${Math.round(event.confidence * 100)}% sure`);
  if (event.kind === "occupancy" && event.value !== null) facts.push(`${plural(event.value, "object")} at most`);
  return facts;
}
