/** The page on which zones and lines are drawn. */

import { need, readJson } from "../dom.js";
import { listenToKeys } from "./regions-keys.js";
import { ShapeList } from "./regions-list.js";
import { RegionsModel } from "./regions-model.js";
import { Overlay } from "./regions-overlay.js";
import { StagePicture } from "./regions-picture.js";
import { listenToPointer } from "./regions-pointer.js";
import { Saving } from "./regions-saving.js";

const editor = need("#regions");
const stage = need("[data-stage]", editor);
const data = readJson("regions-data");
const model = new RegionsModel(data.stored, data.limits);
const overlay = new Overlay(/** @type {SVGElement} */ (need("[data-overlay]", stage)), model);
const list = new ShapeList(need("[data-shapes]", editor), model);
const saving = new Saving(editor, model, data.url);
const picture = new StagePicture(stage, data.pictures);
const buttons = {
  zone: need("[data-draw=zone]", editor), line: need("[data-draw=line]", editor),
  undo: need("[data-undo]", editor), redo: need("[data-redo]", editor),
};
const finish = need("[data-finish]", editor);
const stop = need("[data-stop]", editor);
const coarse = matchMedia("(pointer: coarse)");

for (const kind of /** @type {const} */ (["zone", "line"])) {
  buttons[kind].addEventListener("click", () => {
    if (model.drawing?.kind === kind) model.cancel();
    else model.draw(kind);
    stage.focus({ preventScroll: true });
    stage.scrollIntoView({ block: "nearest" });
  });
}
buttons.undo.addEventListener("click", () => model.undo());
buttons.redo.addEventListener("click", () => model.redo());
need("[data-refresh]", editor).addEventListener("click", () => void picture.refresh());
finish.addEventListener("click", () => model.finish());
stop.addEventListener("click", () => model.cancel());
model.addEventListener("change", show);
// On a touch screen the keyboard would jump up and hide what was just drawn.
model.addEventListener("made", () => { if (!coarse.matches) list.focusName(); });
listenToPointer(stage, model, overlay);
listenToKeys(stage, model, () => void saving.save());

function show() {
  const { drawing, history } = model;
  for (const kind of /** @type {const} */ (["zone", "line"])) buttons[kind].setAttribute("aria-pressed", String(drawing?.kind === kind));
  buttons.undo.toggleAttribute("disabled", !history.canUndo);
  buttons.redo.toggleAttribute("disabled", !history.canRedo);
  stage.classList.toggle("is-drawing", drawing !== null);
  finish.hidden = drawing?.kind !== "zone";
  finish.toggleAttribute("disabled", !model.canFinish);
  stop.hidden = drawing === null;
  need("[data-none]", editor).hidden = model.shapes.length > 0;
  const hint = need("[data-hint]", editor);
  const text = hintOf();
  if (hint.textContent !== text) hint.textContent = text;
}

function hintOf() {
  const { drawing } = model;
  if (drawing?.kind === "line") {
    return drawing.points.length ? "Now where it ends. The arrow will point to its right." : "Click where the line starts, or pull it from start to end.";
  }
  if (drawing) {
    if (!drawing.points.length) return "Click the corners one after the other. With keys: arrows aim, Space sets a point.";
    const close = model.canFinish ? "Click the first point or press Enter to close the zone." : "Click the next corner.";
    return `${close} Backspace takes the last one back, Esc gives up.`;
  }
  return model.shape ? hintOfShape(model.shape) : model.shapes.length ? "Choose a shape to change it." : "";
}

/** @param {import("./regions-model.js").Shape} shape */
function hintOfShape(shape) {
  const { point, limits } = model;
  const isZone = shape.kind === "zone";
  if (point === null) {
    return isZone ? "Pull points or the whole zone; a small dot on an edge makes a new point. Arrow keys move it."
      : "Pull its ends or the whole line. Arrow keys move it, Delete removes it.";
  }
  const more = isZone && shape.points.length > limits.fewest ? " Delete removes it." : "";
  return `Point ${point + 1}: pull it, or move it with the arrow keys (with Shift further).${more}`;
}

show();
void picture.refresh();
