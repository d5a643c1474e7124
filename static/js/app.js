/** What every page has: theme, menus, dialogs, messages, and the token for htmx. */

import { csrfToken } from "./http.js";
import { adoptToasts, toast } from "./toast.js";

function themeSwitch() {
  const group = document.querySelector("[data-theme-switch]");
  if (!group) return;
  const chosen = document.documentElement.dataset.theme ?? "system";
  for (const input of group.querySelectorAll("input")) input.checked = input.value === chosen;
  group.addEventListener("change", (event) => {
    const value = /** @type {HTMLInputElement} */ (event.target).value;
    if (value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    try {
      if (value === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", value);
    } catch {
      // Without storage the choice holds for this page.
    }
  });
}

function menus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      const inside = event.target instanceof Node && menu.contains(event.target);
      const chose = event.target instanceof Element && event.target.closest(".menu-item") !== null;
      if (!inside || chose) menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.removeAttribute("open");
      menu.querySelector("summary")?.focus();
      event.stopPropagation();
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...menu.querySelectorAll(".menu-item")];
      const at = items.indexOf(/** @type {Element} */ (document.activeElement));
      const next = items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length];
      if (next instanceof HTMLElement && menu.contains(document.activeElement)) {
        next.focus();
        event.preventDefault();
      }
    }
  });
  // The tab key leaves a menu as a click elsewhere does.
  document.addEventListener("focusout", (event) => {
    const menu = event.target instanceof Element ? event.target.closest("details.menu[open]") : null;
    const next = event.relatedTarget;
    if (menu && next instanceof Node && !menu.contains(next)) menu.removeAttribute("open");
  });
}

/** Where the bar is wider than the screen, the page that one is on is in sight. */
function showPlace() {
  const here = document.querySelector(".nav [aria-current]");
  const nav = here?.parentElement;
  if (!(here instanceof HTMLElement) || !nav) return;
  nav.scrollLeft = here.offsetLeft - nav.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
}

/** <button data-open="id"> opens that dialog; data-close and a click on the backdrop close it. */
function dialogs() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const id = event.target.closest("[data-open]")?.getAttribute("data-open");
    const dialog = id ? document.getElementById(id) : null;
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}

/** Form posts happen once, however often the button is pressed. */
function singleSubmit() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    else form.dataset.sent = "1";
  });
  // The back button may show this very document again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  });
}

function htmxHooks() {
  document.addEventListener("htmx:configRequest", (event) => {
    const { headers, parameters, verb } = /** @type {CustomEvent} */ (event).detail;
    headers["X-CSRFToken"] = csrfToken();
    // Fields left empty narrow nothing and would only lengthen the address.
    if (verb !== "get") return;
    for (const name of Object.keys(parameters)) {
      if (parameters[name] === "") delete parameters[name];
    }
  });
  const complain = () => toast("The server did not answer as expected. Reload the page.", { error: true });
  for (const name of ["htmx:sendError", "htmx:responseError"]) document.addEventListener(name, complain);
}

themeSwitch();
showPlace();
menus();
dialogs();
singleSubmit();
htmxHooks();
adoptToasts();
