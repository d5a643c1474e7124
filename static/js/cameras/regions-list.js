/** The list beside the picture: every shape, what it is called, what is wrong with it. */

import { html, icon } from "../dom.js";

/** @typedef {import("./regions-model.js").RegionsModel} RegionsModel */
/** @typedef {import("./regions-model.js").Shape} Shape */

export class ShapeList {
  #signature = "";

  /** @param {HTMLElement} root @param {RegionsModel} model */
  constructor(root, model) {
    this.root = root;
    this.model = model;
    model.addEventListener("change", () => this.#show());
    root.addEventListener("click", (event) => this.#onClick(event));
    root.addEventListener("input", (event) => this.#onInput(event));
    root.addEventListener("focusin", (event) => {
      const point = closest(event, "[data-point-button]");
      if (point) model.select(model.selected, Number(point.dataset.pointButton));
    });
    this.#show();
  }

  /** To the name of the chosen shape, so that it can be typed at once. */
  focusName() {
    const field = this.root.querySelector("[data-field=name]");
    if (field instanceof HTMLInputElement) {
      field.focus();
      field.select();
    }
  }

  #show() {
    const { model } = this;
    const signature = JSON.stringify([
      model.selected, model.shape?.points.length, model.shapes.map((shape) => shape.key),
    ]);
    if (signature !== this.#signature) this.#build();
    this.#signature = signature;
    for (const shape of model.shapes) this.#refresh(shape);
  }

  #build() {
    const active = document.activeElement;
    const kept = active instanceof HTMLElement && this.root.contains(active) ? active.dataset.focus : undefined;
    this.root.replaceChildren(...this.model.shapes.map((shape) => this.#item(shape)));
    if (!kept) return;
    const wanted = kept.startsWith("point ") && this.model.point !== null ? `point ${this.model.point}` : kept;
    const again = this.root.querySelector(`[data-focus="${CSS.escape(wanted)}"]`);
    // A deleted shape takes the focus along; the picture has it next.
    if (again instanceof HTMLElement) again.focus();
    else /** @type {HTMLElement | null} */ (document.querySelector("[data-stage]"))?.focus({ preventScroll: true });
  }

  /** @param {Shape} shape */
  #item(shape) {
    const chosen = shape.key === this.model.selected;
    const swatch = html("span", { class: "shape-swatch" });
    swatch.style.setProperty("--color", this.model.color(shape));
    const button = html("button", {
      type: "button", class: "shape-button", "data-select": shape.key, "data-focus": `select ${shape.key}`,
      "aria-expanded": String(chosen),
    }, swatch, html("span", { class: "shape-name" }), html("span", { class: "shape-kind" }, shape.kind));
    const problem = html("p", { class: "error-text shape-problem", role: "status", hidden: true });
    return html("li", { class: chosen ? "shape-item is-chosen" : "shape-item", "data-key": shape.key },
      button, problem, ...(chosen ? [this.#details(shape)] : []));
  }

  /** @param {Shape} shape */
  #details(shape) {
    const own = shape.kind === "zone" ? this.#zoneFields(shape) : this.#lineFields(shape);
    return html("div", { class: "shape-details" },
      field(shape, "name", "Name", { maxlength: 100 }), ...own, this.#points(shape),
      html("div", { class: "row-buttons" },
        ...(shape.kind === "line" ? [act("turn", shape, "rerun", "Turn round")] : [act("insert", shape, "plus", "Add a point")]),
        ...(shape.kind === "zone" ? [act("remove-point", shape, "minus", "Remove point")] : []),
        act("remove", shape, "trash", "Delete")));
  }

  /** @param {Shape} shape */
  #zoneFields(shape) {
    return [field(shape, "threshold", "Has stayed after (seconds)", { type: "number", min: 0.5, max: 86400, step: "any", inputmode: "decimal" })];
  }

  /** @param {Shape} shape */
  #lineFields(shape) {
    return [html("div", { class: "shape-pair" },
      field(shape, "forward", "With the arrow", { maxlength: 32 }), field(shape, "backward", "Against it", { maxlength: 32 }))];
  }

  /** Buttons that choose a point; with the focus on one, arrow keys move it. @param {Shape} shape */
  #points(shape) {
    const buttons = shape.points.map((_, index) => html("button", {
      type: "button", class: "point-button num", "data-point-button": index, "data-focus": `point ${index}`,
      "aria-label": `Point ${index + 1}`, "aria-pressed": "false",
    }, String(index + 1)));
    return html("div", { class: "field" }, html("span", { class: "label" }, "Points"),
      html("div", { class: "point-buttons", role: "group", "aria-label": "Points" }, ...buttons));
  }

  /** @param {Shape} shape */
  #refresh(shape) {
    const item = this.root.querySelector(`[data-key="${shape.key}"]`);
    if (!item) return;
    const text = (/** @type {string} */ selector, /** @type {string} */ value) => {
      const element = item.querySelector(selector);
      if (element && element.textContent !== value) element.textContent = value;
    };
    const problem = this.model.problem(shape);
    text(".shape-name", shape.name || "Without a name");
    text(".shape-problem", problem);
    item.querySelector(".shape-problem")?.toggleAttribute("hidden", !problem);
    item.classList.toggle("is-wrong", problem !== "");
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (item.querySelectorAll("[data-field]"))) {
      const value = String(shape[/** @type {"name"} */ (input.dataset.field)]);
      if (document.activeElement !== input && input.value !== value) input.value = value;
    }
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (item.querySelectorAll("[data-point-button]"))) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.pointButton) === this.model.point));
    }
    const shrink = item.querySelector("[data-act=remove-point]");
    shrink?.toggleAttribute("disabled", this.model.point === null || shape.points.length <= this.model.limits.fewest);
    item.querySelector("[data-act=insert]")?.toggleAttribute("disabled", shape.points.length >= this.model.limits.most);
  }

  /** @param {Event} event */
  #onClick(event) {
    const { model } = this;
    const key = closest(event, "[data-select]")?.dataset.select;
    if (key) model.select(key === model.selected && model.point === null ? null : key);
    const point = closest(event, "[data-point-button]");
    if (point) model.select(model.selected, Number(point.dataset.pointButton));
    const shape = model.shape;
    const verb = closest(event, "[data-act]")?.dataset.act;
    if (!shape || !verb) return;
    if (verb === "turn") model.turn(shape);
    if (verb === "insert") model.insert(shape, model.point ?? shape.points.length - 1);
    if (verb === "remove-point") model.remove();
    if (verb === "remove") {
      model.select(shape.key);
      model.remove();
    }
  }

  /** @param {Event} event */
  #onInput(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const key = input.closest("[data-key]")?.getAttribute("data-key");
    const name = input.dataset.field;
    if (!key || !name) return;
    this.model.update(key, { [name]: name === "threshold" ? Number(input.value) : input.value }, `${name} ${key}`);
  }
}

/** @param {Event} event @param {string} selector */
function closest(event, selector) {
  const found = event.target instanceof Element ? event.target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/** @param {Shape} shape @param {string} name @param {string} label @param {Record<string, string | number>} attributes */
function field(shape, name, label, attributes) {
  const id = `${shape.key}-${name}`;
  return html("div", { class: "field" }, html("label", { for: id }, label),
    html("input", { class: "input", id, "data-field": name, "data-focus": id, autocomplete: "off", type: "text", ...attributes }));
}

/** @param {string} verb @param {Shape} shape @param {string} symbol @param {string} label */
function act(verb, shape, symbol, label) {
  return html("button", { type: "button", class: "button is-small", "data-act": verb, "data-focus": `${verb} ${shape.key}` }, icon(symbol), label);
}
