/** The cameras that the page knows, as they are set up and as they do. */

import { getJson, RequestFailed } from "../http.js";

/** @typedef {import("./draw.js").Zone} Zone */
/** @typedef {import("./draw.js").Line} Line */
/** @typedef {import("./dashboard.js").CameraStats} CameraStats */
/** @typedef {{id: number, name: string, area: string, enabled: boolean, url: string, zones: Zone[], lines: Line[],
 *             width: number, height: number}} CameraSetup */
/** @typedef {{cameras: CameraSetup[], stats: import("./dashboard.js").Stats, sequence: number, colors: Record<string, string>,
 *             standings: Record<string, import("./states.js").Standing>, events: import("./dashboard.js").LiveEvent[],
 *             camera: number | null, labels: string[], kinds: Record<string, string>, urls: Record<string, string>}} PageData */

/** Says "setup" when cameras came, went or were changed, and "stats" with every new look at them. */
export class Cameras extends EventTarget {
  /** @type {Map<number, CameraSetup>} */
  setups = new Map();
  /** @type {Map<number, CameraStats>} */
  stats = new Map();

  /** @param {PageData} data */
  constructor(data) {
    super();
    this.url = data.urls.cameras;
    this.#take(data.cameras, data.stats);
  }

  /** @returns {CameraSetup[]} */
  get all() {
    return [...this.setups.values()];
  }

  /** Which there are, in any order. @returns {string} */
  get ids() {
    return [...this.setups.keys()].sort((a, b) => a - b).join(" ");
  }

  /** @param {import("./dashboard.js").Stats} stats */
  update(stats) {
    for (const camera of stats.cameras) this.stats.set(camera.id, camera);
    this.dispatchEvent(new CustomEvent("stats", { detail: stats }));
  }

  /** Asks the server anew; what may not be seen any more is gone afterwards. */
  async reload() {
    try {
      const { cameras, stats } = await getJson(this.url);
      this.#take(cameras, stats);
    } catch (error) {
      // On the page of one camera that is gone, or hidden from now on: the wall shows what is left.
      if (error instanceof RequestFailed && error.status === 404) this.#take([], null);
      else return;
    }
    this.dispatchEvent(new Event("setup"));
  }

  /** @param {CameraSetup[]} setups @param {import("./dashboard.js").Stats | null} stats */
  #take(setups, stats) {
    this.setups = new Map(setups.map((setup) => [setup.id, setup]));
    this.stats = new Map((stats?.cameras ?? []).map((camera) => [camera.id, camera]));
  }
}
