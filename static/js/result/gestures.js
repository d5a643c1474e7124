/** Wheel, drag, pinch, double click and keys, translated into calls of the viewport. */

import { STACKED } from "./viewport.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */

const DRAG_FROM = 4;

/** @param {HTMLElement} stage @param {Viewport} viewport @param {() => void} onEscape */
export function listenToGestures(stage, viewport, onEscape) {
  wheel(stage, viewport);
  pointers(stage, viewport);
  stage.addEventListener("dblclick", (event) => {
    if (event.target instanceof Element && event.target.closest("button")) return;
    const [x, y] = place(stage, event);
    if (viewport.view.scale > viewport.fitView().scale * 1.05) viewport.fit();
    else viewport.zoomAt(3, x, y, true);
  });
  document.addEventListener("keydown", (event) => keys(event, stage, viewport, onEscape));
}

/** @param {HTMLElement} stage @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
function place(stage, event) {
  const rect = stage.getBoundingClientRect();
  return [event.clientX - rect.left, event.clientY - rect.top];
}

/** @param {HTMLElement} stage @param {Viewport} viewport */
function wheel(stage, viewport) {
  stage.addEventListener("wheel", (event) => {
    // Where picture and panel are stacked the wheel scrolls the page; a pinch (ctrl) always zooms.
    if (matchMedia(STACKED).matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const delta = Math.max(-120, Math.min(120, event.deltaY * unit));
    const [x, y] = place(stage, event);
    viewport.zoomAt(Math.exp(-delta * (event.ctrlKey ? 0.01 : 0.0022)), x, y);
  }, { passive: false });
}

/** One finger or button drags, two fingers pinch. @param {HTMLElement} stage @param {Viewport} viewport */
function pointers(stage, viewport) {
  /** @type {Map<number, [number, number]>} */
  const down = new Map();
  let moved = false;
  /** @type {[number, number]} */
  let start = [0, 0];

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button"))) return;
    down.set(event.pointerId, place(stage, event));
    start = place(stage, event);
    moved = down.size > 1;
  });
  stage.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    if (!event.buttons) {
      // Let go outside the stage, which heard nothing of it.
      up(event);
      return;
    }
    const now = place(stage, event);
    if (down.size === 1) {
      if (!moved && Math.hypot(now[0] - start[0], now[1] - start[1]) < DRAG_FROM) return;
      if (viewport.isFitted && event.pointerType === "touch") return;
      if (!moved) stage.setPointerCapture(event.pointerId);
      moved = true;
      stage.classList.add("is-dragging");
      viewport.panBy(now[0] - before[0], now[1] - before[1]);
    } else if (down.size === 2) {
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1] ?? before;
      const length = (/** @type {[number, number]} */ [x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1]));
      viewport.zoomAt(length(now) / length(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      viewport.panBy((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    }
    down.set(event.pointerId, now);
  });
  const up = (/** @type {PointerEvent} */ event) => {
    down.delete(event.pointerId);
    if (!down.size) stage.classList.remove("is-dragging");
  };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  // The click that ends a drag selects nothing.
  stage.addEventListener("click", (event) => {
    if (moved) { event.stopPropagation(); event.preventDefault(); }
    moved = false;
  }, { capture: true });
}

/** @param {KeyboardEvent} event @param {HTMLElement} stage @param {Viewport} viewport @param {() => void} onEscape */
function keys(event, stage, viewport, onEscape) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const target = /** @type {Element} */ (event.target);
  if (target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], .menu")) return;
  if (event.key === "+" || event.key === "=") viewport.step(1);
  else if (event.key === "-") viewport.step(-1);
  else if (event.key === "0") viewport.fit();
  else if (event.key === "Escape") onEscape();
  else if (target === stage && event.key.startsWith("Arrow")) {
    const step = 80;
    if (event.key === "ArrowLeft") viewport.panBy(step, 0, true);
    if (event.key === "ArrowRight") viewport.panBy(-step, 0, true);
    if (event.key === "ArrowUp") viewport.panBy(0, step, true);
    if (event.key === "ArrowDown") viewport.panBy(0, -step, true);
  } else {
    return;
  }
  event.preventDefault();
}
