/** One moving picture: decoded off the page's thread, painted with the screen's beat, drawn over. */

import { drawObjects, drawRegions, typeFor } from "./draw.js";

/** @typedef {import("./pictures.js").Meta} Meta */
/** @typedef {{meta: Meta, bitmap: ImageBitmap, order: number}} Arrived */

/** @type {Set<Screen>} */
const due = new Set();
let asked = false;

/** All screens are painted in one go. @param {Screen} screen */
function paintSoon(screen) {
  due.add(screen);
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const now = [...due];
    due.clear();
    for (const each of now) each.paint();
  });
}

export class Screen {
  /** @type {Arrived | null} */
  #waiting = null;
  #arrived = 0;
  #newest = 0;
  #closed = false;
  #rect = { x: 0, y: 0, width: 0, height: 0 };
  #ratio = 1;
  /** @type {ResizeObserver} */
  #observer;
  /** @type {Meta | null} of the picture that is seen */
  meta = null;
  /** How many pictures were shown. */
  shown = 0;
  withBoxes = true;
  /** @type {{zones: import("./draw.js").Zone[], lines: import("./draw.js").Line[]}} */
  regions = { zones: [], lines: [] };

  /**
   * @param {HTMLCanvasElement} picture @param {HTMLCanvasElement} overlay
   * @param {(meta: Meta) => void} onDone called for each picture once it was shown or overtaken
   */
  constructor(picture, overlay, onDone) {
    this.picture = picture;
    this.overlay = overlay;
    this.onDone = onDone;
    this.painter = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d", { alpha: false }));
    this.context = /** @type {CanvasRenderingContext2D} */ (overlay.getContext("2d"));
    this.family = getComputedStyle(document.body).fontFamily;
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(overlay);
  }

  /** @param {Meta} meta @param {Blob} blob */
  async take(meta, blob) {
    const order = ++this.#arrived;
    /** @type {ImageBitmap | null} */
    let bitmap = null;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      // Damaged on its way: the next one comes.
    }
    // Decoders run side by side and may finish in another order.
    if (!bitmap || this.#closed || order < this.#newest) {
      bitmap?.close();
      this.onDone(meta);
      return;
    }
    this.#newest = order;
    this.#drop();
    this.#waiting = { meta, bitmap, order };
    paintSoon(this);
  }

  paint() {
    const next = this.#waiting;
    if (next) {
      this.#waiting = null;
      const { bitmap, meta } = next;
      if (this.picture.width !== bitmap.width || this.picture.height !== bitmap.height) {
        this.picture.width = bitmap.width;
        this.picture.height = bitmap.height;
        this.meta = meta;
        this.#fit();
      }
      this.painter.drawImage(bitmap, 0, 0);
      bitmap.close();
      this.meta = meta;
      this.shown += 1;
      this.onDone(meta);
    }
    this.#draw();
  }

  /** @param {boolean} on */
  showBoxes(on) {
    this.withBoxes = on;
    paintSoon(this);
  }

  redraw() {
    paintSoon(this);
  }

  close() {
    this.#closed = true;
    this.#observer.disconnect();
    due.delete(this);
    this.#drop();
  }

  #drop() {
    if (!this.#waiting) return;
    this.#waiting.bitmap.close();
    this.onDone(this.#waiting.meta);
    this.#waiting = null;
  }

  /** The picture keeps its shape; the drawing lies where it is. */
  #fit() {
    const { overlay, picture } = this;
    const { clientWidth, clientHeight } = overlay;
    this.#ratio = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [Math.round(clientWidth * this.#ratio), Math.round(clientHeight * this.#ratio)];
    // A canvas is emptied by being given its size, even the same one.
    if (overlay.width !== width) overlay.width = width;
    if (overlay.height !== height) overlay.height = height;
    const scale = Math.min(clientWidth / picture.width, clientHeight / picture.height);
    this.#rect = {
      x: (clientWidth - picture.width * scale) / 2, y: (clientHeight - picture.height * scale) / 2,
      width: picture.width * scale, height: picture.height * scale,
    };
    paintSoon(this);
  }

  #draw() {
    const { context, meta } = this;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.overlay.clientWidth, this.overlay.clientHeight);
    if (!meta || !this.withBoxes) return;
    const type = typeFor(this.#rect.width, this.family);
    drawRegions(context, this.regions, meta.occupancy, this.#rect, type);
    drawObjects(context, meta, this.#rect, type);
  }
}
