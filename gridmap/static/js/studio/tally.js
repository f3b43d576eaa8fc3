/**
 * Who holds which unit, and every figure of the grids that follows from it.
 *
 * Grids live in slots 0, 1, …; slot -1 is "in no grid". Touched slots are added up anew from their members in ascending
 * order, as the engine does (geodata/redraw/ledger.py), so a move and its undo give back exactly the same figures.
 */

export const STATUSES = ["within", "under", "over", "empty", "unchecked"];
const [WITHIN, UNDER, OVER, EMPTY, UNCHECKED] = [0, 1, 2, 3, 4];

/** The status (its number) of a grid with so many households; `band`: `{low, high}` or null where no bound holds. */
export function statusOf(band, households) {
  if (!band) return UNCHECKED;
  return households === 0 ? EMPTY : households < band.low ? UNDER : households > band.high ? OVER : WITHIN;
}

/** Households below (negative) or above the band; 0 for a grid without units. */
export const deviationFrom = (band, units, households) => (band && units ? Math.min(households - band.low, 0) + Math.max(households - band.high, 0) : 0);

export class Tally {
  /** `slots`: slot of each unit (n,); `bands`: of each slot, `{low, high}` or null where no bound holds. */
  constructor(ground, slots, bands) {
    this.ground = ground;
    this.slot = Int32Array.from(slots);
    const room = Math.max(16, 2 * bands.length);
    this.head = new Int32Array(room).fill(-1);
    this.next = new Int32Array(ground.n).fill(-1);
    this.before = new Int32Array(ground.n).fill(-1);
    this.stamp = new Int32Array(ground.n);
    this.queue = new Int32Array(ground.n);
    this.clock = 0;
    for (const name of ["units", "households", "population", "buildings", "pieces", "status"]) this[name] = new Int32Array(room);
    for (const name of ["areaM2", "perimeterM", "borderM", "barrierM"]) this[name] = new Float64Array(room);
    this.bands = [];
    this.counts = new Int32Array(STATUSES.length);
    this.broken = 0; // grids in more than one piece
    this.held = 0; // grids that hold units
    this.freeUnits = 0;
    this.freeHouseholds = 0;
    for (const band of bands) this.addSlot(band);
    for (let u = 0; u < ground.n; u++) {
      if (this.slot[u] >= 0) this._link(u, this.slot[u]);
      else this._free(u, 1);
    }
    for (let s = 0; s < bands.length; s++) this._addUp(s);
  }

  /** A new, empty slot; its number. */
  addSlot(band) {
    const s = this.bands.length;
    if (s === this.head.length) this._widen();
    this.bands.push(band);
    this.status[s] = band ? EMPTY : UNCHECKED;
    this.counts[this.status[s]]++;
    return s;
  }

  /** Other bounds for a slot (its kind or community changed). */
  setBand(s, band) {
    this.bands[s] = band;
    this._addUp(s);
  }

  /** Take a slot out of the counts (a grid deleted) or back into them. */
  retire(s, gone) {
    this.counts[this.status[s]] += gone ? -1 : 1;
  }

  /** Put `units` into the slots `to` (an array, or one for all); the slots whose figures changed. */
  move(units, to) {
    const touched = new Set();
    const one = typeof to === "number" ? to : null;
    let loose = false;
    for (let k = 0; k < units.length; k++) {
      const u = units[k];
      const [from, goal] = [this.slot[u], one ?? to[k]];
      if (from === goal) continue;
      if (from >= 0) this._unlink(u, from);
      else this._free(u, -1);
      this.slot[u] = goal;
      if (goal >= 0) this._link(u, goal);
      else this._free(u, 1);
      if (from >= 0) touched.add(from);
      if (goal >= 0) touched.add(goal);
      loose ||= from < 0 || goal < 0;
    }
    const stale = new Set(touched);
    if (loose) {
      // ground in no grid is no border: the grids beside it gain or lose one
      const { first, other } = this.ground;
      for (const u of units) for (let k = first[u]; k < first[u + 1]; k++) if (this.slot[other[k]] >= 0) stale.add(this.slot[other[k]]);
    }
    for (const s of stale) this._addUp(s);
    return touched;
  }

  /** The units of a slot. */
  members(s) {
    const found = [];
    for (let u = this.head[s]; u >= 0; u = this.next[u]) found.push(u);
    return found;
  }

  /** The slots that share a border with a slot, as a Set. */
  beside(s) {
    const { first, other } = this.ground;
    const found = new Set();
    for (let u = this.head[s]; u >= 0; u = this.next[u]) {
      for (let k = first[u]; k < first[u + 1]; k++) {
        const there = this.slot[other[k]];
        if (there >= 0 && there !== s) found.add(there);
      }
    }
    return found;
  }

  /** The pieces of a slot, largest first, each an array of units. */
  parts(s) {
    this.clock++;
    const parts = [];
    for (let root = this.head[s]; root >= 0; root = this.next[root]) {
      if (this.stamp[root] !== this.clock) parts.push(Array.from(this.queue.subarray(0, this._walk(root, s))));
    }
    return parts.sort((a, b) => b.length - a.length);
  }

  /** Polsby-Popper compactness of a slot, 0 to 1: 4 pi area / perimeter^2. */
  compactness(s) {
    const perimeter = this.perimeterM[s];
    return perimeter > 0 ? Math.min((4 * Math.PI * this.areaM2[s]) / perimeter ** 2, 1) : 0;
  }

  /** Mean Polsby-Popper of the slots that hold units, 0 where none does. */
  meanCompactness() {
    let sum = 0;
    for (let s = 0; s < this.bands.length; s++) if (this.units[s] > 0) sum += this.compactness(s);
    return this.held ? sum / this.held : 0;
  }

  /** Every figure of a slot; `deviation` is below (negative) or above its band in households, `onRoads` null without border. */
  stats(s) {
    const band = this.bands[s];
    const households = this.households[s];
    return {
      units: this.units[s],
      households,
      population: this.population[s],
      buildings: this.buildings[s],
      low: band?.low ?? null,
      high: band?.high ?? null,
      deviation: deviationFrom(band, this.units[s], households),
      status: STATUSES[this.status[s]],
      pieces: this.pieces[s],
      compactness: this.compactness(s),
      onRoads: this.borderM[s] > 0 ? this.barrierM[s] / this.borderM[s] : null,
      areaM2: this.areaM2[s],
    };
  }

  _link(u, s) {
    this.next[u] = this.head[s];
    this.before[u] = -1;
    if (this.head[s] >= 0) this.before[this.head[s]] = u;
    this.head[s] = u;
  }

  _unlink(u, s) {
    if (this.before[u] >= 0) this.next[this.before[u]] = this.next[u];
    else this.head[s] = this.next[u];
    if (this.next[u] >= 0) this.before[this.next[u]] = this.before[u];
    this.next[u] = this.before[u] = -1;
  }

  _free(u, sign) {
    this.freeUnits += sign;
    this.freeHouseholds += sign * this.ground.households[u];
  }

  _addUp(s) {
    const g = this.ground;
    const { first, other, pair, pairLengthM, pairBarrierM } = g;
    if (this.units[s] > 0) {
      this.held--;
      this.broken -= this.pieces[s] > 1 ? 1 : 0;
    }
    this.counts[this.status[s]]--;
    let [units, households, population, buildings, area, perimeter, border, barrier] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let u = this.head[s]; u >= 0; u = this.next[u]) this.queue[units++] = u;
    const members = this.queue.subarray(0, units).sort(); // in one order whatever was done: floats add up the same
    for (const u of members) {
      households += g.households[u];
      population += g.population[u];
      buildings += g.buildings[u];
      area += g.areaM2[u];
      perimeter += g.perimeterM[u];
      for (let k = first[u]; k < first[u + 1]; k++) {
        const there = this.slot[other[k]];
        if (there === s) perimeter -= pairLengthM[pair[k]];
        else if (there >= 0) {
          border += pairLengthM[pair[k]];
          barrier += pairBarrierM[pair[k]];
        }
      }
    }
    this.units[s] = units;
    this.households[s] = households;
    this.population[s] = population;
    this.buildings[s] = buildings;
    this.areaM2[s] = area;
    this.perimeterM[s] = perimeter;
    this.borderM[s] = border;
    this.barrierM[s] = barrier;
    this.pieces[s] = this._pieces(s);
    this.status[s] = statusOf(this.bands[s], this.households[s]);
    this.counts[this.status[s]]++;
    if (units > 0) {
      this.held++;
      this.broken += this.pieces[s] > 1 ? 1 : 0;
    }
  }


  _pieces(s) {
    this.clock++;
    let pieces = 0;
    for (let root = this.head[s]; root >= 0; root = this.next[root]) {
      if (this.stamp[root] === this.clock) continue;
      pieces++;
      this._walk(root, s);
    }
    return pieces;
  }

  /** Stamp what hangs together with `root` over crossable borders; the number of units, which are left in `queue`. */
  _walk(root, s) {
    const { first, other, pair, pairCrossable } = this.ground;
    const { queue, stamp, clock, slot } = this;
    stamp[root] = clock;
    queue[0] = root;
    let tail = 1;
    for (let at = 0; at < tail; at++) {
      const u = queue[at];
      for (let k = first[u]; k < first[u + 1]; k++) {
        const v = other[k];
        if (slot[v] === s && stamp[v] !== clock && pairCrossable[pair[k]]) {
          stamp[v] = clock;
          queue[tail++] = v;
        }
      }
    }
    return tail;
  }

  _widen() {
    for (const name of ["head", "units", "households", "population", "buildings", "pieces", "status", "areaM2", "perimeterM", "borderM", "barrierM"]) {
      const old = this[name];
      this[name] = new old.constructor(2 * old.length);
      this[name].set(old);
    }
    this.head.fill(-1, this.bands.length);
  }
}
