/** One camera on the wall, or the large view of its page: picture, drawing, state, age and rate. */

import { html, icon, need } from "../dom.js";
import { serverNow } from "./clock.js";
import { age, one } from "./format.js";
import { Screen } from "./screen.js";
import { standingOf } from "./states.js";

/** @typedef {import("./cameras.js").CameraSetup} CameraSetup */
/** @typedef {import("./dashboard.js").CameraStats} CameraStats */
/** @typedef {import("./pictures.js").Meta} Meta */

const STALE_MS = 3000;
const MOST_CHIPS = 3;
const AT_REST = 0.9; // of the frames: nothing moves, and the detector rests

/** @param {Partial<import("./dashboard.js").Rates>} rates @returns {string} */
function pace({ processed = 0, gated = 0 }) {
  return gated > AT_REST * (processed + gated) ? "at rest" : `${one(processed)} fps`;
}

export class Tile {
  /** @type {Screen} */
  screen;
  /** @type {{key: string, label: string, tone: string}} */
  #standing = { key: "", label: "", tone: "quiet" };
  #connected = true;

  /** @param {HTMLElement} root @param {import("./pictures.js").PictureFeed} feed */
  constructor(root, feed) {
    this.root = root;
    this.feed = feed;
    this.id = Number(root.dataset.camera);
    this.link = /** @type {HTMLAnchorElement | null} */ (root.querySelector("[data-tile-link]"));
    this.picture = /** @type {HTMLCanvasElement} */ (need("[data-tile-picture]", root));
    const overlay = /** @type {HTMLCanvasElement} */ (need("[data-tile-overlay]", root));
    this.screen = new Screen(this.picture, overlay, (meta) => feed.ack(meta));
    feed.give(this.id, (meta, blob) => this.#take(meta, blob));
  }

  /** @param {Meta} meta @param {Blob} blob */
  #take(meta, blob) {
    this.root.classList.add("has-picture");
    void this.screen.take(meta, blob);
  }

  /** @param {CameraSetup} setup @param {CameraStats | undefined} stats */
  show(setup, stats) {
    this.screen.regions = { zones: setup.zones, lines: setup.lines };
    for (const name of this.root.querySelectorAll("[data-tile-name]")) name.textContent = setup.name;
    this.picture.setAttribute("aria-label", `Live picture of ${setup.name}`);
    if (this.link) this.link.href = setup.url;
    const standing = standingOf({
      enabled: setup.enabled, state: stats?.state ?? "waiting", reason: stats?.reason ?? "", stale: stats?.stale ?? false,
    });
    this.root.dataset.state = standing.key;
    this.#standing = standing;
    need("[data-tile-say-text]", this.root).textContent = standing.say || "The first picture is on its way.";
    need("[data-tile-fps]", this.root).textContent = this.isLive && stats ? pace(stats.fps) : "";
    this.tick();
  }

  /** @returns {boolean} */
  get isLive() {
    return this.#standing.key === "live";
  }

  /** @param {boolean} connected whether the page hears the server */
  connected(connected) {
    this.#connected = connected;
    this.tick();
  }

  /** What changes with time alone. */
  tick() {
    const { meta } = this.screen;
    const old = meta ? serverNow() - meta.at : 0;
    const stale = meta !== null && (old > STALE_MS || !this.#connected);
    this.root.classList.toggle("is-stale", stale);
    // Without the server, nobody knows how the camera is.
    const badge = need("[data-tile-state]", this.root);
    badge.textContent = this.#connected ? this.#standing.label : "Not connected";
    badge.dataset.tone = this.#connected ? this.#standing.tone : "quiet";
    need("[data-tile-age]", this.root).textContent = meta ? age(old) : "";
    // A picture of before stays, greyed, with the reason over it; one of now speaks for itself.
    need("[data-tile-say]", this.root).hidden = meta !== null && (this.isLive || !stale);
    this.#showOccupancy();
  }

  #showOccupancy() {
    const place = need("[data-tile-occupancy]", this.root);
    const { meta, regions } = this.screen;
    const zones = meta ? regions.zones.map((zone) => ({ name: zone.name, count: meta.occupancy[String(zone.id)] ?? 0 })) : [];
    const busy = zones.filter((zone) => zone.count > 0);
    const text = busy.map((zone) => `${zone.name} ${zone.count}`).join("|");
    if (place.dataset.shown === text) return;
    place.dataset.shown = text;
    const chips = busy.slice(0, MOST_CHIPS).map((zone) => html("span", { class: "tile-chip" }, icon("users"), `${zone.name} `, html("b", {}, String(zone.count))));
    place.replaceChildren(...chips);
  }

  /** The camera is gone from the page. */
  close() {
    this.feed.give(this.id, null);
    this.screen.close();
    this.root.remove();
  }
}
