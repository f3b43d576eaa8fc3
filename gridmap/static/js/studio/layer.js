/** The plan on the map: grids filled by status (colour and pattern) or each in a colour of its own, borders, labels. */

import { t } from "../i18n.js";
import { Backdrop } from "./backdrop.js";
import { short } from "./model.js";
import { outline } from "./outline.js";
import { apart, meet, surface } from "./surface.js";

const FONT = "'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif";
const HUES = ["#8ecae6", "#f2c57c", "#b7d3a8", "#e3a7c0", "#c3b1e1", "#f4a38a", "#a8dadc", "#d9d27e"];
const LABELS_FROM_ZOOM = 14.5; // farther out, the names of communities stand instead
const UNITS_FROM_PX = 9; // narrower units are not told apart on the screen
const ARCS_IN_PATH = 16;
const FREE = null; // the shape of all units in no grid

export class PlanLayer {
  /** `model` and `picker`; `add(map)` puts it on the map, `between` lays it between layers of tiles. */
  constructor(model, picker) {
    this.model = model;
    this.ground = model.ground;
    this.picker = picker;
    this.mode = "status";
    this.shapes = new Map(); // grid id (or FREE) -> {path, box, label}
    this.colour = new Map();
    this.surface = surface(model.ground, { className: "studio-plan", draw: (on, box) => this._draw(on, box) });
    const area = (this.ground.extent[2] - this.ground.extent[0]) * (this.ground.extent[3] - this.ground.extent[1]);
    this.unitSide = Math.sqrt(area / Math.max(1, this.ground.n));
    for (const id of [FREE, ...model.grids.keys()]) this._shape(id);
    model.addEventListener("change", (event) => this.refresh(event.detail.grids));
    model.addEventListener("limit", () => this.surface.redraw());
  }

  add(map) {
    this.surface.addTo(map);
    return this;
  }

  /** Have layers of tiles (Leaflet's, not yet on the map) painted below the grids and above them. */
  between(map, below, above) {
    const backdrop = (tiles) => new Backdrop(tiles.addTo(map), this.ground, (box) => this.surface.redraw([box]));
    this.below = backdrop(below);
    this.above = backdrop(above);
  }

  /** Redraw the grids that changed, each piece for itself, and nothing else. */
  refresh(ids) {
    const boxes = [];
    for (const id of [...ids, FREE]) {
      const before = this.shapes.get(id);
      const after = this._shape(id);
      if (id !== FREE) boxes.push(...(before?.boxes ?? []), ...(after?.boxes ?? []));
    }
    if (this.mode === "grid") this._colours();
    this.surface.redraw(apart(boxes));
  }

  /** Colour by "status" or by "grid". */
  setMode(mode) {
    this.mode = mode;
    if (mode === "grid") this._colours();
    this.surface.redraw();
  }

  /** The box of a grid in relative coordinates, null where it has no unit. */
  boxOf(id) {
    return this.shapes.get(id)?.box ?? null;
  }

  _shape(id) {
    const slot = id === FREE ? -1 : this.model.slotOf(id);
    const gone = id !== FREE && !this.model.grids.has(id);
    const slots = this.model.tally.slot;
    const shape = gone ? null : outline(this.ground, this.model.unitsOf(id), (unit) => slots[unit] === slot);
    if (shape) this.shapes.set(id, shape);
    else this.shapes.delete(id);
    return shape;
  }

  /** Few colours, none beside itself: greedy by grid, the least used one that no neighbour has. */
  _colours() {
    const { tally } = this.model;
    const used = new Array(HUES.length).fill(0);
    this.colour.clear();
    for (const id of this.model.grids.keys()) {
      const beside = new Set([...tally.beside(this.model.slotOf(id))].map((slot) => this.colour.get(this.model.gridAt(slot).id)));
      let best = -1;
      for (let c = 0; c < HUES.length; c++) if (!beside.has(c) && (best < 0 || used[c] < used[best])) best = c;
      this.colour.set(id, Math.max(0, best));
      used[Math.max(0, best)]++;
    }
  }

  _draw(on, box) {
    const { ctx } = on;
    const { tally } = this.model;
    const seen = [...this.shapes].filter(([, shape]) => meet(shape.box, box));
    const patterns = this._patterns(on);
    this.below?.draw(on, box);
    for (const [id, { path }] of seen) {
      ctx.globalAlpha = id === FREE ? 0.85 : 0.66;
      if (id === FREE) ctx.fillStyle = patterns.free;
      else if (this.mode === "grid") ctx.fillStyle = HUES[this.colour.get(id) ?? 0];
      else ctx.fillStyle = patterns[tally.stats(this.model.slotOf(id)).status];
      ctx.fill(path, "evenodd");
    }
    ctx.globalAlpha = 1;
    this._borders(on, box);
    this.above?.draw(on, box);
    if (this.model.limit !== null) this._veil(on);
    on.inPixels();
    this._labels(on, seen);
    on.inGround();
  }

  _patterns(on) {
    const { ctx } = on;
    const shift = on._bounds.min;
    const place = on.matrix.inverse().multiply(new DOMMatrix([on.ratio, 0, 0, on.ratio, -(shift.x % 10) * on.ratio, -(shift.y % 10) * on.ratio]));
    const found = {};
    for (const status of [...Object.keys(gridmap.STATUS), "free"]) {
      found[status] = ctx.createPattern(status === "free" ? freeSwatch() : gridmap.swatch(status), "repeat");
      found[status].setTransform(place);
    }
    return found;
  }

  /** Borders of grids (ink on a light casing), of communities, and of units inside a grid; from afar hairlines only. */
  _borders(on, box) {
    const { ctx, scale } = on;
    const { ground } = this;
    const { slot } = this.model.tally;
    const close = this.unitSide * scale >= UNITS_FROM_PX;
    const [inner, outer, homes] = [new Lines(ground), new Lines(ground), new Lines(ground)];
    this.picker.arcs.query(...box, (arc) => {
      const [left, right] = [ground.arcLeft[arc], ground.arcRight[arc]];
      const [a, b] = [left < 0 ? -2 : slot[left], right < 0 ? -2 : slot[right]];
      if (a === b) close && inner.add(arc);
      else (left < 0 || right < 0 || ground.region[left] !== ground.region[right] ? homes : outer).add(arc);
    });
    ctx.lineJoin = "bevel";
    ctx.lineCap = "butt";
    inner.stroke(ctx, "rgba(60, 76, 92, .38)", 0.8 / scale);
    if (close) outer.stroke(ctx, "rgba(255, 255, 255, .85)", 4 / scale);
    outer.stroke(ctx, "#2b3a49", (close ? 1.8 : 1) / scale);
    homes.stroke(ctx, "#5d4c8f", (close ? 2.4 : 1.6) / scale);
  }

  /** What lies outside the community that the work is limited to is put behind a veil. */
  _veil(on) {
    const { ctx } = on;
    this.regionPaths ??= new Map();
    ctx.fillStyle = "rgba(244, 245, 247, .78)";
    for (let region = 0; region < this.model.regions.length; region++) {
      if (region === this.model.limit) continue;
      if (!this.regionPaths.has(region)) {
        const units = [];
        for (let u = 0; u < this.ground.n; u++) if (this.ground.region[u] === region) units.push(u);
        this.regionPaths.set(region, outline(this.ground, units, (unit) => this.ground.region[unit] === region));
      }
      const shape = this.regionPaths.get(region);
      if (shape) ctx.fill(shape.path, "evenodd");
    }
  }

  _labels(on, seen) {
    if (on._zoom < LABELS_FROM_ZOOM) return;
    const { ctx, scale } = on;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";
    for (const [id, { box, label }] of seen) {
      if (id === FREE || (box[2] - box[0]) * scale < 46 || (box[3] - box[1]) * scale < 32) continue;
      const grid = this.model.grids.get(id);
      const slot = this.model.slotOf(id);
      const [x, y] = on.pixel(...label);
      const marks = `${grid.locked ? t("锁") : ""}${grid.kind === "special" ? t("专") : ""}`;
      const lines = [`${short(grid)}${marks && ` ${marks}`}`, `${SIGNS[this.model.tally.stats(slot).status]} ${this.model.tally.households[slot]}`];
      lines.forEach((line, k) => {
        ctx.font = `${k === 0 ? "600 13px" : "12px"} ${FONT}`;
        ctx.strokeStyle = "rgba(255, 255, 255, .92)";
        ctx.lineWidth = 3;
        ctx.strokeText(line, x, y + (k - 0.5) * 15);
        ctx.fillStyle = "#1b2733";
        ctx.fillText(line, x, y + (k - 0.5) * 15);
      });
    }
  }
}

/** Arcs to be stroked, a few to a path: the time that a wide stroke takes grows faster than what is in its path. */
class Lines {
  constructor(ground) {
    this.ground = ground;
    this.paths = [];
    this.count = 0;
  }

  add(arc) {
    if (this.count++ % ARCS_IN_PATH === 0) this.paths.push(new Path2D());
    this.ground.trace(this.paths.at(-1), arc, true);
  }

  stroke(ctx, color, width) {
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    for (const path of this.paths) ctx.stroke(path);
  }
}

/** A status in one character, the same everywhere. */
export const SIGNS = { under: "▽", within: "○", over: "▲", empty: "□", unchecked: "?" };

let free = null;

/** Ground in no grid: white with red hatching both ways. */
function freeSwatch() {
  if (free) return free;
  free = document.createElement("canvas");
  free.width = free.height = 10;
  const ctx = free.getContext("2d");
  ctx.fillStyle = "#fff6f6";
  ctx.fillRect(0, 0, 10, 10);
  ctx.strokeStyle = "#b3001b";
  ctx.globalAlpha = 0.6;
  ctx.lineWidth = 1;
  for (const [x0, y0, x1, y1] of [[0, 10, 10, 0], [0, 0, 10, 10]]) {
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  }
  return free;
}
