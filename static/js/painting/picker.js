/** Which style: one of the pictures, or a file that becomes one when the painting begins. */

import { need } from "../dom.js";

/** @typedef {{id: string, name: string, fast: boolean, file: File | null}} Chosen */

export class StylePicker {
  /** @type {File | null} */ #file = null;
  #look = "";

  /** @param {HTMLElement} root @param {() => void} onChange */
  constructor(root, onChange) {
    this.root = root;
    this.onChange = onChange;
    this.input = /** @type {HTMLInputElement} */ (need("#style-image", root));
    this.input.addEventListener("change", () => {
      const file = this.input.files?.[0];
      if (file) this.take(file);
    });
    need("[data-own-drop]", root).addEventListener("click", () => this.drop());
    root.addEventListener("change", (event) => {
      if (event.target instanceof HTMLInputElement && event.target.name === "style") onChange();
    });
    root.querySelector("#style-query")?.addEventListener("keydown", (event) => {
      // Enter looks for styles; it does not send the form.
      if (/** @type {KeyboardEvent} */ (event).key === "Enter") event.preventDefault();
    });
    if (this.input.files?.[0]) this.take(this.input.files[0]);
  }

  /** @returns {Chosen | null} */
  get chosen() {
    if (this.#file) return { id: "", name: this.#file.name, fast: false, file: this.#file };
    const radio = /** @type {HTMLInputElement | null} */ (this.root.querySelector('input[name="style"]:checked'));
    if (!radio) return null;
    return { id: radio.value, name: radio.dataset.name ?? "", fast: "fast" in radio.dataset, file: null };
  }

  /** A picture that is to be the style. @param {File} file */
  take(file) {
    this.#file = file;
    if (this.#look) URL.revokeObjectURL(this.#look);
    this.#look = URL.createObjectURL(file);
    const image = /** @type {HTMLImageElement} */ (need("[data-own-look]", this.root));
    image.src = this.#look;
    image.hidden = false;
    image.onerror = () => { image.hidden = true; };
    need("[data-own-name]", this.root).textContent = file.name;
    this.#show(true);
  }

  drop() {
    this.#file = null;
    this.input.value = "";
    this.#show(false);
    /** @type {HTMLInputElement | null} */ (this.root.querySelector('input[name="style"]'))?.focus();
  }

  /** @param {boolean} own */
  #show(own) {
    need("[data-own-style]", this.root).hidden = !own;
    need("#style-choices", this.root).hidden = own;
    const search = /** @type {HTMLElement | null} */ (this.root.querySelector(".search"));
    if (search) search.hidden = own;
    this.onChange();
  }
}
