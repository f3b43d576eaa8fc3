/** A canvas in the map that follows pan and zoom, and the way from relative coordinates to its pixels. */

const PADDING = 0.2;
const MARGIN = 8; // px around what is drawn: lines and their casings

/** Sizes in steps, so that a canvas is not made anew for every pixel. */
const stepped = (px) => Math.ceil(px / 32) * 32;

/**
 * A Leaflet renderer whose canvas is redrawn by `draw(surface, box)`; boxes are in relative coordinates, null for all.
 *
 * With `fit()`, which gives the box of what will be drawn, the canvas is only as large as that: a browser copies the whole
 * of a canvas on to the screen whenever something on it changes.
 */
export function surface(ground, { className, draw, fit = null }) {
  const Surface = L.Renderer.extend({
    _initContainer() {
      this._container = document.createElement("div");
      this._container.className = className;
      this._container.setAttribute("aria-hidden", "true");
      this.canvas = document.createElement("canvas");
      this._container.append(this.canvas);
      this.ctx = this.canvas.getContext("2d");
    },
    _destroyContainer() {
      this._container.remove();
      delete this._container;
    },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      this.ratio = Math.min(2, window.devicePixelRatio || 1);
      L.DomUtil.setPosition(this._container, this._bounds.min);
      const { x, y } = this._bounds.getSize();
      if (!fit) this._place(0, 0, x, y);
      this.redraw();
    },
    _updatePaths() {},
    /** Lay the canvas over a part of the container (CSS px). */
    _place(x, y, width, height) {
      const world = 256 * 2 ** this._zoom;
      const corner = this._map.getPixelOrigin().add(this._bounds.min);
      const r = this.ratio;
      this.scale = ground.step * world; // px of one relative unit
      this.left = ground.origin[0] * world - corner.x - x;
      this.top = ground.origin[1] * world - corner.y - y;
      this.matrix = new DOMMatrix([this.scale * r, 0, 0, this.scale * r, this.left * r, this.top * r]);
      this.view = [-this.left / this.scale, -this.top / this.scale, (width - this.left) / this.scale, (height - this.top) / this.scale];
      this.canvas.style.transform = `translate(${x}px, ${y}px)`;
      if (this.canvas.width === Math.round(width * r) && this.canvas.height === Math.round(height * r)) return;
      this.canvas.width = Math.round(width * r);
      this.canvas.height = Math.round(height * r);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    },
    /** Lay the canvas over what will be drawn; false where nothing will be. */
    _fit() {
      const box = fit();
      const size = this._bounds.getSize();
      if (box) {
        this._place(0, 0, this.canvas.width / this.ratio, this.canvas.height / this.ratio); // for `pixel`
        const [x0, y0] = this.pixel(box[0], box[1]).map((one) => Math.max(0, Math.floor(one) - MARGIN));
        const [x1, y1] = this.pixel(box[2], box[3]).map((one, k) => Math.min(k ? size.y : size.x, Math.ceil(one) + MARGIN));
        const [width, height] = [stepped(x1 - x0), stepped(y1 - y0)];
        this.canvas.hidden = x1 <= x0 || y1 <= y0;
        if (!this.canvas.hidden) this._place(x0, y0, width, height);
      } else this.canvas.hidden = true;
      return !this.canvas.hidden;
    },
    /** Draw anew: all of it, or only what lies in some boxes. */
    redraw(boxes = null) {
      if (!this._map || !this._bounds || (fit && !this._fit())) return;
      for (const box of boxes ?? [null]) this._redraw(box);
    },
    _redraw(box) {
      const { ctx } = this;
      ctx.save();
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      let part = this.view;
      if (box) {
        if (!meet(box, this.view)) return ctx.restore();
        const margin = 6 / this.scale; // borders and their casings
        part = [box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin];
        const [x0, y0] = this.pixel(part[0], part[1]);
        const [x1, y1] = this.pixel(part[2], part[3]);
        const r = this.ratio;
        ctx.beginPath();
        ctx.rect(Math.floor(x0 * r), Math.floor(y0 * r), Math.ceil((x1 - x0) * r) + 1, Math.ceil((y1 - y0) * r) + 1);
        ctx.clip();
      }
      ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
      ctx.setTransform(this.matrix);
      draw(this, [Math.max(part[0], this.view[0]), Math.max(part[1], this.view[1]), Math.min(part[2], this.view[2]), Math.min(part[3], this.view[3])]);
      ctx.restore();
    },
    /** Canvas pixel (CSS px) of relative coordinates. */
    pixel(x, y) {
      return [x * this.scale + this.left, y * this.scale + this.top];
    },
    /** Draw in CSS pixels of the canvas. */
    inPixels() {
      this.ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    },
    inGround() {
      this.ctx.setTransform(this.matrix);
    },
  });
  return new Surface({ padding: PADDING });
}

/** Whether two boxes (west, north, east, south) meet. */
export const meet = (a, b) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];

/** The box around two boxes; null counts for nothing. */
export const around = (a, b) => (!a ? b : !b ? a : [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);

/** The same ground in boxes that do not meet: those that do are made one. */
export function apart(boxes) {
  const found = [];
  for (let box of boxes) {
    for (let k = 0; k < found.length; ) {
      if (!meet(found[k], box)) {
        k++;
        continue;
      }
      const [other] = found.splice(k, 1);
      box = around(box, other);
      k = 0;
    }
    found.push(box);
  }
  return found;
}
