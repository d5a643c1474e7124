/** What the page shows of a session's objects: filter, highlight and selection, without the page. */

/** @typedef {{i: number, class: string, class_id: number, color: string, confidence: number,
 *             box: [number, number, number, number], polygons?: number[][]}} FoundObject */
/** @typedef {{name: string, color: string, count: number}} FoundClass */
/** @typedef {{id: string, name: string, width: number, height: number, picture: string,
 *             confidence: number, task: string, objects: FoundObject[], classes: FoundClass[]}} Overlay */

export class ResultModel extends EventTarget {
  /** @param {Overlay} overlay */
  constructor(overlay) {
    super();
    this.overlay = overlay;
    this.objects = overlay.objects;
    /** @type {Map<number, FoundObject>} */
    this.byIndex = new Map(this.objects.map((object) => [object.i, object]));
    this.minimum = 0;
    /** @type {Set<string>} */
    this.hidden = new Set();
    /** @type {number | null} */
    this.hovered = null;
    /** @type {number | null} */
    this.selected = null;
  }

  /** @param {FoundObject} object */
  isVisible(object) {
    return object.confidence >= this.minimum && !this.hidden.has(object.class);
  }

  /** Objects per class that pass the slider; a hidden class still tells its number. @returns {Map<string, number>} */
  counts() {
    const counts = new Map();
    for (const object of this.objects) {
      if (object.confidence >= this.minimum) counts.set(object.class, (counts.get(object.class) ?? 0) + 1);
    }
    return counts;
  }

  visibleCount() {
    return this.objects.reduce((sum, object) => sum + Number(this.isVisible(object)), 0);
  }

  /** @param {number} minimum */
  setMinimum(minimum) {
    this.minimum = minimum;
    this.#filtered();
  }

  /** @param {string} name @param {boolean} shown */
  showClass(name, shown) {
    if (shown) this.hidden.delete(name);
    else this.hidden.add(name);
    this.#filtered();
  }

  /** @param {boolean} shown */
  showAll(shown) {
    this.hidden = shown ? new Set() : new Set(this.overlay.classes.map((item) => item.name));
    this.#filtered();
  }

  /** @param {number | null} index */
  hover(index) {
    if (index === this.hovered) return;
    const before = this.hovered;
    this.hovered = index;
    this.#tell("hover", { before, now: index });
  }

  /** @param {number | null} index @param {{zoom?: boolean, from?: string}} [how] */
  select(index, how = {}) {
    const before = this.selected;
    this.selected = index;
    this.#tell("select", { before, now: index, ...how });
  }

  #filtered() {
    const selected = this.selected === null ? undefined : this.byIndex.get(this.selected);
    if (selected && !this.isVisible(selected)) this.select(null);
    this.#tell("filter", {});
  }

  /** @param {string} name @param {object} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
