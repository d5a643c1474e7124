/** The server's time as this page knows it: two machines' clocks differ, and ages are told by one. */

const SAMPLES = 30;

/** @type {number[]} how far this clock was ahead when something came, in milliseconds */
const ahead = [];

/** Something has come that the server sent then. @param {string | number} at ISO or unix milliseconds */
export function heardAt(at) {
  const sent = typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(sent)) return;
  ahead.push(Date.now() - sent);
  if (ahead.length > SAMPLES) ahead.shift();
}

/** Unix milliseconds by the server's clock; the quickest message of late tells best how it stands. */
export function serverNow() {
  return Date.now() - (ahead.length ? Math.min(...ahead) : 0);
}
