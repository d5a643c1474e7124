/** Charts over the time of the video; a click goes to that moment. */

import { applyTheme, color } from "../analytics/theme.js";
import { clock } from "./format.js";

const MOST_CLASSES = 8;

/** @typedef {{step: number, classes: Record<string, number[]>, confidence: (number | null)[], speed: (number | null)[]}} Series */

/**
 * @param {HTMLElement} pane
 * @param {import("./model.js").VideoModel} model
 * @param {import("./player.js").Player} player
 * @returns {() => void} draws, or draws anew in other colours
 */
export function videoCharts(pane, model, player) {
  /** @type {{destroy(): void}[]} */
  let drawn = [];
  return () => {
    for (const chart of drawn) chart.destroy();
    drawn = [];
    const { Chart } = /** @type {any} */ (window);
    const series = /** @type {Series | null} */ (model.data.timeline);
    if (!Chart || !series) return;
    applyTheme(Chart);
    for (const canvas of pane.querySelectorAll("canvas[data-chart]")) {
      const config = CHARTS[canvas.getAttribute("data-chart") ?? ""](series, model);
      drawn.push(new Chart(canvas, withTime(config, series, player)));
    }
  };
}

/** @param {any} config @param {Series} series @param {import("./player.js").Player} player */
function withTime(config, series, player) {
  const steps = series.confidence.length;
  config.type = "line";
  config.data.labels = Array.from({ length: steps }, (_, at) => clock(at * series.step));
  config.options = {
    animation: false,
    interaction: { mode: "index", intersect: false },
    elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 1.75 } },
    onClick: (/** @type {any} */ event, /** @type {any[]} */ _hits, /** @type {any} */ chart) => {
      const at = chart.scales.x.getValueForPixel(event.x);
      if (at !== undefined) player.seek(Math.max(0, at) * series.step);
    },
    ...config.options,
    scales: {
      x: { grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 16 } },
      y: { beginAtZero: true, border: { display: false }, ticks: { maxTicksLimit: 5 }, ...config.options?.y },
    },
  };
  return config;
}

/** @param {string} label @param {(number | null)[]} data @param {string} line @param {object} [more] */
const line = (label, data, line, more = {}) => ({
  label, data, borderColor: line, backgroundColor: line, spanGaps: false, cubicInterpolationMode: "monotone", ...more,
});

/** @type {Record<string, (series: Series, model: import("./model.js").VideoModel) => any>} */
const CHARTS = {
  classes: (series, model) => {
    const shown = model.classes.filter((item) => series.classes[item.name]).slice(0, MOST_CLASSES);
    const sets = shown.map((item) => line(item.name, series.classes[item.name], item.color, { stepped: false }));
    return { data: { datasets: sets }, options: { plugins: { legend: { position: "bottom", display: sets.length > 1 } } } };
  },
  speed: (series) => ({
    data: { datasets: [line("Pixels a second", series.speed, color("--accent"))] },
    options: { plugins: { legend: { display: false } } },
  }),
  confidence: (series) => ({
    data: { datasets: [line("Confidence", series.confidence, color("--good"))] },
    options: {
      plugins: { legend: { display: false } },
      y: { max: 1, ticks: { maxTicksLimit: 5, callback: (/** @type {number} */ value) => `${Math.round(value * 100)}%` } },
    },
  }),
};
