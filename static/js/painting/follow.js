/** News of one painting, from the socket; where that is silent, by asking how far it is. */

import { events, onNews } from "../events.js";
import { getJson } from "../http.js";

const POLL_MS = 1500;
const FIRST_POLL_MS = 150;

/**
 * @param {{id: string, url: string, onState: (state: any) => void, onStep: (news: any) => void,
 *          onPlace: (news: any) => void, onGone: () => void}} told
 * @returns {() => void} stops following
 */
export function follow({ id, url, onState, onStep, onPlace, onGone }) {
  let heard = 0;
  let over = false;
  const stopNews = onNews((news) => {
    if (over || news.id !== id) return;
    if (news.type === "restyling.deleted") { stop(); onGone(); return; }
    const tell = { restyling: onState, "restyling.step": onStep, "restyling.place": onPlace }[news.type];
    if (!tell) return;
    heard = performance.now();
    tell(news);
  });
  async function ask() {
    if (over || (heard && performance.now() - heard < (events.connected ? 6 : 1) * POLL_MS)) return;
    heard = performance.now();
    try {
      const state = await getJson(url);
      if (!over) onState(state);
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status === 404 && !over) { stop(); onGone(); }
    }
  }
  const first = window.setTimeout(ask, FIRST_POLL_MS);
  const timer = window.setInterval(ask, POLL_MS);
  function stop() {
    over = true;
    clearTimeout(first);
    clearInterval(timer);
    stopNews();
  }
  return stop;
}
