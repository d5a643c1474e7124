/** A new person, or more photos of one: first the person, then their photos one by one. */

import { need, plural } from "../dom.js";
import { post, RequestFailed } from "../http.js";
import { toast } from "../toast.js";
import { face } from "./chooser.js";
import { enrol, NotEnrolled, PhotoTray } from "./photos.js";

/** @typedef {import("./photos.js").Photo} Photo */

const form = /** @type {HTMLFormElement} */ (need("#person-form"));
const button = /** @type {HTMLButtonElement} */ (need(".person-save .button.is-primary", form));
const state = need("[data-save-state]", form);
const dialog = /** @type {HTMLDialogElement} */ (need("#looks-like"));
/** Refusals after which a person decides. */
const QUESTIONS = ["looks_like", "differs"];
const isNew = Boolean(form.dataset.url);
// Once the person is there, a second try only brings the photos.
let [samples, done] = [form.dataset.samples ?? "", form.dataset.done ?? ""];
let own = form.dataset.person ?? "";
let saving = false;

const tray = new PhotoTray({ onChange: follow });

function follow() {
  if (saving) return;
  const ready = tray.good.length > 0 && !tray.isJudging;
  button.disabled = tray.isJudging || (!isNew && !ready);
}

/** @param {RequestFailed} failure */
function showWrong(failure) {
  for (const field of form.querySelectorAll("[data-field]")) {
    const text = String(failure.fields[field.getAttribute("data-field") ?? ""] ?? "");
    const place = need("[data-error]", field);
    place.textContent = text;
    place.hidden = !text;
    const input = field.querySelector("input, textarea");
    if (text) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
  }
  const first = form.querySelector("[aria-invalid]");
  if (first instanceof HTMLElement) first.focus();
  else toast(failure.message, { error: true });
}

async function createPerson() {
  const body = new FormData();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && name !== "csrfmiddlewaretoken" && name !== "photo-source") body.append(name, value);
  }
  const made = await post(form.dataset.url ?? "", body);
  [samples, done, own] = [made.samples, made.url, made.id];
}

/**
 * @param {Photo} photo @param {NotEnrolled} refusal
 * @returns {Promise<boolean>} whether to add it all the same
 */
function ask(photo, refusal) {
  const { person } = refusal;
  const differs = refusal.code === "differs";
  need("#looks-like-title", dialog).textContent = differs ? "Is this the same person?" : "Is this somebody who is known already?";
  need("[data-answer=add]", dialog).textContent = differs ? "Yes, add it here" : "No, add it here";
  const theirs = need("[data-theirs]", dialog);
  theirs.hidden = !person;
  theirs.replaceChildren(...(person ? face(person).childNodes : []));
  const mine = document.createElement("img");
  mine.src = photo.url;
  mine.alt = "";
  need("[data-mine]", dialog).replaceChildren(mine);
  need("[data-looks-like-text]", dialog).replaceChildren(...(person ? looksLike(person) : [refusal.message]));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "add"), { once: true });
  });
}

/** @param {import("./chooser.js").Card} person */
function looksLike(person) {
  const link = document.createElement("a");
  Object.assign(link, { href: person.url, target: "_blank", textContent: person.name });
  return ["This face looks like ", link, " (left), who is known already. If it is the same person, add the photos there."];
}

/** @param {Photo} photo */
async function savePhoto(photo) {
  tray.mark(photo, "saving", "Saving");
  // "Stay as who you are" is no question.
  let asked = false;
  for (;;) {
    try {
      await enrol(samples, photo, asked);
      tray.mark(photo, "saved", "Saved.");
      return;
    } catch (error) {
      const refusal = error instanceof NotEnrolled ? error : null;
      if (refusal?.code === "same_photo" && refusal.person?.id === own) {
        tray.mark(photo, "saved", "Is there already.");
        return;
      }
      if (!refusal || !QUESTIONS.includes(refusal.code) || asked) {
        tray.mark(photo, "bad", /** @type {Error} */ (error).message);
        return;
      }
      if (!(await ask(photo, refusal))) {
        tray.mark(photo, "left", "Left out.");
        return;
      }
      asked = true;
    }
  }
}

async function save() {
  saving = true;
  button.disabled = true;
  try {
    if (!samples) await createPerson();
    const photos = tray.good;
    for (const [at, photo] of photos.entries()) {
      state.textContent = `Saving photo ${at + 1} of ${photos.length}`;
      await savePhoto(photo);
    }
    const failed = tray.photos.filter((photo) => photos.includes(photo) && photo.state !== "saved").length;
    if (!failed) {
      location.assign(done);
      return;
    }
    state.textContent = `${plural(failed, "photo")} not saved.`;
    offerPage();
  } catch (error) {
    state.textContent = "";
    if (error instanceof RequestFailed) showWrong(error);
    else toast("This did not work.", { error: true });
  } finally {
    saving = false;
    follow();
  }
}

/** What was saved can be looked at, whatever was not. */
function offerPage() {
  const link = need(".person-save a.button", form);
  link.setAttribute("href", done);
  link.textContent = "Go to the person";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!saving && !tray.isJudging) void save();
});
dialog.addEventListener("click", (event) => {
  const answer = event.target instanceof Element ? event.target.closest("[data-answer]") : null;
  if (answer) dialog.close(answer.getAttribute("data-answer") ?? "");
});
window.addEventListener("beforeunload", (event) => {
  if (saving) event.preventDefault();
});
follow();
