/** Boxes over the local film, where the film lies inside its stage. */

import { inkOn } from "../result/overlay.js";

/** @typedef {[number | null, string, number, number, number, number, number]} Found
 *  number, class, confidence, x, y, width, height (0..1 of the picture) */

const NO_COLOR = "#9aa0aa";
const SMALL = 420; // pixels; below that, labels are smaller

export class Boxes {
  /** @param {HTMLCanvasElement} canvas @param {HTMLVideoElement} video */
  constructor(canvas, video) {
    this.canvas = canvas;
    this.video = video;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  clear() {
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** @param {Found[]} found @param {Record<string, string>} colors */
  draw(found, colors) {
    const { left, top, width, height } = this.#fit();
    for (const [number, name, confidence, x, y, w, h] of found) {
      const color = colors[name] ?? NO_COLOR;
      const box = { x: left + x * width, y: top + y * height, width: w * width, height: h * height };
      const text = number === null ? name : `${name} ${number}`;
      this.#drawBox(box, color);
      this.#drawTag(`${text} · ${Math.round(confidence * 100)}%`, box, color);
    }
  }

  /** Makes the canvas as fine as the screen, and tells where the film lies in it. */
  #fit() {
    const { canvas, video, context } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const { clientWidth, clientHeight } = canvas;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const scale = Math.min(clientWidth / (video.videoWidth || 1), clientHeight / (video.videoHeight || 1));
    const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
    return { left: (clientWidth - width) / 2, top: (clientHeight - height) / 2, width, height };
  }

  /** @param {{x: number, y: number, width: number, height: number}} box @param {string} color */
  #drawBox({ x, y, width, height }, color) {
    const { context } = this;
    context.lineWidth = 3.5;
    context.strokeStyle = "rgb(0 0 0 / 42%)";
    context.strokeRect(x, y, width, height);
    context.lineWidth = 2;
    context.strokeStyle = color;
    context.strokeRect(x, y, width, height);
  }

  /** @param {string} text @param {{x: number, y: number}} box @param {string} color */
  #drawTag(text, { x, y }, color) {
    const { context } = this;
    context.font = `560 ${this.canvas.clientWidth < SMALL ? 10 : 12}px ${getComputedStyle(document.body).fontFamily}`;
    const width = Math.ceil(context.measureText(text).width) + 10;
    const top = Math.max(0, y - 19);
    const left = Math.max(0, Math.min(x - 1, this.canvas.clientWidth - width));
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(left, top, width, 18, 3);
    context.fill();
    context.textBaseline = "middle";
    context.fillStyle = inkOn(color);
    context.fillText(text, left + 5, top + 9.5);
  }
}
