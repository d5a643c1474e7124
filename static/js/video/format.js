/** Times and numbers as the page of a video writes them. */

/** 3909.4 → "1:05:09", with `tenths` "1:05:09.4". @param {number} seconds @param {boolean} [tenths] @returns {string} */
export function clock(seconds, tenths = false) {
  // Rounded first: 59.96 is a minute and not "0:60.0".
  const value = tenths ? Math.round(Math.max(0, seconds) * 10) / 10 : Math.floor(Math.max(0, seconds));
  const whole = Math.floor(value);
  const parts = [Math.floor((whole % 3600) / 60), whole % 60];
  const hours = Math.floor(whole / 3600);
  const text = hours
    ? `${hours}:${String(parts[0]).padStart(2, "0")}:${String(parts[1]).padStart(2, "0")}`
    : `${parts[0]}:${String(parts[1]).padStart(2, "0")}`;
  return tenths ? `${text}.${Math.round((value - whole) * 10)}` : text;
}

/** How long: 3.2 → "3.2 s", 75 → "1 min 15 s". @param {number} seconds @returns {string} */
export function span(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
}

/** "hands_up" → "hands up". @param {string} label @returns {string} */
export function words(label) {
  return label.replaceAll("_", " ");
}
