/** What is only there for a moment: hover, preview, selection, brush, drawn lines, the keyboard's cursor, marks. */

import { outline } from "./outline.js";
import { around, surface } from "./surface.js";

const INK = { join: "#0b5d3b", leave: "#8a1020", select: "#1446a0", cursor: "#111827", active: "#0b4f8a", mark: "#b3001b" };
const STILL = new Set(["marks", "ghost"]);

/**
 * Two canvases: what stays where it is (the active grid, selection, marks, a proposal) and what follows the pointer. Each
 * is a list of things to draw, `{path, box, fill, alpha, ink, px, dash, cased}`, and only as large as they are together.
 */
export class Overlay {
  constructor(model, layer) {
    this.model = model;
    this.layer = layer;
    this.hover = -1; // unit under the pointer
    this.cursor = -1; // unit of the keyboard's cursor
    this.preview = null; // {units, refused}
    this.shape = null; // {kind: "line" | "lasso" | "box" | "circle", points: [[x, y], …], radius}
    this.border = null; // arcs of a border at hand
    this.marks = []; // units that a finder points at
    this.ghost = null; // a proposal: {units -> colour index}
    this.still = this._canvas("studio-still", () => this._staying());
    this.moving = this._canvas("studio-overlay", () => this._following());
    this.stale = new Set();
    for (const name of ["change", "selection", "active", "grids"]) model.addEventListener(name, () => this.touch(this.still, this.moving));
  }

  add(map) {
    this.still.surface.addTo(map);
    this.moving.surface.addTo(map);
    return this;
  }

  /** Set some of what is shown, and draw with the next frame. */
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (this[name] === value) continue;
      this[name] = value;
      this.touch(STILL.has(name) ? this.still : this.moving);
    }
  }

  /** Draw these canvases (all, if none is named) with the next frame. */
  touch(...canvases) {
    for (const one of canvases.length ? canvases : [this.still, this.moving]) this.stale.add(one);
    this.waiting ||= requestAnimationFrame(() => this.now());
  }

  now() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    for (const one of this.stale) one.surface.redraw();
    this.stale.clear();
  }

  _canvas(className, things) {
    let list = [];
    const fit = () => {
      list = things().filter((one) => one?.path);
      return list.reduce((box, one) => around(box, one.box), null);
    };
    return { surface: surface(this.model.ground, { className, fit, draw: (on) => list.forEach((one) => draw(on, one)) }) };
  }

  /** A thing around units. */
  _around(units, style) {
    const mine = units instanceof Set ? units : new Set(units);
    return { ...outline(this.model.ground, [...mine], (unit) => mine.has(unit)), ...style };
  }

  _staying() {
    const { active, selection } = this.model;
    const things = [];
    for (const { units, color } of this.ghost ?? []) things.push(this._around(units, { fill: color, alpha: 0.5, ink: "#3b2a6b", px: 2, dash: [7, 4], cased: true }));
    if (active !== null) things.push({ ...this.layer.shapes.get(active), ink: INK.active, px: 4, cased: true });
    if (selection.size) things.push(this._around(selection, { fill: "rgba(20, 70, 160, .22)", ink: INK.select, px: 2.5, dash: [6, 4], cased: true }));
    if (this.marks.length) things.push(this._around(this.marks, { ink: INK.mark, px: 4, dash: [8, 5], cased: true }));
    return things;
  }

  _following() {
    const { preview, border, hover, cursor, shape } = this;
    const things = [];
    if (preview?.units.length) {
      const leave = preview.refused || preview.to === null;
      things.push(this._around(preview.units, { fill: leave ? "rgba(138, 16, 32, .28)" : "rgba(11, 93, 59, .34)", ink: leave ? INK.leave : INK.join, px: 3, dash: leave ? [3, 5] : [], cased: true }));
    }
    if (border) things.push(this._arcs(border, { ink: INK.select, px: 5, cased: true }));
    if (hover >= 0 && !preview) things.push(this._unit(hover, { ink: INK.cursor, px: 1.6 }));
    if (cursor >= 0) things.push(this._unit(cursor, { ink: INK.cursor, px: 3, dash: [2, 5], cased: true }));
    if (shape) things.push({ ...drawn(shape), ink: shape.kind === "line" ? INK.leave : INK.select, px: shape.kind === "circle" ? 1.5 : 2, dash: shape.kind === "circle" ? [] : [6, 4], cased: true });
    return things;
  }

  _unit(unit, style) {
    const { ground } = this.model;
    const path = new Path2D();
    ground.traceUnit(path, unit);
    return { path, box: ground.box.subarray(4 * unit, 4 * unit + 4), ...style };
  }

  _arcs(arcs, style) {
    const { ground } = this.model;
    const path = new Path2D();
    let box = null;
    for (const arc of arcs) {
      ground.trace(path, arc, true);
      box = around(box, ground.arcBox.subarray(4 * arc, 4 * arc + 4));
    }
    return { path: box && path, box, ...style };
  }
}

/** The path and box of a line, lasso, box or circle that is being drawn. */
function drawn({ kind, points, radius = 0 }) {
  const path = new Path2D();
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const box = [Math.min(...xs) - radius, Math.min(...ys) - radius, Math.max(...xs) + radius, Math.max(...ys) + radius];
  if (kind === "circle") path.arc(points[0][0], points[0][1], radius, 0, 2 * Math.PI);
  else if (kind === "box") path.rect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
  else {
    points.forEach(([x, y], k) => (k ? path.lineTo(x, y) : path.moveTo(x, y)));
    if (kind === "lasso") path.closePath();
  }
  return { path, box };
}

/** One thing: its ground, then its line on a light casing. */
function draw({ ctx, scale }, { path, fill = null, alpha = 1, ink, px, dash = [], cased = false }) {
  if (fill) {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = fill;
    ctx.fill(path, "evenodd");
    ctx.globalAlpha = 1;
  }
  ctx.lineJoin = ctx.lineCap = "round";
  const line = (color, width, dashes) => {
    ctx.setLineDash(dashes.map((one) => one / scale));
    ctx.strokeStyle = color;
    ctx.lineWidth = width / scale;
    ctx.stroke(path);
  };
  if (cased) line("rgba(255, 255, 255, .95)", px + 3, []);
  line(ink, px, dash);
}
