/** Lists of cards: many of them can be ticked, and a form narrows them. Filters and pages are htmx's. */

import { need, plural } from "./dom.js";

const boxes = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(".session-check")]);

/**
 * The bar that says how many cards are ticked, and the dialog that deletes them.
 * @param {string} what one of them, e.g. "session"
 */
export function followTicks(what) {
  const bulk = need("#bulk");
  /** @type {HTMLInputElement | null} */
  let last = null;

  function refresh() {
    const count = boxes().filter((box) => box.checked).length;
    bulk.hidden = count === 0;
    document.body.classList.toggle("is-selecting", count > 0);
    need("#bulk-count").textContent = `${count} selected`;
    need("#bulk-title").textContent = `Delete ${plural(count, what)}?`;
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
  refresh();
}

/**
 * The field searches while it is typed in. Leaving it, perhaps by a click on the next page, must not
 * search again, so its change event stays there.
 */
export function searchWhileTyping() {
  need("#filter-q").addEventListener("change", (event) => event.stopPropagation());
}
