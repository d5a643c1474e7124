/** Fields in which a person is searched and chosen (ARIA combobox with a list box). */

import { html, need } from "../dom.js";
import { getJson } from "../http.js";

/** @typedef {{id: string, name: string, kind: string, url: string, photo: string, initials: string}} Card */

const WAIT_MS = 200;

/** A face in a frame: the photo, or the initials where there is none. @param {{photo: string, initials: string}} card */
export function face({ photo, initials }) {
  const inside = photo ? html("img", { src: photo, alt: "" }) : html("span", { "aria-hidden": "true" }, initials);
  return html("span", { class: "face" }, inside);
}

export class Chooser {
  /** @type {Card[]} */ #found = [];
  /** @type {Card | null} */ #chosen = null;
  #active = -1;
  #timer = 0;
  #asked = 0;

  /** @param {HTMLElement} root @param {(card: Card | null) => void} [onChange] */
  constructor(root, onChange = () => {}) {
    this.root = root;
    this.onChange = onChange;
    this.hidden = /** @type {HTMLInputElement} */ (need("[data-chosen-person]", root));
    this.input = /** @type {HTMLInputElement} */ (need("[role=combobox]", root));
    this.list = need("[role=listbox]", root);
    this.input.addEventListener("input", () => { this.#choose(null); this.#later(); });
    this.input.addEventListener("focus", () => { if (!this.#chosen) void this.#search(); });
    this.input.addEventListener("keydown", (event) => this.#onKey(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = event.target instanceof Element ? event.target.closest("li[data-at]") : null;
      if (item) this.#take(Number(item.getAttribute("data-at")));
    });
  }

  /** What is written in the field. */
  get text() { return this.input.value.trim(); }

  get chosen() { return this.#chosen; }

  clear() {
    this.input.value = "";
    this.#found = [];
    this.#render();
    this.#choose(null);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#search(), WAIT_MS);
  }

  async #search() {
    const now = ++this.#asked;
    const query = new URLSearchParams({ q: this.text, but: this.root.dataset.but ?? "" });
    let found;
    try {
      found = (await getJson(`${this.root.dataset.url}?${query}`)).people;
    } catch {
      found = [];
    }
    if (now !== this.#asked || this.#chosen) return;
    this.#found = found;
    this.#active = this.text && found.length ? 0 : -1;
    this.#render();
  }

  #render() {
    this.input.setAttribute("aria-expanded", String(this.#found.length > 0));
    this.list.replaceChildren(...this.#found.map((card, at) => html("li", {
      role: "option", id: `${this.list.id}-${at}`, "data-at": at, "aria-selected": at === this.#active,
      class: at === this.#active ? "is-active" : "",
    }, face(card), html("b", {}, card.name), html("small", {}, card.kind))));
    if (!this.#found.length && this.text && !this.#chosen) {
      this.list.append(html("li", { class: "chooser-none" }, "Nobody of this name."));
    }
    if (this.#active >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.#active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const count = this.#found.length;
      if (count) this.#active = (this.#active + (event.key === "ArrowDown" ? 1 : -1) + count) % count;
      this.#render();
      event.preventDefault();
    } else if (event.key === "Enter" && !this.#chosen && this.#active >= 0) {
      this.#take(this.#active);
      event.preventDefault();
    }
  }

  /** @param {number} at */
  #take(at) {
    const card = this.#found[at];
    if (!card) return;
    this.input.value = card.name;
    this.#choose(card);
    this.#found = [];
    this.#active = -1;
    this.#render();
  }

  /** @param {Card | null} card */
  #choose(card) {
    if (card === null && this.#chosen === null && !this.hidden.value) { this.onChange(null); return; }
    this.#chosen = card;
    this.hidden.value = card?.id ?? "";
    this.onChange(card);
  }
}
