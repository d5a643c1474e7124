/**
 * Cards of unfinished sessions follow their jobs; a finished one is exchanged for its new face. What
 * others begin or cease to share comes and goes by itself.
 */

import { onNews, Watcher } from "./events.js";
import { request } from "./http.js";
import { refreshListSoon } from "./live-list.js";

const watcher = new Watcher();

/** @param {string} id @returns {HTMLElement | null} */
const cardOf = (id) => document.querySelector(`.session-card[data-session="${CSS.escape(id)}"]`);

/** The card of a session that was deleted in another window. @param {string} id */
function remove(id) {
  cardOf(id)?.remove();
  document.dispatchEvent(new Event("cards:changed"));
}

/** @param {HTMLElement} card */
async function exchange(card) {
  const text = await (await request(card.dataset.cardUrl ?? "", { accept: "text/html" })).text();
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector(".session-card");
  if (!fresh) return;
  const checked = card.querySelector(".session-check:checked") !== null;
  const box = fresh.querySelector(".session-check");
  if (box instanceof HTMLInputElement) box.checked = checked;
  card.replaceWith(document.adoptNode(fresh));
}

/** @param {import("./events.js").SessionNews} news */
function follow(news) {
  const card = cardOf(news.id);
  if (!card) return;
  if (news.type === "session.deleted") {
    remove(news.id);
    return;
  }
  const status = card.querySelector("[data-card-status]");
  if (news.status === "queued" || news.status === "running") {
    if (!status) return;
    status.className = `status is-${news.status}`;
    const percent = news.progress ? ` ${Math.round(news.progress * 100)}%` : "";
    status.textContent = news.status === "running" ? `Running${percent}` : "Queued";
  } else {
    exchange(card).catch(() => { /* The list shows it at the next visit. */ });
  }
}

function watchAll() {
  for (const card of document.querySelectorAll('.session-card:is([data-status="queued"], [data-status="running"])')) {
    watcher.watch(card.getAttribute("data-session") ?? "", follow);
  }
}

/** @param {string} id */
async function askAgain(id) {
  const card = cardOf(id);
  if (!card) { refreshListSoon(watchAll); return; }
  try {
    await exchange(card);
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status === 404) remove(id);
  }
}

// A finished card changes no more, but it may be deleted, shared or withdrawn elsewhere.
onNews((news) => {
  if (news.type === "session.deleted") remove(news.id);
  if (news.type === "session.access") void askAgain(news.id);
  if (news.type === "groups") refreshListSoon(watchAll);
});
document.addEventListener("htmx:afterSettle", watchAll);
watchAll();
