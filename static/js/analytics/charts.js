/** One function per chart, from the figures of the page to Chart.js. */

import { applyTheme, color } from "./theme.js";

const MOST_CLASSES = 15;
const ROW = 26; // pixels of a horizontal bar with its space
const number = new Intl.NumberFormat("en-GB");
const percent = (/** @type {number} */ value) => `${Math.round(value * 100)}%`;

/** @param {any} figures the document of the API @returns {any[]} charts that can be destroyed */
export function drawCharts(figures) {
  const { Chart } = /** @type {any} */ (window);
  if (!Chart) return [];
  applyTheme(Chart);
  const charts = [];
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    const { config, links, rows } = CHARTS[canvas.dataset.chart](figures);
    const box = canvas.parentElement;
    if (box.hasAttribute("data-grow")) box.style.height = `${Math.max(3, rows) * ROW + 44}px`;
    if (links) leadTo(config, (at) => canvas.dataset.link + links(at));
    charts.push(new Chart(canvas, config));
  }
  return charts;
}

/** Have bars lead to the sessions that they stand for. */
function leadTo(config, address) {
  config.options.onClick = (event, hits) => {
    if (!hits.length) return;
    const target = address(hits[0].index);
    const { ctrlKey, metaKey } = event.native ?? {};
    if (ctrlKey || metaKey) window.open(target, "_blank", "noopener");
    else window.location.assign(target);
  };
  config.options.onHover = (event, hits) => {
    event.native.target.style.cursor = hits.length ? "pointer" : "default";
  };
}

const axis = (/** @type {object} */ more = {}) => ({
  beginAtZero: true,
  ticks: { precision: 0, maxTicksLimit: 6, callback: (value) => number.format(value) },
  border: { display: false },
  ...more,
});
const plain = (/** @type {object} */ more = {}) => ({ grid: { display: false }, ...more });
const bars = (label, data, fill, more = {}) => ({
  type: "bar",
  label,
  data,
  backgroundColor: fill,
  borderRadius: 3,
  maxBarThickness: 48,
  ...more,
});

function timeline({ timeline: steps, range }) {
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const month = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
  const label = (step) => (range.step === "month" ? month : day).format(new Date(step.from));
  return {
    links: (at) => `&from=${steps[at].from}&to=${steps[at].to}`,
    config: {
      data: {
        labels: steps.map(label),
        datasets: [
          bars("Objects", steps.map((step) => step.objects), color("--accent-fill"), { order: 2 }),
          {
            type: "line",
            label: "Sessions",
            data: steps.map((step) => step.sessions),
            borderColor: color("--warn"),
            backgroundColor: color("--warn"),
            borderWidth: 2,
            pointRadius: steps.length > 40 ? 0 : 2,
            cubicInterpolationMode: "monotone",
            yAxisID: "sessions",
            order: 1,
          },
        ],
      },
      options: {
        interaction: { mode: "index", intersect: false },
        scales: {
          x: plain({ ticks: { maxRotation: 0, autoSkipPadding: 12 } }),
          y: axis({ title: { display: true, text: "Objects" } }),
          sessions: axis({
            position: "right",
            grid: { display: false },
            title: { display: true, text: "Sessions" },
          }),
        },
        plugins: {
          legend: { position: "bottom" },
          tooltip: {
            callbacks: {
              title: ([{ dataIndex }]) => {
                const step = steps[dataIndex];
                return step.from === step.to ? step.from : `${step.from} to ${step.to}`;
              },
            },
          },
        },
      },
    },
  };
}

function classes({ classes: found }) {
  const shown = found.slice(0, MOST_CLASSES);
  return {
    rows: shown.length,
    links: (at) => encodeURIComponent(shown[at].class),
    config: {
      data: {
        labels: shown.map((row) => row.class),
        datasets: [bars("Objects", shown.map((row) => row.objects), color("--accent-fill"), { maxBarThickness: 20 })],
      },
      options: {
        indexAxis: "y",
        scales: { x: axis(), y: plain({ ticks: { autoSkip: false } }) },
        interaction: { mode: "index", axis: "y", intersect: false },
        plugins: { legend: { display: false } },
      },
    },
  };
}

function confidence({ confidence: bins }) {
  return {
    config: {
      data: {
        labels: bins.map((bin) => percent(bin.from)),
        datasets: [
          bars("Objects", bins.map((bin) => bin.objects), color("--accent-fill"), {
            barPercentage: 1,
            categoryPercentage: 0.94,
          }),
        ],
      },
      options: {
        scales: { x: plain({ ticks: { maxRotation: 0, autoSkipPadding: 8 } }), y: axis() },
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: ([{ dataIndex }]) =>
                `${percent(bins[dataIndex].from)} to ${percent(bins[dataIndex].to)}`,
            },
          },
        },
      },
    },
  };
}

function times({ models }) {
  const timed = models.filter((model) => model.median_ms !== null);
  return {
    rows: 2 * timed.length,
    links: (at) => encodeURIComponent(timed[at].model),
    config: {
      data: {
        labels: timed.map((model) => `${model.model} ${model.precision}`.trim()),
        datasets: [
          bars("Median", timed.map((model) => model.median_ms), color("--accent-fill")),
          bars("95%", timed.map((model) => model.p95_ms), color("--warn")),
        ],
      },
      options: {
        indexAxis: "y",
        scales: { x: axis(), y: plain({ ticks: { autoSkip: false } }) },
        interaction: { mode: "index", axis: "y", intersect: false },
        plugins: { legend: { position: "bottom" } },
      },
    },
  };
}

/** @type {Record<string, (figures: any) => { config: any, links?: (at: number) => string, rows?: number }>} */
const CHARTS = { timeline, classes, confidence, times };
