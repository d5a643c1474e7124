/** The account page: a token that is shown once, copied and revoked. */

import { need } from "./dom.js";
import { toast } from "./toast.js";

/** @param {HTMLInputElement} field */
async function copy(field) {
  field.select();
  try {
    // Only where the connection is safe; elsewhere the old command still works.
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
    else if (!document.execCommand("copy")) throw new Error("refused");
    toast("Copied.");
  } catch {
    toast("It is selected: copy it with your keyboard.", { error: true });
  }
}

/** @param {HTMLElement} button */
function askToRevoke(button) {
  /** @type {HTMLFormElement} */ (need("#revoke-form")).action = button.dataset.revoke ?? "";
  need("#revoke-name").textContent = button.dataset.name ?? "";
  /** @type {HTMLDialogElement} */ (need("#revoke-dialog")).showModal();
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const copying = event.target.closest("[data-copy]");
  if (copying) void copy(need(`#${copying.getAttribute("data-copy")}`));
  const revoking = event.target.closest("[data-revoke]");
  if (revoking instanceof HTMLElement) askToRevoke(revoking);
});

// The answer to a form is this page again: reloading it must not make another token.
if (location.pathname.endsWith("/tokens/")) history.replaceState(null, "", "/account/");
document.querySelector("[data-new-token]")?.scrollIntoView({ block: "center" });
const dialog = document.querySelector("dialog[data-open-now]");
if (dialog instanceof HTMLDialogElement) dialog.showModal();
