/**
 * A layer of tiles painted on to the plan's own canvas instead of standing beneath it: dozens of tiles, each a canvas, would
 * be put together anew in every frame in which only the pointer moved.
 */

const GATHER_MS = 80; // tiles come in crowds

export class Backdrop {
  /** `tiles`: a Leaflet grid layer of canvases on the map; `changed(box)`: a part of the ground has come. */
  constructor(tiles, ground, changed) {
    Object.assign(this, { tiles, ground, changed });
    tiles.getContainer().style.visibility = "hidden";
    tiles.on("tileload", ({ coords }) => this._came(this.box(coords)));
  }

  /** The box of a tile in relative coordinates. */
  box({ x, y, z }) {
    const { origin, step } = this.ground;
    const side = 2 ** -z;
    return [(x * side - origin[0]) / step, (y * side - origin[1]) / step, ((x + 1) * side - origin[0]) / step, ((y + 1) * side - origin[1]) / step];
  }

  /** Paint the tiles that meet `box` on a surface, coarse ones first; leaves it in relative coordinates. */
  draw(on, [west, north, east, south]) {
    on.inPixels();
    const known = Object.values(this.tiles._tiles).filter(({ el, loaded }) => loaded && el.width > 0);
    for (const { coords, el } of known.sort((a, b) => a.coords.z - b.coords.z)) {
      const box = this.box(coords);
      if (box[0] > east || box[2] < west || box[1] > south || box[3] < north) continue;
      const [x0, y0] = on.pixel(box[0], box[1]).map(Math.round);
      const [x1, y1] = on.pixel(box[2], box[3]).map(Math.round);
      on.ctx.drawImage(el, x0, y0, x1 - x0, y1 - y0);
    }
    on.inGround();
  }

  _came(box) {
    const { came } = this;
    this.came = came ? [Math.min(came[0], box[0]), Math.min(came[1], box[1]), Math.max(came[2], box[2]), Math.max(came[3], box[3])] : box;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const all = this.came;
      this.came = null;
      this.changed(all);
    }, GATHER_MS);
  }
}
