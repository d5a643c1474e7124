/** The dialog that asks who a visitor without a name is: somebody new, or a person who is known. */

import { need } from "../dom.js";
import { post } from "../http.js";
import { Chooser } from "../people/chooser.js";

const dialog = document.querySelector("#naming-dialog");
if (dialog instanceof HTMLDialogElement) begin(dialog);

/** @param {HTMLDialogElement} dialog */
function begin(dialog) {
  const form = /** @type {HTMLFormElement} */ (need("form", dialog));
  const save = /** @type {HTMLButtonElement} */ (need("[data-name-it]", form));
  const fresh = need("[data-new-person]", form);
  const wrong = need("[data-name-error]", form);
  const chooser = new Chooser(need("[data-chooser]", form), follow);
  let url = "";

  function follow() {
    const isNew = !chooser.chosen && chooser.text.length > 0;
    fresh.hidden = !isNew;
    save.disabled = !chooser.chosen && !isNew;
    save.textContent = isNew ? "Add" : "Save";
    wrong.hidden = true;
  }

  async function send() {
    const body = new FormData(form);
    if (!chooser.chosen) body.append("name", chooser.text);
    save.disabled = true;
    try {
      await post(url, body);
      location.reload(); // the page says it is done
    } catch (error) {
      wrong.textContent = /** @type {Error} */ (error).message;
      wrong.hidden = false;
      save.disabled = false;
    }
  }

  // On the document: the list of who is here is replaced every few seconds.
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-name-visitor]") : null;
    if (!(button instanceof HTMLElement)) return;
    url = button.dataset.nameVisitor ?? "";
    need("[data-visitor]", dialog).textContent = button.dataset.visitorName ?? "";
    form.reset();
    chooser.clear();
    follow();
    dialog.showModal();
    chooser.input.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!save.disabled) void send();
  });
}
