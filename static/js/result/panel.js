/** The side panel: slider, switches and class list. */

import { html, need, plural } from "../dom.js";
import { paintRange } from "../options.js";
import { inkOn } from "./overlay.js";

/** @typedef {import("./model.js").ResultModel} ResultModel */

/** @param {HTMLElement} panel @param {ResultModel} model @param {SVGElement} layer */
export function fillPanel(panel, model, layer) {
  slider(panel, model);
  switches(panel, layer);
  classes(panel, model);
  const summary = need("[data-visible]", panel);
  const refresh = () => {
    const shown = model.visibleCount();
    const all = model.objects.length;
    const some = `${shown.toLocaleString("en")} of ${plural(all, "object")}`;
    summary.textContent = shown === all ? plural(all, "object") : some;
  };
  model.addEventListener("filter", refresh);
  refresh();
}

/** @param {HTMLElement} panel @param {ResultModel} model */
function slider(panel, model) {
  const range = /** @type {HTMLInputElement} */ (need("[data-minimum]", panel));
  const output = need("[data-minimum-value]", panel);
  const update = () => {
    paintRange(range);
    output.textContent = `${range.value}%`;
    // The lowest stop shows everything that was found, however the percentage was rounded.
    // Above it, half a percent of lenience lets pass what reads the same in the table.
    model.setMinimum(range.value === range.min ? 0 : (Number(range.value) - 0.5) / 100);
  };
  range.addEventListener("input", update);
  update();
}

/** Layers are hidden by one class on the drawing. @param {HTMLElement} panel @param {SVGElement} layer */
function switches(panel, layer) {
  for (const input of panel.querySelectorAll("input[data-layer]")) {
    input.addEventListener("change", () => {
      const { dataset, checked } = /** @type {HTMLInputElement} */ (input);
      layer.classList.toggle(`no-${dataset.layer}`, !checked);
    });
  }
}

/** @param {HTMLElement} panel @param {ResultModel} model */
function classes(panel, model) {
  const list = need("[data-classes]", panel);
  /** @type {Map<string, {input: HTMLInputElement, count: HTMLElement, row: HTMLElement}>} */
  const parts = new Map();
  for (const item of model.overlay.classes) {
    const attributes = { type: "checkbox", class: "class-toggle", value: item.name, checked: true };
    const input = /** @type {HTMLInputElement} */ (html("input", attributes));
    const count = html("span", { class: "class-count num" });
    const row = html("label", { class: "class-row" }, input, html("span", { class: "class-name" }, item.name), count);
    row.style.setProperty("--c", item.color);
    row.style.setProperty("--ink", inkOn(item.color));
    parts.set(item.name, { input, count, row });
    list.append(html("li", {}, row));
  }
  list.addEventListener("change", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    model.showClass(input.value, input.checked);
  });
  need("[data-all]", panel).addEventListener("click", () => model.showAll(true));
  need("[data-no]", panel).addEventListener("click", () => model.showAll(false));
  const refresh = () => {
    const counts = model.counts();
    for (const item of model.overlay.classes) {
      const part = parts.get(item.name);
      if (!part) continue;
      const now = counts.get(item.name) ?? 0;
      part.count.textContent = now === item.count ? String(now) : `${now} / ${item.count}`;
      part.input.checked = !model.hidden.has(item.name);
      part.row.classList.toggle("is-empty", now === 0);
    }
  };
  model.addEventListener("filter", refresh);
  refresh();
}
