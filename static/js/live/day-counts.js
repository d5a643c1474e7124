/** How often lines were crossed, hour by hour over a day: chart, sums and table. */

import { applyTheme, color } from "../analytics/theme.js";
import { html, need } from "../dom.js";
import { getJson } from "../http.js";

const TOGETHER_MS = 1500;
const COLORS = ["--accent-fill", "--warn", "--good", "--lane-a", "--lane-b", "--lane-c"];

/** @typedef {{line: string, direction: string, counts: number[], total: number}} Row */
/** @typedef {{day: string, hours: string[], rows: Row[]}} DayCounts */

/** @param {HTMLElement} root @param {string} url */
export function showCounts(root, url) {
  const day = /** @type {HTMLInputElement} */ (need("[data-day]", root));
  /** @type {DayCounts | null} */
  let counts = null;
  /** @type {{destroy(): void} | null} */
  let chart = null;
  let waiting = 0;
  let turn = 0;

  async function reload() {
    const mine = ++turn;
    try {
      /** @type {DayCounts} */
      const answer = await getJson(`${url}?day=${encodeURIComponent(day.value)}`);
      if (mine !== turn) return;
      counts = answer;
      draw();
    } catch {
      // What was counted so far stays.
    }
  }
  function draw() {
    chart?.destroy();
    chart = null;
    if (!counts) return;
    const some = counts.rows.some(({ total }) => total > 0);
    need("[data-chart-box]", root).hidden = !some;
    need("[data-counts-details]", root).hidden = !some;
    need("[data-no-counts]", root).hidden = some;
    fillTotals(need("[data-totals]", root), counts);
    fillTable(root, counts);
    const { Chart } = /** @type {any} */ (window);
    if (!some || !Chart) return;
    applyTheme(Chart);
    chart = new Chart(need("[data-day-chart]", root), config(counts));
  }

  day.addEventListener("change", () => void reload());
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  void reload();
  return {
    reload: () => void reload(),
    /** @param {import("./dashboard.js").LiveEvent[]} events @param {number} camera */
    hear(events, camera) {
      if (day.value !== day.max || !events.some((event) => event.kind === "crossing" && event.camera.id === camera)) return;
      // A crowd on the line is one look.
      clearTimeout(waiting);
      waiting = window.setTimeout(() => void reload(), TOGETHER_MS);
    },
  };
}

/** @param {Row} row */
const nameOf = ({ line, direction }) => (direction ? `${line}: ${direction}` : line);

/** @param {DayCounts} counts */
function config({ hours, rows }) {
  const sets = rows.map((row, at) => ({
    label: nameOf(row), data: row.counts, backgroundColor: color(COLORS[at % COLORS.length]), borderRadius: 3, maxBarThickness: 24,
  }));
  return {
    type: "bar",
    data: { labels: hours, datasets: sets },
    options: {
      animation: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 12 } },
        y: { beginAtZero: true, border: { display: false }, ticks: { precision: 0, maxTicksLimit: 5 } },
      },
      plugins: { legend: { position: "bottom" } },
    },
  };
}

/** @param {HTMLElement} list @param {DayCounts} counts */
function fillTotals(list, { rows }) {
  list.replaceChildren(...rows.map((row) => html("div", {}, html("dd", {}, row.total.toLocaleString("en")), html("dt", {}, nameOf(row)))));
}

/** @param {HTMLElement} root @param {DayCounts} counts */
function fillTable(root, { hours, rows }) {
  const heads = ["Hour", ...rows.map(nameOf)].map((text) => html("th", { scope: "col" }, text));
  need("[data-counts-head]", root).replaceChildren(html("tr", {}, ...heads));
  const lines = hours.map((hour, at) => html("tr", {}, html("th", { scope: "row" }, hour), ...rows.map((row) => html("td", {}, String(row.counts[at])))));
  need("[data-counts-rows]", root).replaceChildren(...lines);
}
