/** Renaming in place: the title becomes a field; Enter or leaving it saves, Escape gives up. */

import { post } from "../http.js";
import { html } from "../dom.js";
import { toast } from "../toast.js";

/** @param {HTMLElement} root listens here, because the menu with one of the buttons is exchanged */
export function listenToRename(root) {
  root.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-rename]")) start(root);
  });
}

/** @param {HTMLElement} root */
function start(root) {
  const title = /** @type {HTMLElement | null} */ (root.querySelector("[data-title]"));
  if (!title || title.hidden) return;
  const before = title.textContent ?? "";
  const attributes = { class: "input title-input", maxlength: 200, "aria-label": "Name", value: before };
  const input = /** @type {HTMLInputElement} */ (html("input", attributes));
  title.hidden = true;
  title.after(input);
  input.focus();
  input.select();
  let over = false;
  const finish = async (/** @type {boolean} */ save) => {
    if (over) return;
    over = true;
    const name = input.value.trim();
    input.remove();
    title.hidden = false;
    if (!save || !name || name === before) return;
    title.textContent = name;
    const body = new FormData();
    body.append("name", name);
    try {
      const saved = await post(root.dataset.renameUrl ?? "", body);
      title.textContent = saved.name;
      document.title = `${saved.name} · Sightline`;
    } catch (error) {
      title.textContent = before;
      toast(/** @type {Error} */ (error).message, { error: true });
    }
  };
  input.addEventListener("blur", () => void finish(true));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); void finish(true); }
    if (event.key === "Escape") { event.stopPropagation(); void finish(false); }
  });
}
