/**
 * Cards of results follow what happens to them: how far a painting is, its picture as it comes about,
 * and its new face when it is finished. What others share or delete comes and goes by itself.
 */

import { events, onNews } from "../events.js";
import { request } from "../http.js";
import { refreshListSoon } from "../live-list.js";

/**
 * @typedef {{type: string, id: string, status: string, progress: number, message?: string,
 *            step?: number, preview?: number | null, seconds_left?: number | null,
 *            place?: number, seconds?: number | null}} PaintingNews
 */

const TOGETHER_MS = 300;
const ASK_MS = 4000;
const PATIENCE_MS = 15000;
const UNFINISHED = '.restyling-card:is([data-status="queued"], [data-status="running"])';

/** When the last was heard of a card, by its id. @type {Map<string, number>} */
const heard = new Map();

/** @param {string} id @returns {HTMLElement | null} */
const cardOf = (id) => document.querySelector(`.restyling-card[data-restyling="${CSS.escape(id)}"]`);

const changed = () => document.dispatchEvent(new Event("cards:changed"));

/** The card as the server shows it now; it goes when the result is not there any more. @param {HTMLElement} card */
async function exchange(card) {
  try {
    const text = await (await request(card.dataset.cardUrl ?? "", { accept: "text/html" })).text();
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector(".restyling-card");
    if (!fresh || !card.isConnected) return;
    const checked = card.querySelector(".session-check:checked") !== null;
    const box = fresh.querySelector(".session-check");
    if (box instanceof HTMLInputElement) box.checked = checked;
    // What is being painted keeps the picture that it has come to.
    const live = card.querySelector("img.is-live");
    if (live) fresh.querySelector("img[data-live]")?.replaceWith(live);
    card.replaceWith(document.adoptNode(fresh));
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status === 404) card.remove();
  }
  changed();
}

/** Short, for there is little room; as the server says it. @param {number} seconds @returns {string} */
function inWords(seconds) {
  if (seconds < 55) return `${Math.max(5, Math.ceil(seconds / 5) * 5)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** @param {HTMLElement} card @param {string} text */
function say(card, text) {
  const status = card.querySelector("[data-card-status]");
  if (!status) return;
  status.className = `status is-${card.dataset.status}`;
  status.textContent = text;
}

/** @param {HTMLElement} card @param {PaintingNews} news */
function follow(card, news) {
  if (news.status !== "queued" && news.status !== "running") {
    void exchange(card);
    return;
  }
  card.dataset.status = news.status;
  const progress = card.querySelector("[data-card-progress]");
  if (progress instanceof HTMLProgressElement) {
    if (news.status === "running") progress.value = news.progress;
    else progress.removeAttribute("value");
  }
  if (news.status === "queued") say(card, "Queued");
  else say(card, news.progress ? `Painting ${Math.round(news.progress * 100)}%` : news.message || "Running");
}

/** The picture turns into the painting. @param {HTMLElement} card @param {number} number no other time the same */
function showStep(card, number) {
  const image = card.querySelector("img[data-live]");
  if (!(image instanceof HTMLImageElement)) return;
  const next = new Image();
  next.src = `${image.dataset.live}?n=${number}`;
  // Exchanged when it is there, so that nothing flickers; one that has gone meanwhile does not matter.
  next.decode().then(() => { image.src = next.src; image.classList.add("is-live"); }, () => {});
}

/** @param {HTMLElement} card @param {PaintingNews} news */
function showPlace(card, news) {
  if (card.dataset.status !== "queued" || !news.place) return;
  const place = news.place === 1 ? "Next" : `Number ${news.place}`;
  say(card, news.seconds ? `${place} · ${inWords(news.seconds)}` : `${place} in the queue`);
}

/** @param {PaintingNews} news */
function hear(news) {
  if (news.type === "groups") refreshListSoon();
  if (!news.type.startsWith("restyling")) return;
  const card = cardOf(news.id);
  if (!card) {
    // One that was begun in another window, or that somebody has just shared.
    const isNew = news.type === "restyling.access" || (news.type === "restyling" && news.status === "queued");
    if (isNew) refreshListSoon();
    return;
  }
  heard.set(news.id, performance.now());
  if (news.type === "restyling") follow(card, news);
  if (news.type === "restyling.step" && typeof news.preview === "number") showStep(card, news.preview);
  if (news.type === "restyling.place") showPlace(card, news);
  if (news.type === "restyling.access") void exchange(card);
  if (news.type === "restyling.deleted") { card.remove(); changed(); }
}

/** Asks for those of which nothing was heard: news may have passed before the page listened. */
async function askForTheSilent() {
  const patience = events.connected ? PATIENCE_MS : 0;
  const now = performance.now();
  const silent = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(UNFINISHED)]).filter(
    (card) => now - (heard.get(card.dataset.restyling ?? "") ?? -PATIENCE_MS) >= patience,
  );
  // A few at a time: a page of cards must not become as many requests.
  await Promise.all(silent.slice(0, 4).map(async (card) => {
    const id = card.dataset.restyling ?? "";
    heard.set(id, now);
    await exchange(card);
    const fresh = cardOf(id);
    if (fresh?.dataset.status === "running") showStep(fresh, Math.round(now));
  }));
}

/** Begins to follow. */
export function followCards() {
  onNews((news) => hear(/** @type {PaintingNews} */ (/** @type {unknown} */ (news))));
  window.setTimeout(() => void askForTheSilent(), TOGETHER_MS);
  window.setInterval(() => void askForTheSilent(), ASK_MS);
}
