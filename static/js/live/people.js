/** Who was recognised: names of tracks and of events, for those who may see them. */

import { getJson } from "../http.js";

/** @typedef {{name: string, url: string}} Person */

const ASK_MS = 3000;

/** @type {Map<string, Person>} by the event's id */
const events = new Map();
/** @type {Map<string, Person>} by camera and number of the track */
const tracks = new Map();

/** @param {number} camera @param {number | string} track */
const keyOf = (camera, track) => `${camera}:${track}`;

/** The name of a track that is seen now; null for nobody. @param {number} camera @param {number | string} track */
export function nameOf(camera, track) {
  return tracks.get(keyOf(camera, track))?.name ?? null;
}

/** Who an event is about; null for nobody who is known. @param {string} id */
export function personOf(id) {
  return events.get(id) ?? null;
}

/** Who is before a camera now. @param {number} camera @returns {Person[]} */
export function peopleAt(camera) {
  const found = [...tracks].filter(([key]) => key.startsWith(`${camera}:`)).map(([, person]) => person);
  return [...new Map(found.map((person) => [person.url, person])).values()];
}

/**
 * Asks again and again, while the page is looked at.
 * @param {string | undefined} url none for those who may not know
 * @param {() => void} onChange
 */
export function followPeople(url, onChange) {
  if (!url) return;
  let before = "";
  const ask = async () => {
    try {
      const found = document.hidden ? null : await getJson(url);
      const text = JSON.stringify(found);
      if (found && text !== before) {
        before = text;
        take(found);
        onChange();
      }
    } catch {
      // The next time is another try; nobody stays known for ever.
      before = "";
      if (tracks.size) {
        tracks.clear();
        onChange();
      }
    }
    window.setTimeout(ask, ASK_MS);
  };
  void ask();
}

/** @param {{now: (Person & {camera: number, track: number})[], events: Record<string, Person>}} found */
function take(found) {
  tracks.clear();
  events.clear();
  for (const { camera, track, name, url } of found.now) tracks.set(keyOf(camera, track), { name, url });
  for (const [id, person] of Object.entries(found.events)) events.set(id, person);
}
