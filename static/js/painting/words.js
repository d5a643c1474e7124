/** Times as people say them: a forecast is never more exact than it deserves. */

import { plural } from "../dom.js";

/** @param {number} seconds @returns {string} e.g. "about 2 minutes" */
export function about(seconds) {
  if (seconds < 4) return "a few seconds";
  if (seconds < 55) return `about ${seconds < 15 ? Math.round(seconds) : Math.round(seconds / 5) * 5} seconds`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${plural(minutes || 1, "minute")}`;
  const hours = Math.floor(minutes / 60);
  const rest = Math.round((minutes % 60) / 10) * 10;
  if (rest === 60) return `about ${plural(hours + 1, "hour")}`;
  return rest ? `about ${plural(hours, "hour")} ${rest} minutes` : `about ${plural(hours, "hour")}`;
}
