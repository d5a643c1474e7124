/** The list of sessions: selecting many, renaming one. Filters and pages are htmx's. */

import { need, plural } from "./dom.js";
import { post } from "./http.js";
import { toast } from "./toast.js";

const bulk = need("#bulk");
const boxes = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(".session-check")]);
/** @type {HTMLInputElement | null} */
let last = null;

function refresh() {
  const count = boxes().filter((box) => box.checked).length;
  bulk.hidden = count === 0;
  document.body.classList.toggle("is-selecting", count > 0);
  need("#bulk-count").textContent = `${count} selected`;
  need("#bulk-title").textContent = `Delete ${plural(count, "session")}?`;
}

/** @param {boolean} checked */
function setAll(checked) {
  for (const box of boxes()) box.checked = checked;
  refresh();
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.matches(".session-check")) return;
  const all = boxes();
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
  }
  last = box;
  refresh();
});
need("#bulk-all").addEventListener("click", () => setAll(true));
need("#bulk-none").addEventListener("click", () => setAll(false));
document.addEventListener("htmx:afterSettle", refresh);
document.addEventListener("cards:changed", refresh);

// The field searches while it is typed in. Leaving it, perhaps by a click on the next page, must not
// search again, so its change event stays here.
need("#filter-q").addEventListener("change", (event) => event.stopPropagation());

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
refresh();
