/** Filling the screen. */

/** Fills the screen with an element, or gives the screen back. @param {Element} element */
export function fill(element) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else element.requestFullscreen?.().catch(() => { /* Not allowed here: nothing is lost. */ });
}
