/** What lies where: the unit at a point, units in a circle, a box or a drawn line, the border nearest to a point. */

const CELLS = 128;

/** A square grid of cells over boxes (west, north, east, south), each holding the numbers of the boxes that touch it. */
class Cells {
  constructor(boxes, count, [west, north, east, south]) {
    this.west = west;
    this.north = north;
    this.size = Math.max(1, (Math.max(east - west, south - north) + 1) / CELLS);
    const held = new Int32Array(CELLS * CELLS + 1);
    const each = (k, visit) => {
      const [x0, y0, x1, y1] = [this._at(boxes[4 * k] - west), this._at(boxes[4 * k + 1] - north), this._at(boxes[4 * k + 2] - west), this._at(boxes[4 * k + 3] - north)];
      for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) visit(y * CELLS + x);
    };
    for (let k = 0; k < count; k++) each(k, (cell) => held[cell + 1]++);
    for (let cell = 0; cell < CELLS * CELLS; cell++) held[cell + 1] += held[cell];
    const at = held.slice(0, CELLS * CELLS);
    this.start = held;
    this.items = new Int32Array(held[CELLS * CELLS]);
    for (let k = 0; k < count; k++) each(k, (cell) => (this.items[at[cell]++] = k));
    this.seen = new Int32Array(count);
    this.clock = 0;
  }

  _at(distance) {
    return Math.min(CELLS - 1, Math.max(0, Math.floor(distance / this.size)));
  }

  /** Visit each number whose cells touch a box, once. */
  query(west, north, east, south, visit) {
    const [x0, y0, x1, y1] = [this._at(west - this.west), this._at(north - this.north), this._at(east - this.west), this._at(south - this.north)];
    const clock = ++this.clock;
    for (let y = y0; y <= y1; y++) {
      for (let cell = y * CELLS + x0; cell <= y * CELLS + x1; cell++) {
        for (let k = this.start[cell]; k < this.start[cell + 1]; k++) {
          const item = this.items[k];
          if (this.seen[item] === clock) continue;
          this.seen[item] = clock;
          visit(item);
        }
      }
    }
  }
}

export class Picker {
  constructor(ground) {
    this.ground = ground;
    this.units = new Cells(ground.box, ground.n, ground.extent);
    this.arcs = new Cells(ground.arcBox, ground.arcs, ground.extent);
  }

  /** The unit at a point, -1 for none. */
  unitAt(x, y) {
    let found = -1;
    this.units.query(x, y, x, y, (unit) => {
      if (found < 0 && this.ground.inside(unit, x, y)) found = unit;
    });
    return found;
  }

  /** Units whose inner point lies within `radius`, and the one under the middle. */
  inCircle(x, y, radius) {
    const found = [];
    const { ground } = this;
    this.units.query(x - radius, y - radius, x + radius, y + radius, (unit) => {
      const near = (ground.x[unit] - x) ** 2 + (ground.y[unit] - y) ** 2 <= radius ** 2;
      if (near || ground.inside(unit, x, y)) found.push(unit);
    });
    return found;
  }

  /** Units that a brush of `radius` going from one point to another takes. */
  alongStroke(x0, y0, x1, y1, radius) {
    const found = [];
    const { ground } = this;
    const [west, east] = [Math.min(x0, x1) - radius, Math.max(x0, x1) + radius];
    const [north, south] = [Math.min(y0, y1) - radius, Math.max(y0, y1) + radius];
    this.units.query(west, north, east, south, (unit) => {
      if (distance(ground.x[unit], ground.y[unit], x0, y0, x1, y1) <= radius || ground.inside(unit, x1, y1)) found.push(unit);
    });
    return found;
  }

  /** Units whose inner point lies in a box. */
  inBox(west, north, east, south) {
    const found = [];
    const { x, y } = this.ground;
    this.units.query(west, north, east, south, (unit) => {
      if (x[unit] >= west && x[unit] <= east && y[unit] >= north && y[unit] <= south) found.push(unit);
    });
    return found;
  }

  /** Units whose inner point lies in a drawn polygon: points [[x, y], …], even-odd. */
  inPolygon(points) {
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    return this.inBox(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)).filter((unit) => within(points, this.ground.x[unit], this.ground.y[unit]));
  }

  /** The arc nearest to a point within `radius` for which `wanted(arc)` holds, -1 for none. */
  arcNear(x, y, radius, wanted) {
    let [found, least] = [-1, radius];
    const { ground } = this;
    this.arcs.query(x - radius, y - radius, x + radius, y + radius, (arc) => {
      if (!wanted(arc)) return;
      for (let p = ground.arcStart[arc]; p < ground.arcStart[arc + 1] - 1; p++) {
        const d = distance(x, y, ground.arcX[p], ground.arcY[p], ground.arcX[p + 1], ground.arcY[p + 1]);
        if (d < least) [found, least] = [arc, d];
      }
    });
    return found;
  }

  /** The unit in a direction from another: nearest inner point within 45 degrees of it, -1 for none. */
  towards(unit, dx, dy, wanted = () => true) {
    const { ground } = this;
    const [x0, y0] = [ground.x[unit], ground.y[unit]];
    let [found, least] = [-1, Infinity];
    const look = (other) => {
      const [x, y] = [ground.x[other] - x0, ground.y[other] - y0];
      const ahead = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      if (other === unit || ahead <= 0 || aside > 1.2 * ahead || !wanted(other)) return;
      const d = Math.hypot(x, y) + aside;
      if (d < least) [found, least] = [other, d];
    };
    for (let k = ground.first[unit]; k < ground.first[unit + 1]; k++) look(ground.other[k]);
    if (found < 0) for (let other = 0; other < ground.n; other++) look(other);
    return found;
  }
}

/** Distance of a point to a segment. */
export function distance(x, y, x0, y0, x1, y1) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const t = squared > 0 ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / squared)) : 0;
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}

/** Whether a point lies in a polygon of points [[x, y], …]. */
export function within(points, x, y) {
  let odd = false;
  for (let k = 0, j = points.length - 1; k < points.length; j = k++) {
    const [[x0, y0], [x1, y1]] = [points[k], points[j]];
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) odd = !odd;
  }
  return odd;
}

/** On which side of a drawn line (its ends prolonged) a point lies: 1 or -1, by the nearest of its segments. */
export function side(points, x, y) {
  let [best, sign] = [Infinity, 1];
  for (let k = 0; k < points.length - 1; k++) {
    const [[x0, y0], [x1, y1]] = [points[k], points[k + 1]];
    const [dx, dy] = [x1 - x0, y1 - y0];
    const squared = dx * dx + dy * dy || 1;
    let t = ((x - x0) * dx + (y - y0) * dy) / squared;
    if (k > 0) t = Math.max(0, t);
    if (k < points.length - 2) t = Math.min(1, t);
    const d = Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
    if (d < best) [best, sign] = [d, dx * (y - y0) - dy * (x - x0) >= 0 ? 1 : -1];
  }
  return sign;
}
