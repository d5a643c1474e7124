/** The form of a video: what is not looked for needs no settings, and nothing at all cannot be looked for. */

/** @param {HTMLElement} root an element with data-video-options */
function initVideoOptions(root) {
  const say = /** @type {HTMLElement} */ (root.querySelector("[data-no-task]"));
  const every = /** @type {HTMLInputElement} */ (root.querySelector('input[name="every"]'));
  const between = /** @type {HTMLSelectElement} */ (root.querySelector('select[name="between"]'));

  function refresh() {
    const objects = isChosen("tracking") || isChosen("activity") || isChosen("faces");
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-needs]"))) {
      part.hidden = part.dataset.needs === "objects" ? !objects : !isChosen("motion");
    }
    between.disabled = Number(every.value) < 2;
  }
  function isChosen(/** @type {string} */ name) {
    return root.querySelector(`input[name="tasks"][value="${name}"]:checked`) !== null;
  }
  root.addEventListener("input", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.name === "tasks") {
      // The last one stays: to look for nothing is no analysis.
      const isLast = root.querySelector('input[name="tasks"]:checked') === null;
      if (isLast) input.checked = true;
      say.hidden = !isLast;
    }
    refresh();
  });
  refresh();
}

for (const root of document.querySelectorAll("[data-video-options]")) initVideoOptions(/** @type {HTMLElement} */ (root));
