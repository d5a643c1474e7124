/** How many tiles beside each other fill a room best. */

const GAP = 6; // pixels, as live.css has it
const CHOICES = [1, 4, 9, 16];

/** The layout that shows that many cameras on as few pages as there need be. @param {number} count @returns {number} */
export function layoutFor(count) {
  return CHOICES.find((choice) => count <= choice) ?? 16;
}

/**
 * @param {number} count tiles @param {number} width of the room @param {number} height of the room
 * @param {number} aspect width of a tile for its height
 * @returns {{columns: number, width: number}} the largest tiles that fit
 */
export function bestGrid(count, width, height, aspect) {
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const wide = (width - GAP * (columns - 1)) / columns;
    const high = ((height - GAP * (rows - 1)) / rows) * aspect;
    const tile = Math.floor(Math.min(wide, high));
    if (tile > best.width) best = { columns, width: tile };
  }
  return best;
}

/** The shape that most cameras have, within what looks well. @param {{width: number, height: number}[]} cameras */
export function commonAspect(cameras) {
  const known = cameras.filter(({ width, height }) => width > 0 && height > 0).map(({ width, height }) => width / height);
  if (!known.length) return 16 / 9;
  known.sort((a, b) => a - b);
  return Math.min(16 / 9, Math.max(4 / 3, known[Math.floor(known.length / 2)]));
}
