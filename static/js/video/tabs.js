/** Tabs of the panel: one stop for the tab key, arrows move between them. */

/** @param {HTMLElement} panel @param {(id: string) => void} onShow told the id of the pane */
export function initTabs(panel, onShow) {
  const tabs = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll('[role="tab"]')]);
  function show(/** @type {HTMLElement} */ chosen) {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      const pane = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (pane) pane.hidden = !on;
    }
    onShow(chosen.getAttribute("aria-controls") ?? "");
  }
  for (const tab of tabs) tab.addEventListener("click", () => show(tab));
  panel.querySelector('[role="tablist"]')?.addEventListener("keydown", (event) => {
    const { key } = /** @type {KeyboardEvent} */ (event);
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    const at = tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = tabs[(at + (key === "ArrowRight" ? 1 : -1) + tabs.length) % tabs.length];
    next.focus();
    show(next);
    event.preventDefault();
  });
}
