/** Which files are videos: by what the browser says of them, and by their name where it says nothing. */

const VIDEO_NAME = /\.(mp4|m4v|mov|avi|mkv|webm|mpe?g|ts|mts|wmv|flv|3gp|ogv)$/i;

/**
 * @param {File} file
 * @param {"image" | "video"} preferred of the form: a GIF may be either
 * @returns {"image" | "video"}
 */
export function kindOf(file, preferred) {
  if (file.type === "image/gif") return preferred;
  if (file.type.startsWith("image/")) return "image";
  if (file.type.startsWith("video/") || VIDEO_NAME.test(file.name)) return "video";
  return preferred;
}
