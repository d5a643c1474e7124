/** Requests to our own server: CSRF token, JSON, and errors as one type. */

/** @typedef {{code: string, message: string, fields?: Record<string, unknown>}} ErrorBody */

export class RequestFailed extends Error {
  /** @param {number} status @param {ErrorBody} body */
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.code = body.code;
    this.fields = body.fields ?? {};
  }
}

/** @returns {string} */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}

const SENTENCES = new Map([
  [0, "The server cannot be reached. Check the connection and try again."],
  [401, "You are signed out. Sign in again and repeat this."],
  [403, "This page has expired. Reload it and try again."],
  [404, "This no longer exists."],
  [413, "This file is too large."],
  [429, "Too many requests. Wait a moment and try again."],
  [507, "The server’s disk is full."],
]);

/**
 * The error of an answer: the server's own sentence where it sent one.
 * @param {number} status 0 when no answer came
 * @param {string} text
 * @returns {RequestFailed}
 */
export function failureOf(status, text) {
  try {
    const body = JSON.parse(text).error;
    if (body?.message) return new RequestFailed(status, body);
  } catch {
    // Not JSON: a proxy or an error page answered.
  }
  const message = SENTENCES.get(status) ?? `The server answered with an error (${status}).`;
  return new RequestFailed(status, { code: `http_${status}`, message });
}

/**
 * @param {string} url
 * @param {{method?: string, body?: FormData | URLSearchParams, accept?: string}} [options]
 * @returns {Promise<Response>} only a good answer; RequestFailed otherwise
 */
export async function request(url, { method = "GET", body, accept = "application/json" } = {}) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, {
      method, body, credentials: "same-origin",
      headers: { Accept: accept, "X-CSRFToken": csrfToken(), "X-Requested-With": "XMLHttpRequest" },
    });
  } catch {
    throw failureOf(0, "");
  }
  // A session that has ended leads to the sign-in form, which is a good answer to another question.
  if (response.redirected && new URL(response.url).pathname.startsWith("/accounts/login/")) throw failureOf(401, "");
  if (!response.ok) throw failureOf(response.status, await response.text());
  return response;
}

/** @param {string} url @param {FormData} [body] @returns {Promise<any>} */
export async function post(url, body) {
  const response = await request(url, { method: "POST", body: body ?? new FormData() });
  return response.status === 204 ? null : response.json();
}

/** @param {string} url @returns {Promise<any>} */
export async function getJson(url) {
  return (await request(url)).json();
}
