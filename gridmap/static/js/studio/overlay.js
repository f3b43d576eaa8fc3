/** What is only there for a moment: hover, preview, selection, brush, drawn lines, the keyboard's cursor, marks. */

import { outline } from "./outline.js";
import { surface } from "./surface.js";

const INK = { join: "#0b5d3b", leave: "#8a1020", select: "#1446a0", cursor: "#111827", active: "#0b4f8a", mark: "#b3001b" };

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
    this.surface = surface(model.ground, { className: "studio-overlay", draw: (on) => this._draw(on) });
    for (const name of ["change", "selection", "active", "grids"]) model.addEventListener(name, () => this.touch());
  }

  add(map) {
    this.surface.addTo(map);
    return this;
  }

  /** Set some of what is shown, and draw with the next frame. */
  set(values) {
    Object.assign(this, values);
    this.touch();
  }

  touch() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => this.now());
  }

  now() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    this.surface.redraw();
  }

  _draw(on) {
    const { ctx, scale } = on;
    const { ground } = this.model;
    const line = (path, color, px, dash = []) => {
      ctx.setLineDash(dash.map((one) => one / scale));
      ctx.lineJoin = ctx.lineCap = "round";
      ctx.strokeStyle = color;
      ctx.lineWidth = px / scale;
      ctx.stroke(path);
    };
    const cased = (path, color, px, dash) => {
      line(path, "rgba(255, 255, 255, .95)", px + 3);
      line(path, color, px, dash);
    };
    const around = (units) => {
      const mine = units instanceof Set ? units : new Set(units);
      return outline(ground, [...mine], (unit) => mine.has(unit))?.path;
    };
    if (this.ghost) {
      for (const { units, color } of this.ghost) {
        const path = around(units);
        if (!path) continue;
        ctx.globalAlpha = 0.5;
        ctx.fillStyle = color;
        ctx.fill(path, "evenodd");
        ctx.globalAlpha = 1;
        cased(path, "#3b2a6b", 2, [7, 4]);
      }
    }
    const active = this.model.active !== null && this.layer.shapes.get(this.model.active);
    if (active) cased(active.path, INK.active, 4);
    if (this.model.selection.size) {
      const path = around(this.model.selection);
      ctx.fillStyle = "rgba(20, 70, 160, .22)";
      ctx.fill(path, "evenodd");
      cased(path, INK.select, 2.5, [6, 4]);
    }
    if (this.preview?.units.length) {
      const path = around(this.preview.units);
      const refused = this.preview.refused || this.preview.to === null;
      ctx.fillStyle = refused ? "rgba(138, 16, 32, .28)" : "rgba(11, 93, 59, .34)";
      ctx.fill(path, "evenodd");
      cased(path, refused ? INK.leave : INK.join, 3, refused ? [3, 5] : []);
    }
    if (this.marks.length) cased(around(this.marks), INK.mark, 4, [8, 5]);
    if (this.border) {
      const path = new Path2D();
      for (const arc of this.border) ground.trace(path, arc, true);
      cased(path, INK.select, 5);
    }
    if (this.hover >= 0 && !this.preview) {
      const path = new Path2D();
      ground.traceUnit(path, this.hover);
      line(path, INK.cursor, 1.6);
    }
    if (this.cursor >= 0) {
      const path = new Path2D();
      ground.traceUnit(path, this.cursor);
      cased(path, INK.cursor, 3, [2, 5]);
    }
    if (this.shape) this._shape(on, cased);
    ctx.setLineDash([]);
  }

  _shape(on, cased) {
    const { kind, points, radius } = this.shape;
    const path = new Path2D();
    if (kind === "circle") path.arc(points[0][0], points[0][1], radius, 0, 2 * Math.PI);
    else if (kind === "box") path.rect(Math.min(points[0][0], points[1][0]), Math.min(points[0][1], points[1][1]), Math.abs(points[1][0] - points[0][0]), Math.abs(points[1][1] - points[0][1]));
    else {
      points.forEach(([x, y], k) => (k ? path.lineTo(x, y) : path.moveTo(x, y)));
      if (kind === "lasso") path.closePath();
    }
    cased(path, kind === "line" ? INK.leave : INK.select, kind === "circle" ? 1.5 : 2, kind === "circle" ? [] : [6, 4]);
  }
}
