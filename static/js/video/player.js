/**
 * The player: the film, or a clock of its own where there is none any more, with controls and keys.
 * Tells "time" when the position changes, "frame" with the time of the frame that is shown, which
 * comes a moment later, and "state" when it begins or ceases to play.
 */

import { need } from "../dom.js";
import { paintRange } from "../options.js";
import { clock } from "./format.js";

const STEP = 5; // seconds of an arrow key

export class Player extends EventTarget {
  #ghost = { time: 0, playing: false, rate: 1, at: 0 };
  #dragging = false;
  #painting = 0;
  #frameTime = 0;

  /** @param {HTMLElement} root @param {import("./model.js").VideoData} data */
  constructor(root, data) {
    super();
    this.root = root;
    this.data = data;
    this.film = /** @type {HTMLVideoElement | null} */ (root.querySelector("video"));
    this.seeker = /** @type {HTMLInputElement} */ (need("[data-seek]", root));
    this.hasOverlay = data.has_overlay;
    /** Whether there is another film to show when this one cannot be played. */
    this.canFallBack = !data.hides_people && data.urls.annotated !== null;
    if (this.film) this.#listenToFilm(this.film);
    this.#listenToControls();
    this.#show();
  }

  get time() {
    // Until the film has its own length, it is at the beginning.
    return this.film ? this.film.currentTime : this.#ghost.time;
  }

  /** Seconds of the frame that is shown. */
  get frameTime() {
    return this.#frameTime;
  }

  get isPlaying() {
    return this.film ? !this.film.paused && !this.film.ended : this.#ghost.playing;
  }

  /** @param {number} time seconds */
  seek(time) {
    const wanted = Math.min(Math.max(0, time), this.data.duration);
    this.root.classList.add("has-begun");
    if (this.film) this.film.currentTime = Math.min(wanted, this.film.duration || wanted);
    else {
      this.#ghost.time = wanted;
      this.#tellFrame(wanted);
    }
    this.#tellTime();
  }

  toggle() {
    if (this.isPlaying) this.#pause();
    else this.#play();
  }

  #play() {
    if (this.time >= this.data.duration - 0.05) this.seek(0);
    if (this.film) {
      this.film.play().catch(() => this.#changed());
      return;
    }
    this.#ghost.playing = true;
    this.#ghost.at = performance.now();
    this.#changed();
    requestAnimationFrame((now) => this.#tick(now));
  }

  #pause() {
    if (this.film) this.film.pause();
    this.#ghost.playing = false;
    this.#changed();
  }

  /** Time goes on without a film, so that the tracks can be watched. @param {number} now */
  #tick(now) {
    const ghost = this.#ghost;
    if (!ghost.playing) return;
    // A frame's time may lie a moment before the click that began it.
    const passed = Math.max(0, now - ghost.at) / 1000;
    ghost.time = Math.min(this.data.duration, ghost.time + passed * ghost.rate);
    ghost.at = now;
    if (ghost.time >= this.data.duration) this.#pause();
    this.#tellFrame(ghost.time);
    this.#tellTime();
    requestAnimationFrame((next) => this.#tick(next));
  }

  /** @param {HTMLVideoElement} film */
  #listenToFilm(film) {
    film.addEventListener("error", () => this.#fallBack(film));
    film.addEventListener("loadedmetadata", () => {
      // Sound without a picture: the browser knows the container and not the codec.
      if (!film.videoWidth) this.#fallBack(film);
    });
    // From here on the film's own first frame is sharper than the thumbnail.
    film.addEventListener("loadeddata", () => film.removeAttribute("poster"));
    for (const name of ["play", "pause", "ended"]) film.addEventListener(name, () => this.#changed());
    for (const name of ["seeked", "timeupdate", "loadeddata"]) film.addEventListener(name, () => this.#tellTime());
    for (const name of ["waiting", "seeking"]) film.addEventListener(name, () => this.root.classList.add("is-waiting"));
    for (const name of ["playing", "seeked", "canplay", "error"]) {
      film.addEventListener(name, () => this.root.classList.remove("is-waiting"));
    }
    this.#follow(film);
    // The error may have come before this script.
    if (film.error) this.#fallBack(film);
  }

  /** Each frame that is shown tells its own time; where that is not known, the clock is asked. @param {HTMLVideoElement} film */
  #follow(film) {
    if ("requestVideoFrameCallback" in film) {
      const next = (/** @type {number} */ _now, /** @type {{mediaTime: number}} */ shown) => {
        this.#tellFrame(shown.mediaTime);
        this.#tellTime();
        film.requestVideoFrameCallback(next);
      };
      film.requestVideoFrameCallback(next);
      return;
    }
    const look = () => this.#tellFrame(film.currentTime);
    for (const name of ["seeked", "loadeddata"]) film.addEventListener(name, look);
    const next = () => {
      if (!film.paused) look();
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  /** @param {HTMLVideoElement} film */
  #fallBack(film) {
    const notice = need("#player-notice", this.root);
    const { annotated } = this.data.urls;
    notice.hidden = false;
    if (!this.canFallBack || !annotated) {
      notice.textContent = "This browser cannot play the video. Download it to watch it with another program.";
      return;
    }
    this.canFallBack = false;
    this.hasOverlay = false;
    notice.textContent = "This browser cannot play the original. This is the annotated video, with what was drawn into it.";
    const time = film.currentTime;
    film.src = annotated;
    film.currentTime = time;
    this.dispatchEvent(new Event("fallback"));
  }

  #listenToControls() {
    const { root, seeker } = this;
    need("[data-play]", root).addEventListener("click", () => this.toggle());
    need("#big-play", root).addEventListener("click", () => this.toggle());
    seeker.addEventListener("input", () => {
      this.#dragging = true;
      this.seek(Number(seeker.value));
    });
    seeker.addEventListener("change", () => { this.#dragging = false; });
    const speed = /** @type {HTMLSelectElement} */ (need("[data-speed]", root));
    speed.addEventListener("change", () => {
      if (this.film) this.film.playbackRate = Number(speed.value);
      this.#ghost.rate = Number(speed.value);
    });
    root.querySelector("[data-mute]")?.addEventListener("click", () => this.#mute());
    need("[data-full]", root).addEventListener("click", () => this.#fullScreen());
    root.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #mute() {
    if (!this.film) return;
    this.film.muted = !this.film.muted;
    const button = need("[data-mute]", this.root);
    button.setAttribute("aria-pressed", String(this.film.muted));
    need('[data-icon="sound"]', button).hidden = this.film.muted;
    need('[data-icon="muted"]', button).hidden = !this.film.muted;
  }

  /** The wrapper, so that boxes and controls come along. */
  #fullScreen() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => { /* Not allowed here. */ });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {Element} */ (event.target);
    // A select or a slider has its own use for arrows, a button for space.
    if (target.matches("select")) return;
    const frame = 1 / Math.max(1, this.data.rate);
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => this.seek(this.time - (event.shiftKey ? frame : STEP)),
      ArrowRight: () => this.seek(this.time + (event.shiftKey ? frame : STEP)),
      ",": () => this.seek(this.time - frame),
      ".": () => this.seek(this.time + frame),
      Home: () => this.seek(0),
      End: () => this.seek(this.data.duration),
      f: () => this.#fullScreen(),
      m: () => this.#mute(),
      k: () => this.toggle(),
    };
    if (!target.closest("button")) acts[" "] = () => this.toggle();
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #changed() {
    const playing = this.isPlaying;
    this.root.classList.toggle("is-playing", playing);
    if (playing) this.root.classList.add("has-begun");
    const button = need("[data-play]", this.root);
    need('[data-icon="play"]', button).hidden = playing;
    need('[data-icon="pause"]', button).hidden = !playing;
    need("[data-play-text]", button).textContent = playing ? "Pause" : "Play";
    button.title = `${playing ? "Pause" : "Play"} (space)`;
    this.dispatchEvent(new Event("state"));
  }

  /** @param {number} time */
  #tellFrame(time) {
    this.#frameTime = time;
    this.dispatchEvent(new Event("frame"));
  }

  #tellTime() {
    this.dispatchEvent(new Event("time"));
    if (this.#painting) return;
    this.#painting = requestAnimationFrame(() => { this.#painting = 0; this.#show(); });
  }

  #show() {
    const { time, seeker } = this;
    need("[data-now]", this.root).textContent = clock(time);
    if (!this.#dragging) seeker.value = String(time);
    seeker.setAttribute("aria-valuetext", clock(time));
    paintRange(seeker);
  }
}
