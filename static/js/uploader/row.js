/** One row of the upload list. */

import { fileSize, icon, need, plural } from "../dom.js";
import { isOpen } from "./queue.js";

/** @param {number} count @param {boolean} isVideo */
function found(count, isVideo) {
  if (isVideo) return count ? plural(count, "track") : "No tracks";
  return count ? plural(count, "object") : "Nothing found";
}

/** @param {import("./queue.js").Item} item @returns {string} */
function note(item) {
  const size = fileSize(item.file.size);
  const percent = `${Math.round(item.progress * 100)}%`;
  const isVideo = item.route.kind === "video";
  switch (item.state) {
    case "waiting": return `${size} · Waiting`;
    case "uploading": return `${size} · ${item.progress < 1 ? `Uploading ${percent}` : "Checking"}`;
    case "queued": return item.message || `${size} · In the queue`;
    case "running": return item.message || (isVideo ? "Opening the video" : "Finding objects");
    case "done": return item.count === null ? size : `${size} · ${found(item.count, isVideo)}`;
    case "cancelled": return `${size} · Cancelled`;
    default: return item.error || "This did not work.";
  }
}

export class Row {
  /** @type {(() => void) | null} gives the address of the preview back */
  release = null;
  #askedServer = false;

  /** @param {import("./queue.js").Item} item */
  constructor(item) {
    this.item = item;
    const template = /** @type {HTMLTemplateElement} */ (need("#upload-row"));
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    this.name = need(".upload-name", this.element);
    this.name.textContent = item.file.name;
    this.name.title = item.file.name;
    this.picture = /** @type {HTMLImageElement} */ (need("img", this.element));
    if (item.route.kind === "video") need(".upload-thumb .icon", this.element).replaceWith(icon("film"));
    this.#preview();
    this.update();
  }

  #preview() {
    if (!this.item.file.type.startsWith("image/") || this.item.final) return;
    const url = URL.createObjectURL(this.item.file);
    this.release = () => { URL.revokeObjectURL(url); this.release = null; };
    this.picture.hidden = false;
    // The decoded picture stays after its address is given back.
    this.picture.addEventListener("load", () => this.release?.(), { once: true });
    this.picture.addEventListener("error", () => { this.picture.hidden = true; this.release?.(); }, { once: true });
    this.picture.src = url;
  }

  update() {
    const { item, element } = this;
    element.dataset.state = item.state;
    need(".upload-note", element).textContent = note(item);
    const bar = need(".progress", element);
    bar.classList.toggle("is-waiting", item.state === "queued" || (item.state === "running" && !item.progress));
    /** @type {HTMLElement} */ (need("span", bar)).style.setProperty("--value", String(item.progress));
    const link = /** @type {HTMLAnchorElement} */ (need(".upload-open", element));
    // A video can be watched while it is worked on.
    const isLive = item.route.kind === "video" && isOpen(item);
    link.hidden = !item.session || !(item.state === "done" || isLive);
    link.textContent = isLive ? "Watch" : "See result";
    if (item.session) link.href = item.session.url;
    // Begins with what the button says, for those who speak to their computer.
    link.setAttribute("aria-label", `${isLive ? "Watch" : "See result of"} ${item.file.name}`);
    this.#label("retry", "Retry");
    this.#label("cancel", isOpen(item) ? "Cancel" : "Remove");
    need('[data-act="retry"]', element).hidden = !["failed", "cancelled"].includes(item.state) || item.final;
    // Formats the browser cannot show get the server's thumbnail.
    if (item.session && this.picture.hidden && this.picture.src !== item.session.thumbnail && !this.#askedServer) {
      this.#askedServer = true;
      this.picture.src = item.session.thumbnail;
      this.picture.hidden = false;
    }
  }

  /** @param {string} act @param {string} text */
  #label(act, text) {
    const button = need(`[data-act="${act}"]`, this.element);
    button.title = text;
    need("span", button).textContent = `${text} ${this.item.file.name}`;
  }

  remove() {
    this.release?.();
    this.element.remove();
  }
}
