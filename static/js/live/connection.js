/** The bar that says when nothing comes any more, and when it is tried again. */

import { need } from "../dom.js";

const TICK_MS = 500;
const CALM_MS = 400; // what is over sooner is not worth a word
const TOO_MANY = 4429;

/** @typedef {import("./socket.js").LiveSocket} LiveSocket */

/**
 * @param {HTMLElement} bar with a text and a button
 * @param {LiveSocket[]} sockets
 * @param {(lost: boolean) => void} onChange
 */
export function showConnection(bar, sockets, onChange) {
  const text = need("[data-connection-text]", bar);
  const again = need("[data-connection-retry]", bar);
  const enter = need("[data-connection-enter]", bar);
  let since = 0;
  let shown = false;

  function paint() {
    const down = sockets.filter((socket) => socket.state === "down");
    const over = sockets.some((socket) => socket.state === "over");
    // A try is under way: it is still lost.
    const trying = sockets.some((socket) => socket.state === "connecting") && shown;
    if (!down.length && !over && !trying) since = 0;
    else if (!since) since = performance.now();
    const lost = since > 0 && (over || performance.now() - since >= CALM_MS);
    if (lost) {
      text.textContent = over ? "You are signed out." : sentence(down);
      again.hidden = over;
      enter.hidden = !over;
    }
    if (lost === shown) return;
    shown = lost;
    bar.hidden = !lost;
    onChange(lost);
  }

  again.addEventListener("click", () => sockets.forEach((socket) => socket.retry()));
  for (const socket of sockets) socket.addEventListener("state", paint);
  window.setInterval(paint, TICK_MS);
}

/** @param {LiveSocket[]} down */
function sentence(down) {
  if (down.some((socket) => socket.code === TOO_MANY)) return "Too many live pages are open. Close some of them.";
  const next = Math.min(...down.map((socket) => socket.retryAt)) - performance.now();
  const seconds = Math.ceil(next / 1000);
  return seconds > 1 && Number.isFinite(seconds) ? `Connection lost. Trying again in ${seconds} s.` : "Connection lost. Trying again.";
}
