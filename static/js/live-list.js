/** A list of cards as the server shows it now, asked for once when much has changed at the same time. */

import { request } from "./http.js";

const TOGETHER_MS = 300;

/** @returns {{process(element: Element): void}} */
const htmx = () => /** @type {any} */ (window).htmx;

let waiting = 0;

/**
 * Fetches the list soon; ticks stay. A later page stays as it is: what is new is on the first.
 * @param {() => void} [onFresh] called when it has taken its place
 */
export function refreshListSoon(onFresh) {
  clearTimeout(waiting);
  waiting = window.setTimeout(() => refreshList(onFresh).catch(() => { /* The next visit shows it. */ }), TOGETHER_MS);
}

/** @param {() => void} [onFresh] */
async function refreshList(onFresh) {
  const list = document.querySelector("[data-live-list]");
  if (!list || Number(new URLSearchParams(location.search).get("page") ?? 1) > 1) return;
  const text = await (await request(location.href, { accept: "text/html" })).text();
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-live-list]");
  if (!fresh) return;
  const ticked = new Set([...list.querySelectorAll(".session-check:checked")].map((box) => box.getAttribute("value")));
  for (const box of fresh.querySelectorAll(".session-check")) {
    if (box instanceof HTMLInputElement) box.checked = ticked.has(box.value);
  }
  list.replaceChildren(...document.adoptNode(fresh).childNodes);
  htmx().process(list);
  document.dispatchEvent(new Event("cards:changed"));
  onFresh?.();
}
