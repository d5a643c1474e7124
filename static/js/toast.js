/** Short messages at the corner of the page. */

import { html, icon } from "./dom.js";

/** @param {HTMLElement} toast @param {number} seconds */
function dismissLater(toast, seconds) {
  let timer = 0;
  const start = () => { timer = window.setTimeout(() => toast.remove(), seconds * 1000); };
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", start);
  start();
}

/**
 * A short message at the corner; errors stay longer, because they are read twice.
 * @param {string} message
 * @param {{error?: boolean}} [options]
 */
export function toast(message, { error = false } = {}) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const attributes = { class: "icon-button", type: "button", "data-dismiss": true, "aria-label": "Dismiss" };
  const button = html("button", attributes, icon("x"));
  const element = html("div", { class: error ? "toast is-error" : "toast" },
    icon(error ? "alert" : "check"), html("span", {}, message), button);
  region.append(element);
  dismissLater(element, error ? 12 : 5);
}

/** Messages that came with the page leave like the others. */
export function adoptToasts() {
  const region = document.getElementById("toasts");
  region?.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-dismiss]") : null;
    button?.closest(".toast")?.remove();
  });
  for (const element of region?.children ?? []) {
    if (element instanceof HTMLElement) dismissLater(element, element.classList.contains("is-error") ? 12 : 6);
  }
}
