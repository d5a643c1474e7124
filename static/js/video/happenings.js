/** The list of what happened: motion with its picture, what people did and why it is thought so. */

import { html, icon, need, plural } from "../dom.js";
import { clock, span, words } from "./format.js";

const AT_ONCE = 60;
const MOST_TRACKS = 6;

/** @typedef {import("./model.js").Happening} Happening */

const labelOf = (/** @type {Happening} */ event) => (event.kind === "motion" ? "motion" : event.label);

/**
 * @param {HTMLElement} pane
 * @param {import("./model.js").VideoModel} model
 * @param {(event: Happening) => void} onChoose
 */
export function listHappenings(pane, model, onChoose) {
  const list = need("[data-events]", pane);
  const more = need("[data-more]", pane);
  const filter = /** @type {HTMLSelectElement} */ (need("[data-event-filter]", pane));
  const tools = /** @type {HTMLElement} */ (filter.parentElement);
  let shown = 0;
  /** @type {Happening[]} */
  let chosen = [];

  const counts = new Map();
  for (const event of model.events) counts.set(labelOf(event), (counts.get(labelOf(event)) ?? 0) + 1);
  for (const [label, count] of [...counts].sort()) filter.append(new Option(`${words(label)} (${count})`, label));
  tools.hidden = counts.size < 2;
  need("[data-no-events]", pane).hidden = model.events.length > 0;

  function addMore() {
    const next = chosen.slice(shown, shown + AT_ONCE);
    list.append(...next.map((event) => row(event, model)));
    shown += next.length;
    more.hidden = shown >= chosen.length;
    more.textContent = `Show more of ${plural(chosen.length, "event")}`;
  }
  function refresh() {
    chosen = model.events.filter((event) => !filter.value || labelOf(event) === filter.value);
    list.replaceChildren();
    shown = 0;
    addMore();
  }
  filter.addEventListener("change", refresh);
  more.addEventListener("click", addMore);
  list.addEventListener("click", (event) => {
    const item = event.target instanceof Element ? event.target.closest("[data-n]") : null;
    const found = model.events.find((candidate) => candidate.n === Number(item?.getAttribute("data-n") ?? -1));
    if (found) onChoose(found);
  });
  refresh();
}

/** @param {Happening} event @param {import("./model.js").VideoModel} model */
function row(event, model) {
  const { moment, snapshot } = model.data.urls;
  const single = event.tracks.length ? model.byNumber.get(event.tracks[0]) : undefined;
  let source = null;
  if (event.snapshot && moment) source = moment.replace("/0/", `/${event.n}/`);
  else if (single?.snapshot && snapshot) source = snapshot.replace("/0/", `/${single.n}/`);
  const look = html("span", { class: `event-look is-${event.kind}` },
    source ? html("img", { src: source, alt: "", loading: "lazy", decoding: "async" }) : icon(event.kind === "group" ? "users" : event.kind));
  const facts = [`${clock(event.start)}–${clock(event.end)}`, span(event.end - event.start)];
  if (event.share) facts.push(`up to ${percent(event.share)} of the picture`);
  if (event.confidence) facts.push(`${Math.round(event.confidence * 100)}% sure`);
  const text = html("span", { class: "event-text" },
    html("b", {}, title(event, model)),
    html("span", { class: "num" }, facts.join(" · ")));
  if (event.reason) text.append(html("span", { class: "event-reason" }, event.reason));
  return html("li", {}, html("button", { type: "button", class: "event", "data-n": event.n }, look, text));
}

/** @param {Happening} event @param {import("./model.js").VideoModel} model */
function title(event, model) {
  if (event.kind === "motion") return "Motion";
  const names = event.tracks.slice(0, MOST_TRACKS).map((number) => `${model.byNumber.get(number)?.class ?? "track"} ${number}`);
  const rest = event.tracks.length - names.length;
  const who = rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ");
  const what = words(event.label);
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${who ? `: ${who}` : ""}`;
}

/** @param {number} share */
function percent(share) {
  return share < 0.1 ? `${(share * 100).toFixed(1)}%` : `${Math.round(share * 100)}%`;
}
