/** A canvas in the map that follows pan and zoom, and the way from relative coordinates to its pixels. */

const PADDING = 0.2;

/** A Leaflet renderer whose canvas is redrawn by `draw(box)`; box in relative coordinates, null for all of it. */
export function surface(ground, { className, draw }) {
  const Surface = L.Renderer.extend({
    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.className = className;
      this._container.setAttribute("aria-hidden", "true");
      this.ctx = this._container.getContext("2d");
    },
    _destroyContainer() {
      this._container.remove();
      delete this._container;
    },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize();
      this.ratio = Math.min(2, window.devicePixelRatio || 1);
      L.DomUtil.setPosition(this._container, this._bounds.min);
      this._container.width = size.x * this.ratio;
      this._container.height = size.y * this.ratio;
      this._container.style.width = `${size.x}px`;
      this._container.style.height = `${size.y}px`;
      this._place();
      this.redraw();
    },
    _updatePaths() {},
    _place() {
      const world = 256 * 2 ** this._zoom;
      const corner = this._map.getPixelOrigin().add(this._bounds.min);
      this.scale = ground.step * world; // px of one relative unit
      this.left = ground.origin[0] * world - corner.x;
      this.top = ground.origin[1] * world - corner.y;
      const r = this.ratio;
      this.matrix = new DOMMatrix([this.scale * r, 0, 0, this.scale * r, this.left * r, this.top * r]);
      const size = this._bounds.getSize();
      this.view = [-this.left / this.scale, -this.top / this.scale, (size.x - this.left) / this.scale, (size.y - this.top) / this.scale];
    },
    /** Draw anew; with a box only what lies in it. */
    redraw(box = null) {
      if (!this._map || !this.matrix) return;
      const { ctx } = this;
      ctx.save();
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      let part = this.view;
      if (box) {
        const margin = 6 / this.scale; // borders and their casings
        part = [box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin];
        const [x0, y0] = this.pixel(part[0], part[1]);
        const [x1, y1] = this.pixel(part[2], part[3]);
        const r = this.ratio;
        ctx.beginPath();
        ctx.rect(Math.floor(x0 * r), Math.floor(y0 * r), Math.ceil((x1 - x0) * r) + 1, Math.ceil((y1 - y0) * r) + 1);
        ctx.clip();
      }
      ctx.clearRect(0, 0, this._container.width, this._container.height);
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
