/** The photos of somebody before they are saved: each is judged at once, and says what is wrong with it. */

import { html, icon, need, plural, readJson } from "../dom.js";
import { csrfToken, failureOf, post } from "../http.js";
import { takeFiles } from "../uploader/intake.js";
import { EnrolWebcam } from "./webcam.js";

/** @typedef {import("./chooser.js").Card} Card */
/** @typedef {"judging" | "good" | "bad" | "saving" | "saved" | "left"} State */
/**
 * @typedef {object} Photo
 * @property {Blob} file
 * @property {"upload" | "webcam"} source
 * @property {State} state
 * @property {string} sentence
 * @property {Card | null} looksLike
 * @property {string} url of the preview
 * @property {HTMLElement} element
 */

const AT_ONCE = 2;

/** What the answer says of why a photo is not enrolled, and whom it shows already. */
export class NotEnrolled extends Error {
  /** @param {string} code @param {string} message @param {Card | null} person */
  constructor(code, message, person) {
    super(message);
    this.code = code;
    this.person = person;
  }
}

export class PhotoTray {
  /** @type {Photo[]} */ photos = [];
  #judging = 0;

  /** @param {{onChange: () => void}} options */
  constructor({ onChange }) {
    this.config = readJson("photo-config");
    this.onChange = onChange;
    this.root = need("#tray");
    this.list = need("#tray-list");
    this.summary = need("#tray-summary");
    this.webcam = new EnrolWebcam(need("#enrol-webcam"), {
      url: this.config.judge,
      onTaken: (blob) => this.#add(blob, "webcam", true),
    });
    const input = /** @type {HTMLInputElement} */ (need("#photo-input"));
    takeFiles({ inputs: [input], veil: need("#drop-veil"), onFiles: (files) => files.forEach((file) => this.#add(file, "upload", false)) });
    this.root.addEventListener("change", (event) => {
      const chosen = event.target;
      if (chosen instanceof HTMLInputElement && chosen.matches("[data-source]")) this.#from(chosen.value);
    });
    this.list.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-remove]") : null;
      const photo = this.photos.find(({ element }) => button && element.contains(button));
      if (photo) this.#remove(photo);
    });
  }

  /** Those that can be saved. */
  get good() { return this.photos.filter(({ state }) => state === "good"); }

  get isJudging() { return this.photos.some(({ state }) => state === "judging"); }

  /** @param {Photo} photo @param {State} state @param {string} sentence */
  mark(photo, state, sentence) {
    photo.state = state;
    photo.sentence = sentence;
    this.#show(photo);
  }

  /** @param {string} source */
  #from(source) {
    for (const part of this.root.querySelectorAll("[data-from]")) {
      if (part instanceof HTMLElement) part.hidden = part.dataset.from !== source;
    }
    if (source !== "webcam") this.webcam.stop();
  }

  /** @param {Blob} file @param {"upload" | "webcam"} source @param {boolean} isGood */
  #add(file, source, isGood) {
    const url = URL.createObjectURL(file);
    const name = file instanceof File ? file.name : "Taken with the webcam";
    const image = html("img", { src: url, alt: "", width: 96, height: 96 });
    // Not every browser shows every kind of picture; the server reads more.
    image.addEventListener("error", () => image.replaceWith(html("span", { class: "photo-none" }, icon("image"))));
    const element = html("li", { class: "photo" }, image,
      html("div", { class: "photo-what" }, html("span", { class: "photo-name", title: name }, name),
        html("span", { class: "photo-say", "data-say": true })),
      html("button", { class: "icon-button", type: "button", "data-remove": true, "aria-label": `Remove ${name}`, title: "Remove" }, icon("x")));
    /** @type {Photo} */
    const photo = { file, source, state: "judging", sentence: "Looking at it", looksLike: null, url, element };
    this.photos.push(photo);
    this.list.append(element);
    if (file.size > this.config.max_bytes) this.mark(photo, "bad", "This file is too large.");
    else if (isGood) this.mark(photo, "good", "A good photo.");
    else this.#show(photo);
    void this.#judgeNext();
  }

  /** @param {Photo} photo */
  #remove(photo) {
    URL.revokeObjectURL(photo.url);
    photo.element.remove();
    this.photos = this.photos.filter((other) => other !== photo);
    this.#changed();
  }

  async #judgeNext() {
    const next = this.photos.find(({ state, element }) => state === "judging" && !element.dataset.sent);
    if (!next || this.#judging >= AT_ONCE) return;
    this.#judging += 1;
    next.element.dataset.sent = "1";
    const body = new FormData();
    body.append("picture", next.file);
    try {
      const answer = await post(this.config.judge, body);
      next.looksLike = answer.looks_like;
      this.mark(next, answer.code ? "bad" : "good", answer.sentence);
    } catch (error) {
      this.mark(next, "bad", /** @type {Error} */ (error).message);
    } finally {
      this.#judging -= 1;
      void this.#judgeNext();
    }
    void this.#judgeNext();
  }

  /** @param {Photo} photo */
  #show(photo) {
    photo.element.dataset.state = photo.state;
    const say = need("[data-say]", photo.element);
    say.replaceChildren(photo.sentence);
    if (photo.looksLike && photo.state === "good") {
      say.append(" Looks like ", html("a", { href: photo.looksLike.url, target: "_blank" }, photo.looksLike.name), ".");
      photo.element.dataset.state = "asks";
    }
    this.#changed();
  }

  #changed() {
    const good = this.photos.filter(({ state }) => state === "good" || state === "saved").length;
    const bad = this.photos.filter(({ state }) => state === "bad").length;
    const parts = [];
    if (good) parts.push(`${plural(good, "good photo")}${good < 3 ? ", three or more are better" : ""}`);
    if (bad) parts.push(`${plural(bad, "photo")} will not be used`);
    this.summary.textContent = parts.join(" · ");
    this.onChange();
  }
}

/**
 * Enrols one photo.
 * @param {string} url @param {Photo} photo @param {boolean} confirm
 * @returns {Promise<void>} NotEnrolled otherwise
 */
export async function enrol(url, photo, confirm) {
  const body = new FormData();
  body.append("picture", photo.file, photo.file instanceof File ? photo.file.name : "webcam.jpg");
  body.append("source", photo.source);
  if (confirm) body.append("confirm", "true");
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, {
      method: "POST", body, credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
    });
  } catch {
    throw failureOf(0, "");
  }
  if (response.ok && !response.redirected) return;
  const text = await response.text();
  /** @type {Card | null} */
  let person = null;
  try {
    person = JSON.parse(text).error.person ?? null;
  } catch {
    // An error page answered.
  }
  const failure = failureOf(response.status, text);
  throw new NotEnrolled(failure.code, failure.message, person);
}
