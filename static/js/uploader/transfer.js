/** One upload over XMLHttpRequest, because fetch() still tells nothing about the bytes sent. */

import { csrfToken, failureOf } from "../http.js";

/** @typedef {{id: string, url: string, status: string, name: string, thumbnail: string,
 *             cancel: string, retry: string}} CreatedSession */

/**
 * @param {string} url
 * @param {FormData} body
 * @param {(share: number) => void} onProgress
 * @returns {{done: Promise<CreatedSession>, abort: () => void}}
 */
export function send(url, body, onProgress) {
  const request = new XMLHttpRequest();
  /** @type {Promise<CreatedSession>} */
  const done = new Promise((resolve, reject) => {
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText));
      else reject(failureOf(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(failureOf(0, "")));
    request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
    request.send(body);
  });
  return { done, abort: () => request.abort() };
}
