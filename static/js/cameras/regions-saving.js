/** Saves what was drawn in one request; tells who else has changed it meanwhile, and loses nothing. */

import { need } from "../dom.js";
import { getJson, request, RequestFailed } from "../http.js";
import { toast } from "../toast.js";

/** @typedef {import("./regions-model.js").RegionsModel} RegionsModel */

export class Saving {
  #busy = false;

  /** @param {HTMLElement} editor @param {RegionsModel} model @param {string} url */
  constructor(editor, model, url) {
    this.model = model;
    this.url = url;
    this.button = need("[data-save]", editor);
    this.state = need("[data-save-state]", editor);
    this.conflict = need("[data-conflict]", editor);
    this.button.addEventListener("click", () => void this.save());
    need("[data-keep-mine]", this.conflict).addEventListener("click", () => void this.#resolve(true));
    need("[data-show-theirs]", this.conflict).addEventListener("click", () => void this.#resolve(false));
    window.addEventListener("beforeunload", (event) => {
      if (model.isChanged || model.drawing) event.preventDefault();
    });
    model.addEventListener("change", () => this.#show());
    this.#show();
  }

  #show() {
    const changed = this.model.isChanged;
    this.state.textContent = this.#busy ? "Saving…" : changed ? "Not saved" : "Saved";
    this.state.classList.toggle("is-changed", changed);
    this.button.toggleAttribute("disabled", this.#busy || !changed);
  }

  async save() {
    const { model } = this;
    if (this.#busy || !model.isChanged) return;
    const wrong = model.shapes.find((shape) => model.problem(shape));
    if (wrong) {
      model.select(wrong.key);
      toast(`“${wrong.name || "Without a name"}”: ${model.problem(wrong)}`, { error: true });
      return;
    }
    await this.#send();
  }

  async #send() {
    const { model } = this;
    const sent = model.shapes;
    const body = new FormData();
    body.append("revision", String(model.revision));
    body.append("regions", JSON.stringify(model.outgoing));
    this.#busy = true;
    this.#show();
    try {
      const response = await request(this.url, { method: "POST", body });
      model.settled(await response.json(), sent);
      this.conflict.hidden = true;
      toast("Saved. The camera uses it from now on.");
    } catch (error) {
      this.#refused(/** @type {Error} */ (error));
    } finally {
      this.#busy = false;
      this.#show();
    }
  }

  /** @param {Error} error */
  #refused(error) {
    if (error instanceof RequestFailed && error.status === 409) {
      this.conflict.hidden = false;
      this.conflict.scrollIntoView({ block: "nearest" });
      return;
    }
    toast(error.message, { error: true });
  }

  /** @param {boolean} mine whether what is drawn here replaces what was saved meanwhile */
  async #resolve(mine) {
    try {
      const stored = await getJson(this.url);
      if (mine) this.model.overrule(stored);
      else this.model.adopt(stored);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { error: true });
      return;
    }
    this.conflict.hidden = true;
    if (mine) await this.save();
    else toast("This is what was saved meanwhile. Undo brings yours back.");
  }
}
