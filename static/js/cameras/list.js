/** The list of cameras: switches, dialogs, and how each camera does at the moment. */

import { need } from "../dom.js";
import { post, request } from "../http.js";
import { toast } from "../toast.js";

const FRESHEN_MS = 5000;
const areas = /** @type {HTMLDialogElement} */ (need("#areas-dialog"));
const gone = /** @type {HTMLDialogElement} */ (need("#delete-dialog"));
let areasChanged = false;

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input instanceof HTMLInputElement && input.dataset.switch) void flip(input, input.dataset.switch);
});

/** @param {HTMLInputElement} input @param {string} url */
async function flip(input, url) {
  const body = new FormData();
  body.append("enabled", String(input.checked));
  input.disabled = true;
  try {
    await post(url, body);
    await freshen();
  } catch (error) {
    input.checked = !input.checked;
    toast(/** @type {Error} */ (error).message, { error: true });
  } finally {
    input.disabled = false;
    input.focus();
  }
}

/** Exchanges what each camera does; everything that can have the focus stays. */
async function freshen() {
  const text = await (await request(location.href, { accept: "text/html" })).text();
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const next of fresh.querySelectorAll("[data-camera-state]")) {
    const old = document.querySelector(`[data-camera-state="${next.getAttribute("data-camera-state")}"]`);
    if (!old) continue;
    old.closest(".camera-row")?.classList.toggle("is-off", next.closest(".camera-row")?.classList.contains("is-off"));
    if (old.outerHTML !== next.outerHTML) old.replaceWith(document.adoptNode(next));
  }
  const [count, live] = [document.querySelector("[data-live-count]"), fresh.querySelector("[data-live-count]")];
  if (count && live) count.textContent = live.textContent;
}

// The field searches while it is typed in; leaving it must not search again.
need("#camera-q").addEventListener("change", (event) => event.stopPropagation());

document.addEventListener("htmx:afterSwap", (event) => {
  const { target, elt } = /** @type {CustomEvent} */ (event).detail;
  if (target === gone) gone.showModal();
  if (target?.id === "areas" || elt?.id === "areas") {
    areasChanged = true;
    document.getElementById("area-name")?.focus();
  }
});
areas.addEventListener("click", (event) => {
  const keep = event.target instanceof Element ? event.target.closest("[data-keep-area]") : null;
  const asked = keep?.closest("details");
  asked?.removeAttribute("open");
  asked?.querySelector("summary")?.focus();
});
// Names of areas stand in the list and in its filter.
areas.addEventListener("close", () => { if (areasChanged) location.assign(location.pathname); });
if (areas.hasAttribute("data-open-now")) areas.showModal();

setInterval(() => {
  const busy = document.hidden || document.querySelector("dialog[open], [data-switch]:disabled");
  // A server that is away for a moment is asked again.
  if (!busy) freshen().catch(() => {});
}, FRESHEN_MS);
