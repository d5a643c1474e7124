/** The form of a video: what is not looked for needs no settings, and nothing at all cannot be looked for. */

/** @param {HTMLElement} root an element with data-video-options */
function initVideoOptions(root) {
  const form = /** @type {HTMLFormElement} */ (root.closest("form"));
  const say = /** @type {HTMLElement} */ (root.querySelector("[data-no-task]"));
  const run = /** @type {HTMLButtonElement | null} */ (form.querySelector("[data-run]"));
  const every = /** @type {HTMLInputElement} */ (root.querySelector('input[name="every"]'));
  const between = /** @type {HTMLSelectElement} */ (root.querySelector('select[name="between"]'));

  function refresh() {
    const chosen = (/** @type {string} */ name) =>
      root.querySelector(`input[name="tasks"][value="${name}"]:checked`) !== null;
    const objects = chosen("tracking") || chosen("activity");
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-needs]"))) {
      part.hidden = part.dataset.needs === "objects" ? !objects : !chosen("motion");
    }
    const none = !objects && !chosen("motion");
    say.hidden = !none;
    if (run) run.disabled = none;
    between.disabled = Number(every.value) < 2;
  }
  root.addEventListener("input", refresh);
  refresh();
}

for (const root of document.querySelectorAll("[data-video-options]")) initVideoOptions(/** @type {HTMLElement} */ (root));
