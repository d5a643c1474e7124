/** What is looked for: the classes on offer follow the model, and people alone need no classes. */

import { need, readJson } from "../dom.js";
import { ClassPicker } from "../picker.js";
import { paintRange } from "../options.js";

/** @param {HTMLElement} root @param {() => void} onChange */
export function initLooking(root, onChange) {
  const known = readJson("looking");
  const model = /** @type {HTMLSelectElement} */ (need("select[name=model]", root));
  const range = /** @type {HTMLInputElement} */ (need("input[name=detector_conf]", root));
  const people = /** @type {HTMLInputElement} */ (need("input[name=people_only]", root));
  const picker = new ClassPicker(need("[data-picker]", root), onChange);

  function fillClasses() {
    const chosen = known.models.find((/** @type {{name: string}} */ item) => item.name === model.value);
    picker.setOptions(known.class_sets[chosen?.classes ?? known.default_classes] ?? []);
  }
  function show() {
    paintRange(range);
    need("output", root).textContent = `${Math.round(Number(range.value) * 100)}%`;
    need("[data-classes]", root).hidden = people.checked;
  }
  model.addEventListener("change", fillClasses);
  root.addEventListener("input", show);
  fillClasses();
  show();
}
