/** What is to be painted: a file, the example, a session's picture, or what was painted before. */

/**
 * @typedef {object} Content
 * @property {"file" | "example" | "again"} from
 * @property {File | null} file
 * @property {boolean} isVideo
 * @property {string} name
 * @property {string} url of a picture that stands for it; empty where the browser can show none
 * @property {number} side of the longer one, in pixels; 0 where it is not known
 */

import { kindOf } from "../uploader/kinds.js";

const FRAME_MS = 4000;

/** @param {File} file @returns {Promise<Content>} */
export async function contentOf(file) {
  const isVideo = kindOf(file, "image") === "video";
  const url = isVideo ? await frameOf(file) : URL.createObjectURL(file);
  return { from: "file", file, isVideo, name: file.name, url, side: 0 };
}

/**
 * A picture that is on the server already, fetched as if it had been chosen.
 * @param {string} url @returns {Promise<File>}
 */
export async function fileFrom(url) {
  const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "image/*" } });
  const blob = await answer.blob();
  if (!answer.ok || !blob.type.startsWith("image/")) throw new Error("The picture of that session is not there any more.");
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  return new File([blob], named?.[1] ?? "picture.jpg", { type: blob.type });
}

/** A frame of a video as a picture; empty where this browser cannot read it. @param {File} file @returns {Promise<string>} */
async function frameOf(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      window.setTimeout(() => reject(new Error("late")), FRAME_MS);
      video.addEventListener("error", () => reject(new Error("unreadable")));
      video.addEventListener("seeked", resolve, { once: true });
      video.addEventListener("loadeddata", () => { video.currentTime = Math.min(1, (video.duration || 0) / 2); }, { once: true });
      video.muted = true;
      video.preload = "auto";
      video.src = address;
    });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    const frame = await new Promise((/** @type {BlobCallback} */ resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.9); });
    return frame ? URL.createObjectURL(frame) : "";
  } catch {
    return "";
  } finally {
    URL.revokeObjectURL(address);
  }
}
