/** Exchanges parts of the page for what the server shows now; the rest stays as it is. */

import { request } from "./http.js";

/** What depends on who may do what with a session. */
export const ACCESS_PARTS = ["#result-head .result-meta", "#result-head .row-buttons", "#result-head .title-edit", "#share-dialog"];

/**
 * @param {string[]} parts selectors
 * @param {{gone: string, remove?: boolean}} options where to go when the page is not there any more, and
 *   whether what the server does not show any more goes
 * @returns {Promise<Document | null>} null when there is no page any more
 */
export async function fetchParts(parts, { gone, remove = false }) {
  /** @type {Document} */
  let fresh;
  try {
    const text = await (await request(location.pathname, { accept: "text/html" })).text();
    fresh = new DOMParser().parseFromString(text, "text/html");
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status !== 404) throw error;
    location.assign(gone);
    return null;
  }
  for (const selector of parts) {
    const [old, next] = [document.querySelector(selector), fresh.querySelector(selector)];
    if (next) old?.replaceWith(document.adoptNode(next));
    else if (remove) old?.remove();
  }
  return fresh;
}

/** Who may do what has changed: the page says so, and what was found stays as it is shown. @param {string} gone */
export async function refreshAccess(gone) {
  if (document.querySelector("dialog[open]")) return;
  await fetchParts(ACCESS_PARTS, { gone, remove: true }).catch(() => { /* The next click is told. */ });
}
