/** Choices of this browser that outlive the page. */

/** @param {string} name @param {string} fallback @returns {string} */
export function remembered(name, fallback) {
  try {
    return localStorage.getItem(`live.${name}`) ?? fallback;
  } catch {
    return fallback; // Without storage a choice holds for this page.
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(`live.${name}`, value);
  } catch {
    // As above.
  }
}
