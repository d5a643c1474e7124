/** The painted video and the original beside it go together: the one with the controls leads. */

const DRIFT = 0.15; // seconds that nobody sees

/** @param {ParentNode} root */
export function playTogether(root) {
  const painted = root.querySelector("[data-painted]");
  const original = root.querySelector("[data-original]");
  if (!(painted instanceof HTMLVideoElement) || !(original instanceof HTMLVideoElement)) return;
  const align = () => {
    if (Math.abs(original.currentTime - painted.currentTime) > DRIFT) original.currentTime = painted.currentTime;
  };
  painted.addEventListener("play", () => { align(); original.play().catch(() => { /* It stays a picture. */ }); });
  painted.addEventListener("pause", () => { original.pause(); align(); });
  painted.addEventListener("seeking", align);
  painted.addEventListener("timeupdate", align);
  painted.addEventListener("ratechange", () => { original.playbackRate = painted.playbackRate; });
  const refuse = () => {
    original.hidden = true;
    root.querySelector("[data-no-original]")?.removeAttribute("hidden");
  };
  original.addEventListener("error", refuse);
  if (original.error) refuse();
}
