/** What of the timeline is shown: by camera, kind, class and place. */

import { need } from "../dom.js";

/** @typedef {import("./dashboard.js").LiveEvent} LiveEvent */

/** Says "change". */
export class MomentFilters extends EventTarget {
  /**
   * @param {HTMLElement} root @param {import("./cameras.js").Cameras} cameras
   * @param {{labels: string[], kinds: Record<string, string>, camera: number | null}} data
   */
  constructor(root, cameras, data) {
    super();
    this.form = /** @type {HTMLFormElement} */ (need("form", root));
    this.cameras = cameras;
    this.only = data.camera;
    this.labels = new Set(data.labels);
    const button = need("[data-moments-filter]", root);
    button.addEventListener("click", () => {
      this.form.hidden = !this.form.hidden;
      button.setAttribute("aria-expanded", String(!this.form.hidden));
    });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => this.#changed(button));
    // The fields are empty only when this event is over.
    this.form.addEventListener("reset", () => window.setTimeout(() => this.#changed(button)));
    for (const [value, text] of Object.entries(data.kinds)) this.#field("kind")?.append(new Option(text, value));
    this.#fillPlaces();
    this.#fillLabels();
    cameras.addEventListener("setup", () => this.#fillPlaces());
  }

  /** @param {HTMLElement} button */
  #changed(button) {
    button.classList.toggle("is-on", this.isActive);
    need("[type=reset]", this.form).hidden = !this.isActive;
    this.dispatchEvent(new Event("change"));
  }

  /** @returns {boolean} */
  get isActive() {
    return ["camera", "kind", "label", "place"].some((name) => this.#value(name) !== "");
  }

  /** The same for the server. @returns {URLSearchParams} */
  get query() {
    const query = new URLSearchParams();
    const camera = this.only ?? this.#value("camera");
    if (camera) query.set("camera", String(camera));
    for (const name of ["kind", "label"]) if (this.#value(name)) query.set(name, this.#value(name));
    const [what, id] = this.#value("place").split(":");
    if (id) query.set(what, id);
    return query;
  }

  /** @param {LiveEvent} event @returns {boolean} */
  fits(event) {
    const camera = this.only ?? (Number(this.#value("camera")) || null);
    if (camera !== null && event.camera.id !== camera) return false;
    if (this.#value("kind") && event.kind !== this.#value("kind")) return false;
    if (this.#value("label") && event.label !== this.#value("label")) return false;
    const [what, id] = this.#value("place").split(":");
    return !id || (what === "zone" ? event.zone : event.line)?.id === Number(id);
  }

  /** A class that has come up is one to choose. @param {LiveEvent[]} events */
  learn(events) {
    const before = this.labels.size;
    for (const { label } of events) if (label) this.labels.add(label);
    if (this.labels.size !== before) this.#fillLabels();
  }

  #fillLabels() {
    this.#refill("label", [...this.labels].sort().map((label) => new Option(label.replaceAll("_", " "), label)));
  }

  #fillPlaces() {
    const all = this.cameras.all;
    this.#refill("camera", all.map(({ id, name }) => new Option(name, String(id))));
    const places = all.flatMap((camera) => {
      const tail = this.only === null && all.length > 1 ? ` (${camera.name})` : "";
      return [
        ...camera.zones.map(({ id, name }) => new Option(`${name}${tail}`, `zone:${id}`)),
        ...camera.lines.map(({ id, name }) => new Option(`${name}${tail}`, `line:${id}`)),
      ];
    });
    this.#refill("place", places);
    const place = this.#field("place");
    if (place) place.hidden = places.length === 0;
  }

  /** @param {string} name @param {HTMLOptionElement[]} options */
  #refill(name, options) {
    const field = this.#field(name);
    if (!field) return;
    const chosen = field.value;
    field.replaceChildren(field.options[0], ...options);
    field.value = options.some(({ value }) => value === chosen) ? chosen : "";
    if (field.value !== chosen) this.dispatchEvent(new Event("change"));
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLSelectElement | null} */ (this.form.querySelector(`select[name="${name}"]`));
  }

  /** @param {string} name */
  #value(name) {
    return this.#field(name)?.value ?? "";
  }
}
