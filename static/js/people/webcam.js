/** Photos by the webcam: says what to do, and takes five good ones by itself. Nothing is stored by it. */

import { need } from "../dom.js";
import { post } from "../http.js";

const EVERY_MS = 300;
const APART_MS = 900; // pictures of one moment say the same
const WANTED = 5;
const WIDTH = 960;
const QUALITY = 0.9;

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "The browser may not use the camera. Allow it beside the address, then try again.",
  NotFoundError: "No camera was found. Connect one, then try again.",
  NotReadableError: "Another program uses the camera. Close it, then try again.",
  OverconstrainedError: "The camera gives no picture that fits.",
};

// Other angles are what makes the fifth picture worth more than the first.
const NEXT = ["", "Good. Turn your head a little to one side.", "Good. A little to the other side.", "Good. Lift your chin a little.", "Good. One more."];

export class EnrolWebcam {
  /** @type {MediaStream | null} */ #stream = null;
  #timer = 0;
  #taken = 0;
  #lastAt = 0;
  #busy = false;

  /** @param {HTMLElement} root @param {{url: string, onTaken: (blob: Blob) => void}} options */
  constructor(root, { url, onTaken }) {
    this.root = root;
    this.url = url;
    this.onTaken = onTaken;
    this.video = /** @type {HTMLVideoElement} */ (need("video", root));
    this.say = need("[data-say]", root);
    this.stopButton = need("[data-stop]", root);
    this.dots = [...need("[data-dots]", root).children];
    this.sketch = document.createElement("canvas");
    root.addEventListener("click", (event) => {
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("[data-start]")) void this.start();
      if (target?.closest("[data-stop]")) this.stop();
    });
    window.addEventListener("pagehide", () => this.stop());
    this.#show(window.isSecureContext && navigator.mediaDevices ? "idle" : "insecure");
  }

  async start() {
    try {
      const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (error) {
      this.#fail(REASONS[error instanceof Error ? error.name : ""] ?? "The camera cannot be used.");
      return;
    }
    this.#stream.getVideoTracks()[0].addEventListener("ended", () => this.#fail("The camera was disconnected."));
    this.video.srcObject = this.#stream;
    await this.video.play();
    this.#taken = 0;
    this.#lastAt = 0;
    this.#mark();
    this.#show("live");
    this.#tell("Look into the camera.", "");
    this.#timer = window.setInterval(() => void this.#step(), EVERY_MS);
  }

  /** @param {string} [state] */
  stop(state = "idle") {
    clearInterval(this.#timer);
    if (!this.#stream) return;
    this.#stream.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.video.srcObject = null;
    this.#show(state);
  }

  /** @param {string} reason */
  #fail(reason) {
    this.stop();
    need("[data-reason]", this.root).textContent = reason;
    this.#show("failed");
  }

  async #step() {
    if (this.#busy || !this.#stream || document.hidden || !this.video.videoWidth) return;
    this.#busy = true;
    try {
      const picture = await this.#picture();
      if (picture) await this.#judge(picture);
    } catch (error) {
      this.#tell(/** @type {Error} */ (error).message, "is-bad");
    } finally {
      this.#busy = false;
    }
  }

  /** @returns {Promise<Blob | null>} */
  #picture() {
    const { video, sketch } = this;
    const scale = Math.min(1, WIDTH / video.videoWidth);
    sketch.width = Math.round(video.videoWidth * scale);
    sketch.height = Math.round(video.videoHeight * scale);
    sketch.getContext("2d")?.drawImage(video, 0, 0, sketch.width, sketch.height);
    return new Promise((resolve) => sketch.toBlob(resolve, "image/jpeg", QUALITY));
  }

  /** @param {Blob} picture */
  async #judge(picture) {
    const body = new FormData();
    body.append("picture", picture, "moment.jpg");
    body.append("moment", "true");
    const answer = await post(this.url, body);
    if (!this.#stream) return;
    if (answer.code) {
      this.#tell(answer.sentence, "is-bad");
      return;
    }
    const now = performance.now();
    if (now - this.#lastAt >= APART_MS) {
      this.#lastAt = now;
      this.#taken += 1;
      this.#mark();
      this.onTaken(picture);
    }
    if (this.#taken >= WANTED) this.stop("done");
    else this.#tell(NEXT[this.#taken] || answer.sentence, "is-good");
  }

  #mark() {
    this.dots.forEach((dot, at) => dot.classList.toggle("is-taken", at < this.#taken));
  }

  /** @param {string} text @param {string} look */
  #tell(text, look) {
    if (this.say.textContent !== text) this.say.textContent = text;
    this.say.className = `enrol-say ${look}`;
    this.root.dataset.look = look;
  }

  /** @param {string} state */
  #show(state) {
    this.root.dataset.state = state;
    this.say.hidden = state !== "live";
    this.stopButton.hidden = state !== "live";
  }
}
