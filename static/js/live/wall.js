/** The wall: which tiles are on the page and how large, what the server is asked for, and the keys. */

import { need } from "../dom.js";
import { fill } from "./fullscreen.js";
import { bestGrid, commonAspect, layoutFor } from "./grid.js";
import { remember, remembered } from "./remembered.js";
import { Tile } from "./tile.js";

const TICK_MS = 500;
const NARROW = "(max-width: 60rem)";

export class Wall {
  /** @type {Map<number, Tile>} */
  #tiles = new Map();
  /** @type {Set<Element>} */
  #seen = new Set();
  #page = 0;
  #columns = 1;
  #narrow = matchMedia(NARROW);
  #observer = new IntersectionObserver((entries) => this.#onSeen(entries), { rootMargin: "64px" });

  /**
   * @param {HTMLElement} root @param {import("./cameras.js").Cameras} cameras
   * @param {import("./pictures.js").PictureFeed} feed
   */
  constructor(root, cameras, feed) {
    this.root = root;
    this.cameras = cameras;
    this.feed = feed;
    this.grid = need("[data-grid]", root);
    this.template = /** @type {HTMLTemplateElement} */ (need("#tile-template"));
    for (const element of this.grid.querySelectorAll("[data-camera]")) this.#adopt(/** @type {HTMLElement} */ (element));
    this.#listen();
    this.refresh();
    window.setInterval(() => this.#each((tile) => tile.tick()), TICK_MS);
  }

  #listen() {
    new ResizeObserver(() => this.#arrange()).observe(need("[data-room]", this.root));
    this.#narrow.addEventListener("change", () => this.refresh());
    this.cameras.addEventListener("stats", () => this.#show());
    this.cameras.addEventListener("setup", () => this.refresh());
    document.addEventListener("visibilitychange", () => this.#want());
    document.addEventListener("fullscreenchange", () => { this.#arrange(); this.#want(); });
    this.grid.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-tile-full]") : null;
      const tile = button?.closest("[data-camera]");
      if (tile) fill(tile);
    });
    need("[data-wall-full]", document).addEventListener("click", () => fill(this.root));
    for (const button of document.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => this.#turn(Number(button.getAttribute("data-turn"))));
    }
    this.#listenToChoices();
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #listenToChoices() {
    const layouts = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=layout]"));
    for (const input of layouts) {
      input.checked = input.value === remembered("layout", "auto");
      input.addEventListener("change", () => {
        remember("layout", input.value);
        this.#page = 0;
        this.refresh();
      });
    }
    const boxes = this.#boxes;
    boxes.checked = remembered("boxes", "on") === "on";
    boxes.addEventListener("change", () => {
      remember("boxes", boxes.checked ? "on" : "off");
      this.#each((tile) => tile.screen.showBoxes(boxes.checked));
    });
  }

  get #boxes() {
    return /** @type {HTMLInputElement} */ (need("input[name=boxes]"));
  }

  /** Tiles for a page at most. */
  get #most() {
    const chosen = remembered("layout", "auto");
    return chosen === "auto" || this.#narrow.matches ? layoutFor(this.cameras.setups.size) : Number(chosen) || 16;
  }

  /** The page hears the server, or does not. @param {boolean} connected */
  connected(connected) {
    this.#each((tile) => tile.connected(connected));
  }

  /** Tiles for the cameras that there are now. */
  refresh() {
    for (const [id, tile] of this.#tiles) {
      if (this.cameras.setups.has(id)) continue;
      this.#observer.unobserve(tile.root);
      this.#seen.delete(tile.root);
      tile.close();
      this.#tiles.delete(id);
    }
    for (const { id } of this.cameras.all) {
      if (!this.#tiles.has(id)) this.#make(id);
    }
    need("[data-none]", this.root).hidden = this.cameras.setups.size > 0;
    this.grid.hidden = this.cameras.setups.size === 0;
    this.#show();
    this.#paginate();
  }

  /** @param {number} id */
  #make(id) {
    const element = /** @type {HTMLElement} */ (need("[data-camera]", this.template.content).cloneNode(true));
    element.dataset.camera = String(id);
    this.#adopt(element);
  }

  /** @param {HTMLElement} element */
  #adopt(element) {
    const tile = new Tile(element, this.feed);
    tile.screen.showBoxes(this.#boxes.checked);
    this.#tiles.set(tile.id, tile);
    this.#observer.observe(element);
  }

  #show() {
    for (const setup of this.cameras.all) this.#tiles.get(setup.id)?.show(setup, this.cameras.stats.get(setup.id));
  }

  #paginate() {
    const all = this.cameras.all.map(({ id }) => this.#tiles.get(id)).filter((tile) => tile !== undefined);
    const pages = Math.max(1, Math.ceil(all.length / this.#most));
    this.#page = Math.min(this.#page, pages - 1);
    const held = document.activeElement;
    all.forEach((tile, at) => {
      tile.root.hidden = Math.floor(at / this.#most) !== this.#page;
      // Moved only where it stands wrongly: a move would take the focus away.
      if (this.grid.children[at] !== tile.root) this.grid.insertBefore(tile.root, this.grid.children[at] ?? null);
    });
    if (held instanceof HTMLElement && held !== document.activeElement && held.isConnected) held.focus();
    const pager = need("[data-pager]");
    pager.hidden = pages < 2;
    need("[data-page]", pager).textContent = `${this.#page + 1} of ${pages}`;
    this.#arrange();
  }

  /** @param {number} step */
  #turn(step) {
    const pages = Math.max(1, Math.ceil(this.#tiles.size / this.#most));
    this.#page = (this.#page + step + pages) % pages;
    this.#paginate();
  }

  #arrange() {
    const room = need("[data-room]", this.root);
    const setups = this.cameras.all;
    const aspect = commonAspect(setups.map((setup) => this.cameras.stats.get(setup.id) ?? setup));
    this.grid.style.setProperty("--aspect", String(aspect));
    if (this.#narrow.matches && !document.fullscreenElement) {
      this.#columns = room.clientWidth > 640 ? 2 : 1;
      this.grid.style.removeProperty("--tile");
      this.grid.style.setProperty("--columns", String(this.#columns));
    } else {
      const count = Math.max(1, Math.min(this.#most, setups.length));
      const { columns, width } = bestGrid(count, room.clientWidth, room.clientHeight, aspect);
      this.#columns = columns;
      this.grid.style.setProperty("--columns", String(columns));
      this.grid.style.setProperty("--tile", `${width}px`);
    }
    this.grid.dataset.size = this.#visible().length === 1 ? "one" : "many";
    this.#want();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onSeen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) this.#seen.add(target);
      else this.#seen.delete(target);
    }
    this.#want();
  }

  /** Asks for what is on the screen and nothing else. */
  #want() {
    if (document.hidden) {
      this.feed.want([]);
      return;
    }
    const full = document.fullscreenElement;
    const onlyOne = this.#visible().length === 1;
    const shown = this.#visible().filter(({ root }) => (full?.hasAttribute("data-camera") ? root === full : this.#seen.has(root)));
    this.feed.want(shown
      .filter(({ id }) => this.cameras.setups.get(id)?.enabled)
      .map(({ id, root }) => ({ camera: id, size: root === full || onlyOne ? "large" : "small" })));
  }

  /** @returns {Tile[]} those of this page, in their order */
  #visible() {
    return this.cameras.all.map(({ id }) => this.#tiles.get(id)).filter((tile) => tile !== undefined && !tile.root.hidden);
  }

  /** @param {(tile: Tile) => void} act */
  #each(act) {
    for (const tile of this.#tiles.values()) act(tile);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    if (event.key === "f" || event.key === "F") fill(target?.closest("[data-camera]") ?? this.root);
    else if (event.key === "b" || event.key === "B") this.#boxes.click();
    else this.#move(event, target);
  }

  /** @param {KeyboardEvent} event @param {Element | null} target */
  #move(event, target) {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns };
    const step = steps[event.key];
    const tile = target?.closest("[data-camera]");
    if (step === undefined || !tile) return;
    event.preventDefault();
    const tiles = this.#visible();
    const next = tiles[tiles.findIndex(({ root }) => root === tile) + step];
    next?.link?.focus();
  }
}
