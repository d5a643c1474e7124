/** The keys of the editor: drawing, moving, undoing. */

/** @typedef {import("./regions-model.js").RegionsModel} RegionsModel */
/** @typedef {import("./geometry.js").Point} Point */

const STEP = 0.005;
const LEAP = 0.05;
/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const EDITING = new Set(["Delete", "Backspace", "Insert", "Escape"]);

/** @param {HTMLElement} stage @param {RegionsModel} model @param {() => void} onSave */
export function listenToKeys(stage, model, onSave) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      if (withControl(event, model, onSave)) event.preventDefault();
      return;
    }
    // Enter presses a button that has the focus, and fields keep their keys.
    if (!(event.target instanceof Element) || isField(event.target)) return;
    const used = model.drawing ? whileDrawing(event, event.target, stage, model)
      : whileEditing(event, shapeOf(event.target, stage, model), model);
    if (used) event.preventDefault();
  });
}

/**
 * The shape that a key is about: on the picture and on its points the chosen one, in the list the one that
 * has the focus.
 * @param {Element} target @param {HTMLElement} stage @param {RegionsModel} model
 */
function shapeOf(target, stage, model) {
  const key = target.closest("[data-select]")?.getAttribute("data-select");
  const chosen = target === stage || target.closest("[data-point-button]") ? model.selected : null;
  return key ?? chosen;
}

/** @param {Element} element */
function isField(element) {
  return element.matches("input, select, textarea");
}

/** @param {KeyboardEvent} event @param {RegionsModel} model @param {() => void} onSave */
function withControl(event, model, onSave) {
  const key = event.key.toLowerCase();
  const inField = event.target instanceof Element && isField(event.target);
  if (key === "s") onSave();
  else if (inField) return false;
  else if (key === "y" || (key === "z" && event.shiftKey)) model.redo();
  else if (key === "z") model.undo();
  else return false;
  return true;
}

/** @param {KeyboardEvent} event @returns {Point | null} */
function step(event) {
  const way = ARROWS[event.key];
  if (!way) return null;
  const by = event.shiftKey ? LEAP : STEP;
  return [way[0] * by, way[1] * by];
}

/** @param {KeyboardEvent} event @param {Element} target @param {HTMLElement} stage @param {RegionsModel} model */
function whileDrawing(event, target, stage, model) {
  if (event.key === "Escape") {
    model.cancel();
    return true;
  }
  if (target !== stage && target !== document.body) return false;
  const cursor = model.drawing?.cursor ?? [0.5, 0.5];
  const by = step(event);
  if (by) model.aim([cursor[0] + by[0], cursor[1] + by[1]]);
  else if (event.key === " ") model.addPoint(/** @type {Point} */ (cursor));
  else if (event.key === "Enter") closeOrAdd(model, /** @type {Point} */ (cursor));
  else if (event.key === "Backspace") model.retract();
  else return false;
  return true;
}

/** Enter closes a zone; a line's ends it sets. @param {RegionsModel} model @param {Point} cursor */
function closeOrAdd(model, cursor) {
  if (model.drawing?.kind === "line") model.addPoint(cursor);
  else model.finish();
}

/** @param {KeyboardEvent} event @param {string | null} key of a shape @param {RegionsModel} model */
function whileEditing(event, key, model) {
  const used = event.key in ARROWS || EDITING.has(event.key);
  if (!used || key === null) return false;
  if (key !== model.selected) model.select(key);
  if (!model.shape) return false;
  const by = step(event);
  if (by) model.nudge(by);
  else if (event.key === "Insert") model.insert(model.shape, model.point ?? model.shape.points.length - 1);
  else if (event.key === "Escape") model.select(model.point === null ? null : model.selected);
  else model.remove();
  return true;
}
