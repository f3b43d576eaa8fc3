/** What the page of cases shows: one state, kept in the address, that panels subscribe to. */

import { endOfDay, shiftDay, startOfDay } from "../zoned.js";

/** What decides which cases are counted; `VIEW` where the map looks. */
export const FILTER = ["since", "until", "region", "category"];
export const SPANS = [7, 30, 365, 0];
const VIEW = ["lat", "lon", "zoom"];
const MODES = ["heat", "rate", "count"];
const COMPARE = ["", "before", "year", "own"];
/** What the way back brings back. */
const KEPT = ["days", "since", "until", "region", "category", "bandwidth", "order", "grid", "mode", "compare", "beforeSince", "beforeUntil", "split", ...VIEW];
const WRITE_AFTER_MS = 250;

const day = (text) => (/^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(Date.parse(text)) ? text : "");
const one = (text, choices) => (choices.includes(text) ? text : choices[0]);
const finite = (text, low, high) => (text !== null && text !== "" && Number(text) >= low && Number(text) <= high ? Number(text) : null);

/** Fires "change" with `detail.keys`, a Set of the names that changed. */
export class State extends EventTarget {
  /** `data`: what the server wrote into the page; `search`: the query of the address. */
  constructor(data, search) {
    super();
    const asked = new URLSearchParams(search);
    this._data = data;
    this.zone = data.zone;
    /** First and last day of which any case is known (""): beyond them there is no data, which is not "no cases". */
    [this.first = "", this.last = ""] = data.known;
    this.plan = data.plan;
    this.wall = data.wall;
    this.playing = false;
    /** A preset stays what it says on another day: 30 is the last 30 days, 0 all, null days of one's own. */
    this.days = asked.has("days") ? finite(asked.get("days"), 0, 3660) : null;
    this.since = day(asked.get("since"));
    this.until = day(asked.get("until"));
    if (this.days === null && !this.since && !this.until) this.days = 0;
    this.region = data.regions.some(({ code }) => code === asked.get("region")) ? asked.get("region") : "";
    this.category = asked.getAll("category").filter((name) => data.categories.includes(name));
    this.bandwidth = data.bandwidth;
    this.order = one(asked.get("order"), ["cases", "per_1000_households", "smoothed"]);
    this.grid = data.plan && finite(asked.get("grid"), 1, 2 ** 53);
    this.mode = data.plan ? one(asked.get("map"), MODES) : "heat";
    this.compare = one(asked.get("compare") ?? "", COMPARE);
    this.beforeSince = day(asked.get("before_since"));
    this.beforeUntil = day(asked.get("before_until"));
    this.split = asked.get("split") === "1";
    this.lat = finite(asked.get("lat"), -85, 85);
    this.lon = finite(asked.get("lon"), -180, 180);
    this.zoom = finite(asked.get("zoom"), 0, 22);
    if (this.lat === null || this.lon === null || this.zoom === null) this.lat = this.lon = this.zoom = null;
    this.roll();
  }

  /** Today in the town's zone. */
  get today() {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: this.zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
  }

  /** The last day that presets count: today, or where the data ends before. */
  get end() {
    return this.last && this.last < this.today ? this.last : this.today;
  }

  /** The days of a preset, counted back from `end`; whether they are others than before. */
  roll() {
    if (this.days === null) return false;
    const [since, until] = this.days ? [shiftDay(this.end, 1 - this.days), this.end] : ["", ""];
    const moved = since !== this.since || until !== this.until;
    Object.assign(this, { since, until });
    return moved;
  }

  /** Change some of it: whoever listens hears once, and the address follows. */
  set(changes) {
    const keys = new Set(Object.keys(changes).filter((key) => JSON.stringify(this[key]) !== JSON.stringify(changes[key])));
    if (!keys.size) return;
    Object.assign(this, changes);
    if (keys.has("days")) {
      if (this.roll()) keys.add("since").add("until");
    } else if (keys.has("since") || keys.has("until")) this.days = this.since || this.until ? null : 0;
    this._remember([...keys].some((key) => !VIEW.includes(key)));
    this.dispatchEvent(new CustomEvent("change", { detail: { keys } }));
  }

  /** Take over what an address says that was left before (the browser's way back). Fires "restored" after "change". */
  restore(search) {
    const then = new State({ ...this._data, bandwidth: Number(new URLSearchParams(search).get("bandwidth")) || this.bandwidth }, search);
    this.set(Object.fromEntries(KEPT.map((key) => [key, then[key]])));
    clearTimeout(this._writing);
    this._step = false; // the address is there already
    this.dispatchEvent(new CustomEvent("restored"));
  }

  /** Call `act` whenever one of the named things changed. */
  on(names, act) {
    this.addEventListener("change", ({ detail: { keys } }) => names.some((name) => keys.has(name)) && act(keys));
  }

  /** Why the filter asks for nothing that can be, or null. */
  get backwards() {
    return Boolean(this.since && this.until && this.since > this.until);
  }

  /** The cases as the server takes them: moments with a zone, the last day included. */
  wanted() {
    return { ...this.span(this.since, this.until), region: this.region, category: this.category };
  }

  /** Two days, both included, as half-open moments; "" where open. */
  span(since, until) {
    return { since: since && startOfDay(since, this.zone), until: until && endOfDay(until, this.zone) };
  }

  /** `wanted` as a query, with more; `grid: true` narrows it to the chosen grid. */
  query(more = {}, { grid = false } = {}) {
    const params = new URLSearchParams();
    const all = { ...this.wanted(), ...more, ...(grid && this.grid ? { grid: this.grid } : {}) };
    for (const [key, value] of Object.entries(all)) [value].flat().filter(Boolean).forEach((text) => params.append(key, text));
    return params;
  }

  /** The query of the address that brings all this back. */
  address() {
    const params = new URLSearchParams();
    const put = (key, value) => value !== null && value !== "" && value !== false && params.set(key, value);
    put("plan", this.plan);
    if (this.days) put("days", this.days);
    put("since", this.since);
    put("until", this.until);
    put("region", this.region);
    this.category.forEach((name) => params.append("category", name));
    put("bandwidth", this.bandwidth);
    if (this.mode !== "heat") put("map", this.mode);
    if (this.order !== "cases") put("order", this.order);
    put("grid", this.grid);
    put("compare", this.compare);
    if (this.compare === "own") {
      put("before_since", this.beforeSince);
      put("before_until", this.beforeUntil);
    }
    if (this.split) put("split", 1);
    for (const key of VIEW) put(key, this[key]);
    if (this.wall) put("wall", 1);
    return params;
  }

  /** The address follows a moment later; `step`: as a step that the browser's way back undoes. */
  _remember(step) {
    clearTimeout(this._writing);
    this._step ||= step;
    this._writing = setTimeout(() => this.write(), WRITE_AFTER_MS);
  }

  /** Write the address at once (before leaving the page, copying the link). */
  write() {
    clearTimeout(this._writing);
    const address = `?${this.address()}`;
    if (address !== location.search) history[this._step && location.search ? "pushState" : "replaceState"](null, "", address);
    this._step = false;
  }
}
