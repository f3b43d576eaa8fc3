/**
 * The ground of a plan in typed arrays: units, the arcs between them, and who is whose neighbour.
 *
 * Coordinates are integers relative to `origin`, `step` of the Web Mercator world apart (y grows to the south), so a pixel
 * at zoom z is `(origin + value * step) * 256 * 2 ** z`. Units are numbered 0..n-1; ids are for the wire only.
 */

export class Ground {
  constructor({ meta, arrays }) {
    Object.assign(this, {
      n: meta.n,
      origin: meta.origin,
      step: meta.step,
      compounds: meta.compounds ?? [],
      names: meta.names ?? [],
      id: arrays.id,
      region: arrays.region,
      number: arrays.number,
      households: arrays.households,
      population: arrays.population,
      buildings: arrays.buildings,
      estimated: arrays.estimated,
      areaM2: arrays.area_m2,
      perimeterM: arrays.perimeter_m,
      compound: arrays.compound,
      x: arrays.x,
      y: arrays.y,
      arcStart: arrays.arc_start,
      arcX: arrays.arc_x,
      arcY: arrays.arc_y,
      arcLeft: arrays.arc_left,
      arcRight: arrays.arc_right,
      arcBarrier: arrays.arc_barrier,
      unitRings: arrays.unit_rings,
      ringStart: arrays.ring_start,
      ringArc: arrays.ring_arc,
      pairI: arrays.pair_i,
      pairJ: arrays.pair_j,
      pairLengthM: arrays.pair_length_m,
      pairBarrierM: arrays.pair_barrier_m,
      pairCrossable: arrays.pair_crossable,
    });
    this.arcs = this.arcLeft.length;
    this._neighbours();
    this._boxes();
    this._nodes();
  }

  /** Index of a unit by its id, undefined where the ground has none. */
  indexOf(id) {
    this._index ??= new Map(Array.from(this.id, (one, unit) => [one, unit]));
    return this._index.get(id);
  }

  /** What a person calls a unit: its compound, else its number in the community. */
  label(unit) {
    const compound = this.compound[unit];
    return (compound >= 0 && this.compounds[compound]) || `#${this.number[unit]}`;
  }

  /** Neighbours of unit u: `other[k]`, by pair `pair[k]`, for k from `first[u]` to `first[u + 1]`. */
  _neighbours() {
    const { n, pairI, pairJ } = this;
    const first = new Int32Array(n + 1);
    for (let p = 0; p < pairI.length; p++) {
      first[pairI[p] + 1]++;
      first[pairJ[p] + 1]++;
    }
    for (let u = 0; u < n; u++) first[u + 1] += first[u];
    const at = first.slice(0, n);
    const other = new Int32Array(2 * pairI.length);
    const pair = new Int32Array(2 * pairI.length);
    for (let p = 0; p < pairI.length; p++) {
      const [i, j] = [pairI[p], pairJ[p]];
      other[at[i]] = j;
      pair[at[i]++] = p;
      other[at[j]] = i;
      pair[at[j]++] = p;
    }
    Object.assign(this, { first, other, pair });
  }

  /** Boxes of arcs and of units: west, north, east, south. */
  _boxes() {
    const arcBox = new Int32Array(4 * this.arcs);
    for (let a = 0; a < this.arcs; a++) {
      let [west, north, east, south] = [2147483647, 2147483647, -2147483648, -2147483648];
      for (let p = this.arcStart[a]; p < this.arcStart[a + 1]; p++) {
        const [x, y] = [this.arcX[p], this.arcY[p]];
        if (x < west) west = x;
        if (x > east) east = x;
        if (y < north) north = y;
        if (y > south) south = y;
      }
      arcBox.set([west, north, east, south], 4 * a);
    }
    const box = new Int32Array(4 * this.n);
    for (let u = 0; u < this.n; u++) {
      let [west, north, east, south] = [2147483647, 2147483647, -2147483648, -2147483648];
      this.eachArc(u, (arc) => {
        const a = 4 * (arc < 0 ? ~arc : arc);
        west = Math.min(west, arcBox[a]);
        north = Math.min(north, arcBox[a + 1]);
        east = Math.max(east, arcBox[a + 2]);
        south = Math.max(south, arcBox[a + 3]);
      });
      box.set([west, north, east, south], 4 * u);
    }
    let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let u = 0; u < this.n; u++) {
      west = Math.min(west, box[4 * u]);
      north = Math.min(north, box[4 * u + 1]);
      east = Math.max(east, box[4 * u + 2]);
      south = Math.max(south, box[4 * u + 3]);
    }
    Object.assign(this, { arcBox, box, extent: [west, north, east, south] });
  }

  /** Number of the node at each end of each arc: equal points are one node. */
  _nodes() {
    const seen = new Map();
    const node = (p) => {
      const key = this.arcX[p] * 67108864 + (this.arcY[p] % 67108864); // exact below 2 ** 53 for any town's extent
      let number = seen.get(key);
      if (number === undefined) seen.set(key, (number = seen.size));
      return number;
    };
    this.arcFrom = new Int32Array(this.arcs);
    this.arcTo = new Int32Array(this.arcs);
    for (let a = 0; a < this.arcs; a++) {
      this.arcFrom[a] = node(this.arcStart[a]);
      this.arcTo[a] = node(this.arcStart[a + 1] - 1);
    }
  }

  /** Call `visit(arc)` for the arcs around a unit, `~arc` where it is walked backwards. */
  eachArc(unit, visit) {
    for (let r = this.unitRings[unit]; r < this.unitRings[unit + 1]; r++) {
      for (let k = this.ringStart[r]; k < this.ringStart[r + 1]; k++) visit(this.ringArc[k]);
    }
  }

  /** Add an arc's points to a path; `begin` moves there first. */
  trace(path, arc, begin) {
    const back = arc < 0;
    const a = back ? ~arc : arc;
    const [start, end] = [this.arcStart[a], this.arcStart[a + 1] - 1];
    const step = back ? -1 : 1;
    let p = back ? end : start;
    if (begin) path.moveTo(this.arcX[p], this.arcY[p]);
    for (let left = end - start; left > 0; left--) {
      p += step;
      path.lineTo(this.arcX[p], this.arcY[p]);
    }
  }

  /** The polygon of a unit added to `path`, to be filled by the even-odd rule. */
  traceUnit(path, unit) {
    for (let r = this.unitRings[unit]; r < this.unitRings[unit + 1]; r++) {
      for (let k = this.ringStart[r]; k < this.ringStart[r + 1]; k++) this.trace(path, this.ringArc[k], k === this.ringStart[r]);
      path.closePath();
    }
  }

  /** Whether a point lies in a unit: even-odd over its rings. */
  inside(unit, x, y) {
    const b = 4 * unit;
    if (x < this.box[b] || x > this.box[b + 2] || y < this.box[b + 1] || y > this.box[b + 3]) return false;
    let odd = false;
    const { arcStart, arcX, arcY } = this;
    this.eachArc(unit, (arc) => {
      const a = arc < 0 ? ~arc : arc;
      for (let p = arcStart[a]; p < arcStart[a + 1] - 1; p++) {
        const [y0, y1] = [arcY[p], arcY[p + 1]];
        if (y0 > y !== y1 > y && x < ((arcX[p + 1] - arcX[p]) * (y - y0)) / (y1 - y0) + arcX[p]) odd = !odd;
      }
    });
    return odd;
  }

  /** Longitude and latitude (degrees) of a point in relative coordinates. */
  lonLat(x, y) {
    const [wx, wy] = [this.origin[0] + x * this.step, this.origin[1] + y * this.step];
    return [wx * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * wy))) * 180) / Math.PI];
  }

  /** Relative coordinates of a longitude and latitude. */
  relative(lon, lat) {
    const sine = Math.sin((lat * Math.PI) / 180);
    const wy = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
    return [((lon + 180) / 360 - this.origin[0]) / this.step, (wy - this.origin[1]) / this.step];
  }

  /** Metres of one relative unit at the middle of the ground. */
  get metres() {
    const [, lat] = this.lonLat((this.extent[0] + this.extent[2]) / 2, (this.extent[1] + this.extent[3]) / 2);
    return this.step * 40075016.686 * Math.cos((lat * Math.PI) / 180);
  }
}
