/** What the wall and the page of a camera have in common: sockets, timeline, the word when nothing comes. */

import { need, readJson } from "../dom.js";
import { Cameras } from "./cameras.js";
import { heardAt } from "./clock.js";
import { showConnection } from "./connection.js";
import { Dashboard } from "./dashboard.js";
import { setColors } from "./draw.js";
import { momentDialog } from "./moment-dialog.js";
import { MomentFilters } from "./moment-filters.js";
import { followPeople } from "./people.js";
import { PictureFeed } from "./pictures.js";
import { setStandings } from "./states.js";
import { Timeline } from "./timeline.js";

const SOONEST_MS = 300;
const LATEST_MS = 3000;

/**
 * @param {HTMLElement} root
 * @param {(lost: boolean) => void} onConnection called when nothing comes any more, and when it does again
 */
export function openPage(root, onConnection) {
  const data = /** @type {import("./cameras.js").PageData} */ (readJson("live-data"));
  setColors(data.colors);
  setStandings(data.standings);
  heardAt(data.stats.at);
  const cameras = new Cameras(data);
  const feed = new PictureFeed();
  const dashboard = new Dashboard(data.sequence);
  const filters = new MomentFilters(need("#moments", root), cameras, data);
  const address = (/** @type {number} */ id) => cameras.setups.get(id)?.url ?? `/live/${id}/`;
  const showMoment = momentDialog(/** @type {HTMLDialogElement} */ (need("#moment-dialog")), address);
  const timeline = new Timeline(need("#moments", root), data, filters, showMoment);

  need("#moment-dialog").addEventListener("close", () => timeline.follow());

  let waiting = 0;
  const reload = async () => {
    waiting = 0;
    const before = cameras.ids;
    await cameras.reload();
    // Events come with cameras and go with them; how a camera is set up changes none.
    if (cameras.ids !== before) await timeline.reload();
  };
  // Many changes at once are one look, and not all pages look at the same moment.
  const reloadSoon = () => {
    waiting ||= window.setTimeout(reload, SOONEST_MS + Math.random() * (LATEST_MS - SOONEST_MS));
  };
  dashboard.addEventListener("events", (event) => timeline.hear(/** @type {CustomEvent} */ (event).detail));
  dashboard.addEventListener("stats", (event) => cameras.update(/** @type {CustomEvent} */ (event).detail));
  dashboard.addEventListener("cameras", reloadSoon);
  feed.addEventListener("refused", reloadSoon);
  showConnection(need("[data-connection]", root), [feed.socket, dashboard.socket], onConnection);
  followPeople(data.urls.people, () => {
    timeline.renew();
    root.dispatchEvent(new CustomEvent("people"));
  });
  dashboard.start();
  feed.start();
  return { data, cameras, feed, dashboard, timeline };
}
