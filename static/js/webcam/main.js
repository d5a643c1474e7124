/** The webcam's page: starts the camera, sends its pictures one at a time, draws what comes back. */

import { html, need } from "../dom.js";
import { initOptions } from "../options.js";
import { toast } from "../toast.js";
import { Boxes } from "./boxes.js";
import { Pace } from "./pace.js";
import { WebcamSocket } from "./socket.js";

const QUALITY = 0.75;
const ANSWER_MS = 8000; // after so long a picture counts as lost

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "The browser may not use the camera. Allow it beside the address, then try again.",
  NotFoundError: "No camera was found. Connect one, then try again.",
  NotReadableError: "Another program uses the camera. Close it, then try again.",
  OverconstrainedError: "The camera gives no picture that fits.",
};

const root = need("#webcam");
const video = /** @type {HTMLVideoElement} */ (need("#webcam-video", root));
const boxes = new Boxes(/** @type {HTMLCanvasElement} */ (need("#webcam-boxes", root)), video);
const banner = need("[data-banner]", root);
const notice = need("[data-notice]", root);
const form = /** @type {HTMLFormElement} */ (need("form", root));
const [saveButton, stopButton] = ["[data-save]", "[data-stop]"].map(
  (selector) => /** @type {HTMLButtonElement} */ (need(selector, root)),
);
const socket = new WebcamSocket();
const sketch = document.createElement("canvas");
let pace = new Pace();
let [number, sentAt, waiting, timer] = [0, 0, false, 0];
/** @type {MediaStream | null} */
let stream = null;

/** @param {string} state */
function show(state) {
  root.dataset.state = state;
  stopButton.disabled = state !== "live";
  if (state !== "live") saveButton.disabled = true;
}

/** @param {string} text empty: nothing to say */
function say(text) {
  banner.textContent = text;
  banner.hidden = !text;
}

/** @param {string} name @param {string} text */
function figure(name, text) {
  need(`[data-figure="${name}"]`, root).textContent = text;
}

async function start() {
  try {
    const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "environment" };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    fail(REASONS[name] ?? "The camera cannot be used.");
    return;
  }
  stream.getVideoTracks()[0].addEventListener("ended", () => fail("The camera was disconnected."));
  video.srcObject = stream;
  await video.play();
  pace = new Pace();
  waiting = false;
  show("live");
  say("Connecting …");
  socket.open();
  timer = requestAnimationFrame(step);
}

function stop() {
  cancelAnimationFrame(timer);
  socket.close();
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  boxes.clear();
  say("");
  show("idle");
}

/** @param {string} reason */
function fail(reason) {
  stop();
  need("[data-reason]", root).textContent = reason;
  show("failed");
}

/** One picture at a time: the next one when the answer is there, and not more often than is useful. */
function step() {
  timer = requestAnimationFrame(step);
  const now = performance.now();
  if (waiting && now - sentAt > ANSWER_MS) waiting = false;
  if (waiting || !socket.ready || now - sentAt < pace.interval || document.hidden || !video.videoWidth) return;
  waiting = true;
  sentAt = now;
  const scale = Math.min(1, pace.width / video.videoWidth);
  sketch.width = Math.round(video.videoWidth * scale);
  sketch.height = Math.round(video.videoHeight * scale);
  sketch.getContext("2d")?.drawImage(video, 0, 0, sketch.width, sketch.height);
  sketch.toBlob((blob) => {
    if (blob && stream) void socket.send(number = (number + 1) % 2 ** 32, blob);
    else waiting = false;
  }, "image/jpeg", QUALITY);
}

function sendOptions() {
  const data = new FormData(form);
  const classes = String(data.get("classes") ?? "").split(",").filter(Boolean);
  socket.ask({ type: "options", model: data.get("model"), confidence: Number(data.get("confidence")), classes });
}

socket.addEventListener("hello", () => { say(""); waiting = false; sendOptions(); });
socket.addEventListener("lost", () => { say("Connection lost, trying again …"); waiting = false; boxes.clear(); });
socket.addEventListener("refused", (event) => fail(/** @type {CustomEvent} */ (event).detail.reason));
socket.addEventListener("boxes", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.number !== number || !stream) return;
  const now = performance.now();
  pace.note(now - sentAt, now);
  waiting = false;
  say("");
  boxes.draw(detail.objects, detail.colors);
  saveButton.disabled = false;
  figure("objects", String(detail.objects.length));
  figure("rate", pace.rate.toFixed(1));
  figure("trip", `${Math.round(pace.trip)} ms`);
  figure("detect", `${Math.round(detail.ms.detect)} ms`);
  figure("size", `${detail.width} × ${detail.height}`);
  notice.textContent = detail.notice;
  notice.hidden = !detail.notice;
});
socket.addEventListener("error", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (!detail) return;
  say(detail.message);
  waiting = false;
  sentAt = performance.now() + 1000; // whatever it is, it is not better a moment later
});
socket.addEventListener("saved", (event) => {
  const { name, url } = /** @type {CustomEvent} */ (event).detail;
  saveButton.disabled = false;
  toast(`Saved as “${name}”.`);
  document.querySelector("#toasts .toast:last-child span")?.append(" ", html("a", { href: url }, "Open it"));
});
socket.addEventListener("not_saved", (event) => {
  saveButton.disabled = false;
  toast(/** @type {CustomEvent} */ (event).detail.message, { error: true });
});

root.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-start]")) void start();
  if (target?.closest("[data-stop]")) stop();
  if (target?.closest("[data-save]")) { saveButton.disabled = true; socket.ask({ type: "save" }); }
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", sendOptions);
window.addEventListener("pagehide", stop);
initOptions(need("[data-options]", form));
show(window.isSecureContext && navigator.mediaDevices ? "idle" : "insecure");
