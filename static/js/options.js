/** The fields of a run: task → models → classes, and a sentence that sums them up. */

import { readJson } from "./dom.js";
import { ClassPicker } from "./picker.js";

/** @typedef {{name: string, label: string, class_set: number}} ModelChoice */
/** @typedef {{models: Record<string, ModelChoice[]>, class_sets: string[][],
 *             defaults: Record<string, string>, max_bytes: number, max_video_bytes: number,
 *             messages: Record<string, string>}} OptionsConfig */

/** @returns {OptionsConfig} */
export function optionsConfig() {
  return readJson("options-config");
}

/**
 * Paints the filled part of a range; an attribute style would break the content policy.
 * @param {HTMLInputElement} range
 */
export function paintRange(range) {
  const [min, max, value] = [Number(range.min), Number(range.max), Number(range.value)];
  range.style.setProperty("--fill", `${max > min ? ((value - min) / (max - min)) * 100 : 0}%`);
}

/** @param {HTMLElement} root an element with data-options */
export function initOptions(root) {
  const config = optionsConfig();
  const form = /** @type {HTMLFormElement} */ (root.closest("form"));
  const model = /** @type {HTMLSelectElement} */ (root.querySelector('select[name="model"]'));
  const range = /** @type {HTMLInputElement} */ (root.querySelector('input[name="confidence"]'));
  const output = root.querySelector("output");
  const pickerRoot = /** @type {HTMLElement} */ (root.querySelector("[data-picker]"));
  const picker = new ClassPicker(pickerRoot, summarise);
  let wanted = model.dataset.value ?? "";

  function task() {
    const outlines = 'input[name="task"][value="segment"]:checked, input[name="styles"][value="masks"]:checked';
    return root.querySelector(outlines) ? "segment" : "detect";
  }
  function fillModels() {
    const choices = config.models[task()];
    const keep = choices.some((choice) => choice.name === wanted) ? wanted : config.defaults[task()];
    const options = choices.map(({ label, name }) => new Option(label, name, false, name === keep));
    model.replaceChildren(...options);
    fillClasses();
  }
  function fillClasses() {
    const choice = config.models[task()].find((item) => item.name === model.value);
    picker.setOptions(config.class_sets[choice?.class_set ?? 0] ?? []);
    summarise();
  }
  function summarise() {
    paintRange(range);
    const percent = `${Math.round(Number(range.value) * 100)}%`;
    if (output) output.textContent = percent;
    const line = form.querySelector("[data-options-summary]");
    if (!line) return;
    const classes = picker.chosen.length ? picker.chosen.join(", ") : "all classes";
    const verb = task() === "segment" ? "Outline" : "Find";
    line.textContent = `${verb} objects · ${model.value} · from ${percent} · ${classes}`;
  }

  root.addEventListener("input", summarise);
  root.addEventListener("change", (event) => {
    const { name, value } = /** @type {HTMLInputElement} */ (event.target);
    // Outlines need a model that finds them.
    if (name === "task" || (name === "styles" && value === "masks")) {
      wanted = "";
      fillModels();
    }
    if (name === "model") {
      wanted = model.value;
      fillClasses();
    }
  });
  fillModels();
}
