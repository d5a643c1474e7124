/** One line of the timeline: what happened, when and where, with its picture. */

import { html, icon, need } from "../dom.js";
import { serverNow } from "./clock.js";
import { clockOf, momentOf, stay } from "./format.js";
import { personOf } from "./people.js";

/** @typedef {import("./dashboard.js").LiveEvent} LiveEvent */

const SHAPE = 4 / 3; // of the small picture, width for height
const AROUND = 1.3;
const LEAST = 0.25; // of the picture's height

/** @type {Record<string, string>} */
const ICONS = { entry: "enter", exit: "exit", dwell: "clock", crossing: "crossing", occupancy: "users" };

/**
 * What is said of an event. How long somebody has stayed is counted on beside it, not in the sentence.
 * @param {LiveEvent} event @returns {string}
 */
export function sentenceOf(event) {
  const name = (event.label || "object").replaceAll("_", " ");
  const number = `${name.charAt(0).toUpperCase()}${name.slice(1)}${event.track === null ? "" : ` ${event.track}`}`;
  const who = personOf(event.id)?.name ?? number;
  if (event.ongoing && event.kind === "dwell") return `${who} is at ${event.place || event.camera.name}`;
  return event.sentence.startsWith(`${number} `) ? who + event.sentence.slice(number.length) : event.sentence;
}

/** How long it has gone on, or went on, in seconds; null for what has no length. @param {LiveEvent} event */
export function lengthOf(event) {
  if (event.kind !== "dwell" && event.kind !== "occupancy") return null;
  if (event.end) return (Date.parse(event.end) - Date.parse(event.start)) / 1000;
  return Math.max(0, (serverNow() - Date.parse(event.start)) / 1000);
}

/** @param {LiveEvent} event @param {boolean} single whether all rows are of one camera @returns {HTMLElement} */
export function makeRow(event, single) {
  const row = html("li", { class: "moment", "data-id": event.id },
    html("button", { type: "button", class: "moment-button" },
      html("span", { class: "moment-look" }),
      html("span", { class: "moment-text" },
        html("b", { "data-sentence": true }), html("span", { class: "moment-facts num", "data-when": true })),
      html("span", { class: "moment-length num", "data-length": true })));
  fillRow(row, event, single);
  return row;
}

/** @param {HTMLElement} row @param {LiveEvent} event @param {boolean} single */
export function fillRow(row, event, single) {
  row.classList.toggle("is-ongoing", event.ongoing);
  need("[data-sentence]", row).textContent = sentenceOf(event);
  const facts = need("[data-when]", row);
  // Without a zone or line, the sentence has the camera's name already.
  const where = event.place ? event.camera.name : event.area;
  facts.textContent = where && !single ? `${clockOf(event.start)} · ${where}` : clockOf(event.start);
  facts.title = momentOf(event.start);
  const look = need(".moment-look", row);
  if (look.dataset.shown !== (event.snapshot ?? event.kind)) {
    look.dataset.shown = event.snapshot ?? event.kind;
    look.replaceChildren(event.snapshot ? thumbnail(event) : icon(ICONS[event.kind] ?? "clock"));
  }
  tickRow(row, event);
}

/** @param {HTMLElement} row @param {LiveEvent} event */
export function tickRow(row, event) {
  // The sentence about a stay that is over says how long it was.
  const seconds = event.ongoing || event.kind === "occupancy" ? lengthOf(event) : null;
  need("[data-length]", row).textContent = seconds === null ? "" : stay(seconds);
}

/** @param {LiveEvent} event */
function thumbnail(event) {
  const picture = /** @type {HTMLImageElement} */ (html("img", { src: event.snapshot, alt: "", loading: "lazy", decoding: "async" }));
  picture.addEventListener("load", () => cutTo(picture, event.box), { once: true });
  picture.addEventListener("error", () => picture.replaceWith(icon(ICONS[event.kind] ?? "clock")), { once: true });
  return picture;
}

/**
 * Whoever it is about fills the small place, with something around.
 * @param {HTMLImageElement} picture @param {[number, number, number, number] | null} box
 */
function cutTo(picture, box) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  if (!box || !width || !height) return;
  const [x, y, w, h] = box;
  const wanted = Math.max(h * height * AROUND, (w * width * AROUND) / SHAPE, height * LEAST);
  const high = Math.min(wanted, height, width / SHAPE);
  const wide = high * SHAPE;
  const left = within((x + w / 2) * width - wide / 2, width - wide);
  const top = within((y + h / 2) * height - high / 2, height - high);
  picture.classList.add("is-cut");
  picture.style.setProperty("width", `${(width / wide) * 100}%`);
  picture.style.setProperty("height", `${(height / high) * 100}%`);
  picture.style.setProperty("left", `${(-left / wide) * 100}%`);
  picture.style.setProperty("top", `${(-top / high) * 100}%`);
}

/** @param {number} value @param {number} most */
function within(value, most) {
  return Math.max(0, Math.min(most, value));
}
