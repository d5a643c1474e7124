/** Colours and type of the page, as a canvas needs them: resolved for the theme of the moment. */

/** @param {string} name of a CSS variable @returns {string} e.g. "rgb(36, 80, 230)" */
export function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

/** What every chart has in common. */
export function applyTheme(Chart) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = color("--text-2");
  Chart.defaults.borderColor = color("--line");
  Chart.defaults.animation = still ? false : { duration: 250 };
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.plugins.tooltip.backgroundColor = color("--text");
  Chart.defaults.plugins.tooltip.titleColor = color("--bg");
  Chart.defaults.plugins.tooltip.bodyColor = color("--bg");
  Chart.defaults.plugins.legend.labels.boxWidth = 10;
  Chart.defaults.plugins.legend.labels.boxHeight = 10;
}
