/** How a camera stands, in the words that came with the page. */

/** @typedef {{label: string, tone: "good" | "busy" | "bad" | "quiet", say: string}} Standing */

/** States whose reason says more than words made in advance. */
const WITH_REASON = new Set(["connecting", "lost", "refused"]);

/** @type {Record<string, Standing>} */
let standings = {};

/** @param {Record<string, Standing>} given by state */
export function setStandings(given) {
  standings = given;
}

/**
 * @param {{enabled: boolean, state: string, reason: string, stale: boolean}} camera
 * @returns {Standing & {key: string}}
 */
export function standingOf({ enabled, state, reason, stale }) {
  let key = state in standings ? state : "waiting";
  if (stale && key !== "waiting") key = "silent";
  if (!enabled) key = "off";
  const standing = standings[key];
  return { ...standing, key, say: reason && WITH_REASON.has(key) ? reason : standing.say };
}
