/** A searchable choice of many, with the chosen ones as chips (ARIA combobox with a list box). */

import { html, icon, need } from "./dom.js";

export class ClassPicker {
  /** @type {string[]} */ #options = [];
  /** @type {string[]} */ chosen = [];
  #active = -1;

  /** @param {HTMLElement} root @param {() => void} onChange */
  constructor(root, onChange) {
    this.root = root;
    this.onChange = onChange;
    this.hidden = /** @type {HTMLInputElement} */ (need('input[type="hidden"]', root));
    this.input = /** @type {HTMLInputElement} */ (need(".picker-input", root));
    this.box = need(".picker-box", root);
    this.list = need(".picker-list", root);
    this.chosen = this.hidden.value ? this.hidden.value.split(",") : [];
    this.box.addEventListener("click", (event) => this.#onBoxClick(event));
    this.input.addEventListener("focus", () => this.#open());
    this.input.addEventListener("input", () => this.#open());
    this.input.addEventListener("keydown", (event) => this.#onKey(event));
    // Keeps the focus in the field while the list is clicked.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = event.target instanceof Element ? event.target.closest("li[data-name]") : null;
      if (item) this.#toggle(item.getAttribute("data-name") ?? "");
    });
    root.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && root.contains(event.relatedTarget))) this.#close();
    });
  }

  /** @param {string[]} options the names on offer; chosen names that are not among them go */
  setOptions(options) {
    this.#options = options;
    this.chosen = this.chosen.filter((name) => options.includes(name));
    this.#render();
  }

  #matches() {
    const text = this.input.value.trim().toLowerCase();
    const found = this.#options.filter((name) => name.toLowerCase().includes(text));
    const begins = (/** @type {string} */ name) => Number(name.toLowerCase().startsWith(text));
    return found.sort((a, b) => begins(b) - begins(a));
  }

  #open() {
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#active = this.input.value ? 0 : -1;
    this.#renderList();
  }

  #close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.value = "";
  }

  /** @param {string} name */
  #toggle(name) {
    this.chosen = this.chosen.includes(name) ? this.chosen.filter((item) => item !== name) : [...this.chosen, name];
    this.input.value = "";
    this.#render();
    this.#renderList();
    this.onChange();
    // As from any other field: a form that follows its fields hears of it.
    this.hidden.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #render() {
    this.hidden.value = this.chosen.join(",");
    for (const chip of this.box.querySelectorAll(".picker-chip")) chip.remove();
    for (const name of this.chosen) {
      const attributes = { type: "button", class: "picker-chip", "data-remove": name, "aria-label": `Remove ${name}` };
      this.input.before(html("button", attributes, name, icon("x")));
    }
    this.input.placeholder = this.chosen.length ? "" : "All classes";
  }

  #renderList() {
    const names = this.#matches();
    const items = names.map((name, index) => html("li", {
      role: "option", id: `${this.list.id}-${index}`, "data-name": name,
      "aria-selected": String(this.chosen.includes(name)),
    }, name, icon("check")));
    if (!items.length) items.push(html("li", { class: "picker-none" }, "No class of this model is called so"));
    this.list.replaceChildren(...items);
    this.#mark();
  }

  #mark() {
    const items = [...this.list.children];
    items.forEach((item, index) => item.classList.toggle("is-active", index === this.#active));
    const active = items[this.#active];
    if (active) this.input.setAttribute("aria-activedescendant", active.id);
    else this.input.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const count = this.list.querySelectorAll("[data-name]").length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (this.list.hidden) this.#open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#active = count ? (this.#active + step + count) % count : -1;
      this.#mark();
    } else if (event.key === "Enter") {
      const name = this.list.children[this.#active]?.getAttribute("data-name");
      if (name && !this.list.hidden) this.#toggle(name);
    } else if (event.key === "Escape" && !this.list.hidden) {
      this.#close();
      event.stopPropagation();
    } else if (event.key === "Backspace" && !this.input.value && this.chosen.length) {
      this.#toggle(this.chosen[this.chosen.length - 1]);
      return;
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {Event} event */
  #onBoxClick(event) {
    const chip = event.target instanceof Element ? event.target.closest("[data-remove]") : null;
    const name = chip?.getAttribute("data-remove");
    if (name) this.#toggle(name);
    this.input.focus();
  }
}
