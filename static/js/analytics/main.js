/** The analytics page: draws its charts, and again when figures, theme or motion change. */

import { drawCharts } from "./charts.js";

/** @type {{ destroy(): void }[]} */
let drawn = [];

function draw() {
  for (const chart of drawn) chart.destroy();
  const figures = document.getElementById("figures");
  drawn = figures ? drawCharts(JSON.parse(figures.textContent ?? "{}")) : [];
}

/** Days and ranges exclude each other: whichever is chosen last counts. */
function keepOneRange() {
  const form = document.getElementById("figures-filters");
  // Before htmx, which listens to the same event, reads the form.
  form?.addEventListener(
    "change",
    (event) => {
      const changed = /** @type {HTMLInputElement} */ (event.target);
      if (changed.name === "range") {
        for (const day of form.querySelectorAll("input[type=date]")) day.value = "";
      } else if (changed.type === "date") {
        const days = [...form.querySelectorAll("input[type=date]")];
        const chosen = days.some((day) => day.value !== "");
        for (const range of form.querySelectorAll("input[name=range]")) {
          range.checked = !chosen && range.value === "30d";
        }
      }
    },
    { capture: true },
  );
}

keepOneRange();
draw();
document.body.addEventListener("htmx:afterSettle", draw);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
for (const query of ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"]) {
  matchMedia(query).addEventListener("change", draw);
}
