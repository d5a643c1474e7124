/** The recognise page: a picture goes to the server and is not kept; boxes, names, and what can be said of each face. */

import { html, icon, need, plural } from "../dom.js";
import { post, request } from "../http.js";
import { toast } from "../toast.js";
import { takeFiles } from "../uploader/intake.js";
import { Chooser, face as faceOf } from "./chooser.js";

/** @typedef {import("./chooser.js").Card & {confidence: number}} Guess */
/**
 * @typedef {object} Found
 * @property {[number, number, number, number]} box left, top, width, height, 0..1
 * @property {"known" | "uncertain" | "unknown"} state
 * @property {Guess | null} match
 * @property {Guess | null} candidate
 * @property {Guess | null} runner_up
 * @property {string} flaw
 * @property {string} crop
 * @property {string} reviews
 */

/** Nothing here is certain, and nothing impossible. @param {number} share */
function percent(share) {
  if (share >= 0.995) return "over 99%";
  return share < 0.005 ? "under 1%" : `${Math.round(share * 100)}%`;
}

const root = document.querySelector("#recognise");
if (root instanceof HTMLElement) begin(root);

/** @param {HTMLElement} section */
function begin(section) {
  const image = /** @type {HTMLImageElement} */ (need("[data-picture]", section));
  const boxes = need("[data-boxes]", section);
  const list = need("[data-faces]", section);
  const count = need("[data-count]", section);
  const busy = need("[data-busy]", section);
  const wrong = need("[data-wrong]", section);
  const dialog = /** @type {HTMLDialogElement} */ (need("#name-dialog"));
  const form = /** @type {HTMLFormElement} */ (need("#name-form"));
  const enrolButton = /** @type {HTMLButtonElement} */ (need("[data-name-it]", form));
  const fresh = need("[data-new-person]", form);
  const nameError = need("[data-name-error]", form);
  const chooser = new Chooser(need("[data-chooser]", form), follow);
  /** @type {File | null} */
  let file = null;
  let asked = 0;
  let naming = -1;
  let url = "";

  function follow() {
    const isNew = !chooser.chosen && chooser.text.length > 0;
    fresh.hidden = !isNew;
    enrolButton.disabled = !chooser.chosen && !isNew;
    enrolButton.textContent = isNew ? "Add and enrol" : "Enrol";
    nameError.hidden = true;
  }

  /** @param {File} chosen */
  async function look(chosen) {
    file = chosen;
    const now = ++asked;
    if (url) URL.revokeObjectURL(url);
    url = URL.createObjectURL(chosen);
    image.src = url;
    need("[data-drop]", section).hidden = true;
    need("[data-result]", section).hidden = false;
    wrong.hidden = true;
    busy.hidden = false;
    count.textContent = "Looking";
    boxes.replaceChildren();
    list.replaceChildren();
    const body = new FormData();
    body.append("picture", chosen, chosen.name);
    try {
      const found = await post(section.dataset.url ?? "", body);
      if (now !== asked) return;
      count.textContent = found.faces.length ? plural(found.faces.length, "face") : "No face was found";
      boxes.replaceChildren(...found.faces.map(drawBox));
      list.replaceChildren(...found.faces.map(drawRow));
    } catch (error) {
      if (now !== asked) return;
      count.textContent = "This did not work";
      wrong.replaceChildren(icon("alert"), html("span", {}, /** @type {Error} */ (error).message));
      wrong.hidden = false;
    } finally {
      if (now === asked) busy.hidden = true;
    }
  }

  /** @param {Found} found @param {number} at */
  function drawBox(found, at) {
    const { box: [left, top, width, height], state } = found;
    const box = html("button", { type: "button", class: `face-box is-${state}${top > 0.12 ? "" : " is-below"}`, "data-at": at, "aria-label": `Face ${at + 1}: ${titleOf(found)}` },
      html("span", {}, titleOf(found)));
    for (const [name, value] of Object.entries({ left, top, width, height })) box.style.setProperty(name, `${value * 100}%`);
    return box;
  }

  /** @param {Found} found */
  function titleOf({ state, match, candidate }) {
    if (state === "known" && match) return match.name;
    return state === "uncertain" && candidate ? `${candidate.name}?` : "Unknown";
  }

  /** @param {Found} found @param {number} at */
  function drawRow(found, at) {
    const guess = found.match ?? found.candidate;
    const title = guess ? html("a", { href: guess.url }, guess.name) : html("b", {}, "Unknown");
    const lines = [];
    if (guess) lines.push(`${found.state === "known" ? "" : "perhaps, "}${percent(guess.confidence)}`);
    if (found.runner_up) lines.push(`next ${found.runner_up.name}, ${percent(found.runner_up.confidence)}`);
    if (found.flaw) lines.push(`${found.flaw}, so not compared`);
    const acts = html("div", { class: "row-buttons" });
    if (found.reviews) acts.append(html("a", { class: "button is-small", href: found.reviews }, icon("check"), "Decide"));
    if (guess) acts.append(html("button", { class: "button is-small", type: "button", "data-not": at, "data-person": guess.id }, icon("x"), `Not ${guess.name}`));
    if (!found.flaw && found.state !== "known") acts.append(html("button", { class: "button is-small", type: "button", "data-name": at }, icon("user"), "This is …"));
    return html("li", { class: `found-face is-${found.state}`, "data-row": at, tabindex: -1 },
      html("img", { src: found.crop, alt: `Face ${at + 1}`, width: 72, height: 72 }),
      html("div", {}, html("span", { class: "found-name" }, title), html("span", { class: "small muted num" }, lines.join(" · ")), acts));
  }

  /** @param {number} at @param {boolean} isOn */
  function highlight(at, isOn) {
    for (const part of section.querySelectorAll(`[data-at="${at}"], [data-row="${at}"]`)) part.classList.toggle("is-lit", isOn);
  }

  /** @param {number} at @param {string} person */
  async function deny(at, person) {
    if (!file) return;
    const body = new FormData();
    body.append("picture", file, file.name);
    body.append("face", String(at));
    body.append("person", person);
    const chosen = file;
    try {
      toast((await post(section.dataset.not ?? "", body)).message);
      await look(chosen);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { error: true });
    }
  }

  /** @param {number} at */
  function ask(at) {
    naming = at;
    form.reset();
    chooser.clear();
    follow();
    const crop = /** @type {HTMLImageElement} */ (need(`[data-row="${at}"] img`, list)).cloneNode();
    need("[data-crop]", form).replaceChildren(crop);
    dialog.showModal();
    chooser.input.focus();
  }

  async function enrol() {
    if (!file) return;
    const body = new FormData(form);
    body.append("picture", file, file.name);
    body.append("face", String(naming));
    if (!chooser.chosen) body.append("name", chooser.text);
    enrolButton.disabled = true;
    try {
      const answer = await (await request(section.dataset.name ?? "", { method: "POST", body })).json();
      dialog.close();
      toast(answer.message);
      await look(file);
    } catch (error) {
      nameError.textContent = /** @type {Error} */ (error).message;
      nameError.hidden = false;
    } finally {
      enrolButton.disabled = false;
    }
  }

  takeFiles({
    inputs: [/** @type {HTMLInputElement} */ (need("#recognise-input", section))],
    veil: need("#drop-veil"),
    onFiles: (files) => { if (files[0]) void look(files[0]); },
  });
  for (const name of ["pointerover", "focusin", "pointerout", "focusout"]) {
    section.addEventListener(name, (event) => {
      const part = event.target instanceof Element ? event.target.closest("[data-at], [data-row]") : null;
      if (part) highlight(Number(part.getAttribute("data-at") ?? part.getAttribute("data-row")), name === "pointerover" || name === "focusin");
    });
  }
  section.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const not = target?.closest("[data-not]");
    if (not instanceof HTMLElement && not !== section) void deny(Number(not.dataset.not), not.dataset.person ?? "");
    const name = target?.closest("[data-name]");
    if (name instanceof HTMLElement && name !== section) ask(Number(name.dataset.name));
    const box = target?.closest("[data-at]");
    if (box) {
      const row = need(`[data-row="${box.getAttribute("data-at")}"]`, list);
      row.scrollIntoView({ block: "nearest" });
      row.focus();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!enrolButton.disabled) void enrol();
  });
  // A browser that cannot show the file still shows the faces.
  image.addEventListener("error", () => { if (image.src) image.hidden = true; });
  image.addEventListener("load", () => { image.hidden = false; });
}
