/** The wall. */

import { need } from "../dom.js";
import { openPage } from "./page.js";
import { showStrip } from "./strip.js";
import { Wall } from "./wall.js";

const root = need("#live");
/** @type {Wall | null} */
let wall = null;
const { cameras, data, feed } = openPage(root, (lost) => {
  root.classList.toggle("is-lost", lost);
  wall?.connected(!lost);
});
wall = new Wall(need("[data-wall]", root), cameras, feed);
showStrip(root, cameras)(data.stats);
