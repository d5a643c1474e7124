/** What the page shows of a video's tracks: filter, highlight and selection, without the page. */

/** @typedef {{n: number, class: string, class_id: number, start: number, end: number, confidence: number,
 *             path: number, displacement: number, mean_speed: number, top_speed: number, mean_speed_bh: number,
 *             top_speed_bh: number, turns: number, entry: string, exit: string, snapshot: boolean,
 *             color: string}} Track */
/** @typedef {{n: number, kind: "motion" | "activity" | "group", label: string, tracks: number[], start: number,
 *             end: number, snapshot: boolean, share?: number, peak?: number, area?: number[] | null,
 *             confidence?: number | null, reason?: string}} Happening */
/** @typedef {{name: string, color: string, count: number}} TrackClass */
/** @typedef {{id: string, status: string, width: number, height: number, duration: number, rate: number,
 *             pixels_per_metre: number | null, timeline: any, hides_people: boolean,
 *             has_overlay: boolean, urls: Record<string, string | null>}} VideoData */

/** @typedef {"boxes" | "labels" | "trails" | "motion" | "activities" | "heat"} Layer */

export class VideoModel extends EventTarget {
  /** @param {VideoData} data @param {{classes: TrackClass[], tracks: Track[], events: Happening[]}} found */
  constructor(data, found) {
    super();
    this.data = data;
    this.classes = found.classes;
    this.tracks = found.tracks;
    this.events = found.events;
    /** @type {Map<number, Track>} */
    this.byNumber = new Map(this.tracks.map((track) => [track.n, track]));
    /** @type {Set<string>} */
    this.hidden = new Set();
    /** @type {Set<Layer>} */
    this.layers = new Set(["boxes", "labels", "trails", "motion", "activities"]);
    /** @type {number | null} */
    this.hovered = null;
    /** @type {number | null} */
    this.selected = null;
    this.#gatherActivities();
  }

  /** @type {Map<number, Happening[]>} */
  #activities = new Map();

  #gatherActivities() {
    for (const event of this.events) {
      if (event.kind === "motion") continue;
      for (const number of event.tracks) {
        const known = this.#activities.get(number);
        if (known) known.push(event);
        else this.#activities.set(number, [event]);
      }
    }
  }

  /** What a track does at a time; what it does with others comes last. @param {number} number @param {number} time @returns {string[]} */
  doing(number, time) {
    const at = (this.#activities.get(number) ?? []).filter((event) => event.start <= time && time <= event.end);
    return at.sort((a, b) => Number(a.kind === "group") - Number(b.kind === "group")).map((event) => event.label);
  }

  /** @param {number} number of a track @returns {boolean} */
  isVisible(number) {
    const track = this.byNumber.get(number);
    return track !== undefined && !this.hidden.has(track.class);
  }

  /** @param {string} name @param {boolean} shown */
  showClass(name, shown) {
    if (shown) this.hidden.delete(name);
    else this.hidden.add(name);
    this.#tell("filter");
  }

  /** @param {boolean} shown */
  showAll(shown) {
    this.hidden = shown ? new Set() : new Set(this.classes.map((item) => item.name));
    this.#tell("filter");
  }

  /** @param {Layer} layer @param {boolean} shown */
  showLayer(layer, shown) {
    if (shown) this.layers.add(layer);
    else this.layers.delete(layer);
    this.#tell("layers");
  }

  /** @param {number | null} number */
  hover(number) {
    if (number === this.hovered) return;
    this.hovered = number;
    this.#tell("hover");
  }

  /** @param {number | null} number @param {{from?: string}} [how] */
  select(number, how = {}) {
    this.selected = number;
    this.#tell("select", how);
  }

  /** @param {string} name @param {object} [detail] */
  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
