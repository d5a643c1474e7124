/** The list of sessions: selecting many, renaming one. Filters and pages are htmx's. */

import { need } from "./dom.js";
import { post } from "./http.js";
import { followTicks, searchWhileTyping } from "./selecting.js";
import { toast } from "./toast.js";

followTicks("session");
searchWhileTyping();

const toggle = need("[data-filter-toggle]");
toggle.addEventListener("click", () => {
  const open = need("#filters").classList.toggle("is-open");
  toggle.setAttribute("aria-expanded", String(open));
});

const dialog = /** @type {HTMLDialogElement} */ (need("#rename-dialog"));
const input = /** @type {HTMLInputElement} */ (need("#rename-name"));
let url = "";
/** @type {Element | null} */
let card = null;

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-card-rename]") : null;
  if (!button) return;
  url = button.getAttribute("data-card-rename") ?? "";
  card = button.closest(".session-card");
  input.value = card?.querySelector("[data-name]")?.textContent ?? "";
  dialog.showModal();
  input.select();
});
need("#rename-form").addEventListener("submit", async () => {
  const body = new FormData();
  body.append("name", input.value.trim());
  const name = card?.querySelector("[data-name]");
  try {
    const saved = await post(url, body);
    if (!name) return;
    name.textContent = saved.name;
    name.setAttribute("title", saved.name);
  } catch (error) {
    toast(/** @type {Error} */ (error).message, { error: true });
  }
});
