/** Ages, rates and times as the live pages write them. */

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium" });

/** 140 → "0.1 s", 75000 → "1 min", 7400000 → "2 h". @param {number} ms @returns {string} */
export function age(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

/** 4.2 → "4 s", 75 → "1 min 15 s", 3700 → "1 h 1 min". @param {number} seconds @returns {string} */
export function stay(seconds) {
  const total = Math.max(0, Math.floor(seconds));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 ? `${minutes} min ${total % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 60)} h`;
}

/** A number with one digit after the point, or a dash. @param {number | null | undefined} value @returns {string} */
export function one(value) {
  return typeof value === "number" && Number.isFinite(value) ? value.toFixed(1) : "–";
}

/** The time of a moment; with its day when that is not today. @param {string} iso @returns {string} */
export function clockOf(iso) {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return "";
  const today = moment.toDateString() === new Date().toDateString();
  return today ? time.format(moment) : `${day.format(moment)}, ${time.format(moment)}`;
}

/** Day and time in full. @param {string} iso @returns {string} */
export function momentOf(iso) {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime()) ? "" : whole.format(moment);
}
