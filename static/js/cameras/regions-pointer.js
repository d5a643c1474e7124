/** Mouse, pen and finger on the picture. */

import { distance, inserted, middles, moved, withPoint } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./regions-model.js").RegionsModel} RegionsModel */
/** @typedef {import("./regions-overlay.js").Overlay} Overlay */
/** @typedef {{id: number, key: string, from: Point, points: Point[], point: number | null, began: boolean}} Drag */

const DRAG_FROM = 4;
const NEAR = { mouse: 12, coarse: 24 };
const SAME = 4;

/** @param {HTMLElement} stage @param {RegionsModel} model @param {Overlay} overlay */
export function listenToPointer(stage, model, overlay) {
  drawing(stage, model, overlay);
  dragging(stage, model, overlay);
  // A finger on a shape pulls it, elsewhere it scrolls the page; browsers heed no touch-action within SVG.
  stage.addEventListener("touchstart", (event) => {
    const onShape = event.target instanceof Element && event.target.closest("[data-shape]") !== null;
    if (model.drawing || onShape) event.preventDefault();
  }, { passive: false });
}

/** Clicks set points; a line may also be pulled from its start to its end. @param {HTMLElement} stage @param {RegionsModel} model @param {Overlay} overlay */
function drawing(stage, model, overlay) {
  /** @type {Point | null} */
  let down = null;

  stage.addEventListener("pointerdown", (event) => {
    if (!model.drawing || event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    stage.focus({ preventScroll: true });
    down = overlay.place(event);
    model.aim(down);
    if (model.drawing.kind === "line" && !model.drawing.points.length) model.addPoint(down);
  });
  stage.addEventListener("pointermove", (event) => {
    if (model.drawing) model.aim(overlay.place(event));
  });
  stage.addEventListener("pointerup", (event) => {
    const { drawing: sketch } = model;
    if (!sketch || !down) return;
    const from = down;
    down = null;
    const at = overlay.place(event);
    const near = (/** @type {Point | undefined} */ point, /** @type {number} */ reach) =>
      point !== undefined && distance(point, at, overlay.size) < reach;
    if (sketch.kind === "line") {
      const pulled = distance(from, at, overlay.size) >= NEAR.mouse;
      if (pulled || !near(sketch.points[0], NEAR.mouse)) model.addPoint(at);
      return;
    }
    const reach = event.pointerType === "mouse" ? NEAR.mouse : NEAR.coarse;
    if (model.canFinish && near(sketch.points[0], reach)) model.finish();
    // The second half of a double click sets no second point.
    else if (!near(sketch.points.at(-1), SAME)) model.addPoint(at);
  });
  stage.addEventListener("pointercancel", () => { down = null; });
}

/** Points, edges and whole shapes are pulled. @param {HTMLElement} stage @param {RegionsModel} model @param {Overlay} overlay */
function dragging(stage, model, overlay) {
  /** @type {Drag | null} */
  let drag = null;

  stage.addEventListener("pointerdown", (event) => {
    if (model.drawing || event.button !== 0 || !(event.target instanceof Element)) return;
    const key = event.target.closest("[data-shape]")?.getAttribute("data-shape");
    if (!key) {
      model.select(null);
      return;
    }
    drag = grasp(event, event.target, key);
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    stage.focus({ preventScroll: true });
  });

  /** @param {PointerEvent} event @param {Element} target @param {string} key @returns {Drag | null} */
  function grasp(event, target, key) {
    const point = target.closest("[data-point]")?.getAttribute("data-point");
    const edge = target.closest("[data-insert]")?.getAttribute("data-insert");
    model.select(key, point ? Number(point) : null);
    const shape = model.shape;
    if (!shape) return null;
    const made = { id: event.pointerId, key, from: overlay.place(event), began: false };
    if (!edge) return { ...made, points: shape.points, point: point ? Number(point) : null };
    const at = Number(edge);
    model.point = at + 1;
    return { ...made, points: inserted(shape.points, at, middles(shape.points)[at]), point: at + 1 };
  }

  stage.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const at = overlay.place(event);
    if (!drag.began && distance(drag.from, at, overlay.size) < DRAG_FROM) return;
    drag.began = true;
    const by = /** @type {Point} */ ([at[0] - drag.from[0], at[1] - drag.from[1]]);
    const { points, point } = drag;
    if (point === null) model.drag(drag.key, moved(points, by));
    else model.drag(drag.key, withPoint(points, point, [points[point][0] + by[0], points[point][1] + by[1]]));
  });

  const end = (/** @type {PointerEvent} */ event, /** @type {boolean} */ keep) => {
    if (!drag || event.pointerId !== drag.id) return;
    const { began, points, key } = drag;
    drag = null;
    if (began) model.drop(keep);
    // A click on an edge's middle sets a point there.
    else if (keep && points.length !== model.shape?.points.length) model.update(key, { points });
  };
  stage.addEventListener("pointerup", (event) => end(event, true));
  stage.addEventListener("pointercancel", (event) => end(event, false));
}
