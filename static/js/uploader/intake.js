/** Every way a picture can reach the page: drop (folders too), picker, camera, clipboard. */

/** @param {DataTransfer} transfer */
const carriesFiles = (transfer) => transfer.types.includes("Files");

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (entry.isFile) {
    const leaf = /** @type {FileSystemFileEntry} */ (entry);
    return new Promise((resolve) => leaf.file((file) => resolve([file]), () => resolve([])));
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {File[]} */
  const files = [];
  for (;;) {
    // A reader hands out at most a hundred entries per call.
    /** @type {FileSystemEntry[]} */
    const batch = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!batch.length) return files;
    for (const child of batch) {
      if (!child.name.startsWith(".")) files.push(...(await filesOf(child)));
    }
  }
}

/** @param {DataTransfer} transfer @returns {Promise<File[]>} */
async function droppedFiles(transfer) {
  // Entries must be taken before the first await: the list is emptied when the event is over.
  const entries = [...transfer.items].map((item) => (item.kind === "file" ? item.webkitGetAsEntry?.() : null));
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const found = await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])));
  return found.flat();
}

/**
 * @param {{inputs: HTMLInputElement[], veil: HTMLElement, onFiles: (files: File[]) => void}} parts
 */
export function takeFiles({ inputs, veil, onFiles }) {
  for (const input of inputs) {
    const take = () => {
      onFiles([...(input.files ?? [])]);
      input.value = "";
    };
    input.addEventListener("change", take);
    // Chosen while this script was still on its way, with the rest of the page's yet to run.
    if (input.files?.length) queueMicrotask(take);
  }
  let depth = 0;
  const cover = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  window.addEventListener("dragenter", (event) => {
    if (event.dataTransfer && carriesFiles(event.dataTransfer)) cover(1);
  });
  window.addEventListener("dragleave", (event) => {
    if (event.dataTransfer && carriesFiles(event.dataTransfer)) cover(-1);
  });
  window.addEventListener("dragover", (event) => {
    if (!event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  window.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    cover(-depth);
    void droppedFiles(event.dataTransfer).then(onFiles);
  });
  window.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    onFiles(files.map((file, index) => named(file, index)));
  });
}

/** A pasted screenshot is always "image.png"; a time tells them apart. @param {File} file @param {number} index */
function named(file, index) {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const now = new Date();
  const parts = [now.getHours(), now.getMinutes(), now.getSeconds()];
  const stamp = parts.map((part) => String(part).padStart(2, "0")).join("-");
  const ending = file.name.split(".").pop();
  return new File([file], `Pasted ${stamp}${index ? `-${index + 1}` : ""}.${ending}`, { type: file.type });
}
