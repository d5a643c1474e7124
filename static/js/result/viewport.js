/**
 * Zoom and pan of the stage. A picture point p appears at p · scale + (x, y) stage pixels.
 * Input lives in gestures.js; this file is the arithmetic and the two elements it moves.
 */

/** Where picture and panel lie one above the other, as result.css has it. */
export const STACKED = "(max-width: 60rem)";

const STEP = 1.5;
const CALM_MS = 180;

/** @typedef {{scale: number, x: number, y: number}} View */

export class Viewport extends EventTarget {
  /** @type {View} */ view = { scale: 1, x: 0, y: 0 };
  /** @type {View | null} where an animation leads, so that the next step begins there */
  #target = null;
  #animation = 0;
  #fitted = true;

  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} picture
   * @param {SVGElement} overlay
   * @param {{width: number, height: number}} size in picture pixels
   */
  constructor(stage, picture, overlay, size) {
    super();
    this.stage = stage;
    this.picture = picture;
    this.overlay = overlay;
    this.size = size;
    new ResizeObserver(() => this.#resized()).observe(stage);
    this.#resized();
  }

  get isFitted() { return this.#fitted; }

  /** The view that shows the whole picture, with room for labels above it. @returns {View} */
  fitView() {
    const margin = Math.min(28, this.stage.clientWidth / 24);
    const { clientWidth: width, clientHeight: height } = this.stage;
    const scale = Math.min((width - 2 * margin) / this.size.width, (height - 2 * margin) / this.size.height, 4);
    return this.#held({ scale: Math.max(scale, 0.001), x: 0, y: 0 });
  }

  fit({ calm = true } = {}) {
    this.#go(this.fitView(), calm);
    this.#fitted = true;
    this.#mark();
  }

  /** @param {number} direction 1 in, -1 out */
  step(direction) {
    this.zoomAt(STEP ** direction, this.stage.clientWidth / 2, this.stage.clientHeight / 2, true);
  }

  /**
   * Zoom by a factor; the picture point under (x, y) stays there.
   * @param {number} factor
   * @param {number} x
   * @param {number} y
   * @param {boolean} [calm]
   */
  zoomAt(factor, x, y, calm = false) {
    const from = calm ? this.#target ?? this.view : this.view;
    const fit = this.fitView().scale;
    const scale = Math.min(Math.max(from.scale * factor, fit * 0.5), Math.max(fit * 24, 12));
    const ratio = scale / from.scale;
    this.#leaveFit();
    this.#go(this.#held({ scale, x: x - (x - from.x) * ratio, y: y - (y - from.y) * ratio }), calm);
  }

  /** @param {number} dx @param {number} dy @param {boolean} [calm] */
  panBy(dx, dy, calm = false) {
    const from = calm ? this.#target ?? this.view : this.view;
    this.#leaveFit();
    this.#go(this.#held({ scale: from.scale, x: from.x + dx, y: from.y + dy }), calm);
  }

  /**
   * Brings a box to the middle, large enough to study, with its surroundings.
   * @param {[number, number, number, number]} box
   */
  zoomToBox([x, y, width, height]) {
    const { clientWidth: stageWidth, clientHeight: stageHeight } = this.stage;
    const fit = this.fitView().scale;
    const wanted = Math.min((stageWidth * 0.5) / Math.max(width, 1), (stageHeight * 0.5) / Math.max(height, 1));
    const scale = Math.min(Math.max(wanted, fit), Math.max(fit * 5, 3));
    this.#leaveFit();
    this.#go(this.#held({
      scale, x: stageWidth / 2 - (x + width / 2) * scale, y: stageHeight / 2 - (y + height / 2) * scale,
    }), true);
  }

  #leaveFit() { this.#fitted = false; this.#mark(); }

  /** Touch scrolling belongs to the page while everything is visible, to the picture when zoomed. */
  #mark() { this.stage.classList.toggle("is-zoomed", !this.#fitted); }

  /**
   * Keeps the picture on the stage: centred where it is smaller, without gaps where it is larger.
   * @param {View} view
   * @returns {View}
   */
  #held(view) {
    const slack = 48;
    const hold = (/** @type {number} */ offset, /** @type {number} */ length, /** @type {number} */ room) =>
      length <= room ? (room - length) / 2 : Math.min(slack, Math.max(room - length - slack, offset));
    return {
      scale: view.scale,
      x: hold(view.x, this.size.width * view.scale, this.stage.clientWidth),
      y: hold(view.y, this.size.height * view.scale, this.stage.clientHeight),
    };
  }

  /** @param {View} view @param {boolean} calm */
  #go(view, calm) {
    cancelAnimationFrame(this.#animation);
    if (!calm || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#target = null;
      this.view = view;
      this.#draw();
      return;
    }
    this.#target = view;
    const from = this.view;
    const start = performance.now();
    const frame = (/** @type {number} */ now) => {
      // The time of a frame may lie before the moment that asked for it.
      const t = Math.max(0, Math.min(1, (now - start) / CALM_MS));
      const eased = 1 - (1 - t) ** 3;
      const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * eased;
      this.view = { scale: mix(from.scale, view.scale), x: mix(from.x, view.x), y: mix(from.y, view.y) };
      this.#draw();
      if (t < 1) this.#animation = requestAnimationFrame(frame);
      else this.#target = null;
    };
    this.#animation = requestAnimationFrame(frame);
  }

  #resized() {
    if (!this.stage.clientWidth || !this.stage.clientHeight) return;
    if (this.#fitted) this.#go(this.fitView(), false);
    else this.#go(this.#held(this.view), false);
  }

  #draw() {
    const { scale, x, y } = this.view;
    const { clientWidth: width, clientHeight: height } = this.stage;
    this.picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.picture.classList.toggle("is-pixelated", scale >= 4);
    this.overlay.setAttribute("viewBox", `${-x / scale} ${-y / scale} ${width / scale} ${height / scale}`);
    this.overlay.style.setProperty("--k", String(1 / scale));
    this.dispatchEvent(new Event("change"));
  }
}
