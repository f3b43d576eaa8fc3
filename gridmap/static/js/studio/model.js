/**
 * The plan under the planner's hands: who holds what, what a change would do, and the changes themselves.
 *
 * Units are indices into the ground here; grids go by their id. Nothing is fetched: what is performed is dispatched as
 * `operation`, and whoever sends it (session.js) brings back what others did by `apply`. Events: `operation`, `change`
 * (`{units, grids}`), `grids`, `selection`, `active`, `tool`, `hover`, `limit`, `version`.
 */

import { t } from "../i18n.js";
import { STATUSES, Tally, deviationFrom, statusOf } from "./tally.js";
import { newKey } from "./wire.js";

/** What the model will not do: a code and a sentence. */
export class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

const ATTRIBUTES = ["code", "name", "kind", "workers", "locked", "region", "parent_id"];
const pickAttributes = (grid) => Object.fromEntries(ATTRIBUTES.map((name) => [name, grid[name] ?? null]));

export class Model extends EventTarget {
  /** `state`: the answer of /plans/ID/studio; `ground`: its Ground. */
  constructor(state, ground) {
    super();
    this.ground = ground;
    this.plan = state.plan;
    this.mayEdit = state.may_edit;
    this.regions = state.regions;
    this.code = state.code;
    this.version = state.plan.version;
    this.reserved = [...state.reserved];
    this.base = state.base;
    this.active = null;
    this.selection = new Set();
    this.tool = "pan";
    this.limit = null;
    this.grids = new Map();
    this._slots = [];
    this._slotOf = new Map();
    for (const grid of state.grids) this._remember({ ...grid });
    const slots = state.assignment.map((k) => (k < 0 ? -1 : k));
    this.tally = new Tally(ground, slots, this._slots.map((grid) => this._band(grid)));
    this._moved = new Moved(this);
  }

  /* asking */

  slotOf(id) {
    return this._slotOf.get(id) ?? -1;
  }

  /** The grid (object) of a slot. */
  gridAt(slot) {
    return slot < 0 ? null : this._slots[slot];
  }

  /** Id of the grid that holds a unit, null for none. */
  gridOf(unit) {
    const slot = this.tally.slot[unit];
    return slot < 0 ? null : this._slots[slot].id;
  }

  /** The units of a grid, or of none. */
  unitsOf(id) {
    if (id !== null) return this.tally.members(this.slotOf(id));
    const free = [];
    for (let u = 0; u < this.ground.n; u++) if (this.tally.slot[u] < 0) free.push(u);
    return free;
  }

  /** Every figure of a grid (tally.js), and how many workers it has; one of micro-grids holds what these hold. */
  stats(id) {
    const parts = this._micros().get(id);
    const own = this.tally.stats(this.slotOf(id));
    return { ...(parts ? this._whole(own, parts) : own), workers: this.grids.get(id).workers };
  }

  totals() {
    const { tally } = this;
    const counts = Object.fromEntries(STATUSES.map((status, k) => [status, tally.counts[k]]));
    for (const id of this._micros().keys()) {
      counts[tally.stats(this.slotOf(id)).status]--;
      counts[this.stats(id).status]++;
    }
    let households = tally.freeHouseholds;
    for (let s = 0; s < tally.bands.length; s++) households += tally.households[s];
    return {
      grids: this.grids.size,
      ...counts,
      pieces: tally.broken,
      households,
      unassignedUnits: tally.freeUnits,
      unassignedHouseholds: tally.freeHouseholds,
      compactness: tally.meanCompactness(),
      ...this._moved.figures(),
    };
  }

  /** Whether a unit is in another grid (by code) than in the base plan. */
  movedUnit(unit) {
    return this._moved.differs(unit);
  }

  /** What moving `units` to the grid `to` (null: none) would do; the plan stays as it is. */
  preview(units, to) {
    const refused = this._refusal(units, to);
    const goal = to === null ? -1 : this.slotOf(to);
    const moving = units.filter((u) => this.tally.slot[u] !== goal);
    const origin = moving.map((u) => this.tally.slot[u]);
    const slots = [...new Set([...origin, goal])].filter((s) => s >= 0);
    const before = slots.map((s) => this.tally.stats(s));
    this.tally.move(moving, goal);
    const touched = slots.map((s, k) => ({ grid: this._slots[s], before: before[k], after: this.tally.stats(s) }));
    this.tally.move(moving, origin);
    return { units: moving, to, touched, households: moving.reduce((sum, u) => sum + this.ground.households[u], 0), refused };
  }

  /** What a new grid of a community made of `units` would be, and what is left of the others; the plan stays. */
  previewNew(units, region) {
    if (this._scratch === undefined) {
      this._scratch = this.tally.addSlot(null);
      this.tally.retire(this._scratch, true);
    }
    const pseudo = { id: "new", code: t("新"), name: t("新网格"), kind: "basic", region, locked: false };
    this._slots[this._scratch] = pseudo;
    this.tally.retire(this._scratch, false);
    this.tally.setBand(this._scratch, this._band(pseudo));
    const origin = units.map((u) => this.tally.slot[u]);
    const slots = [...new Set(origin)].filter((s) => s >= 0);
    const before = slots.map((s) => this.tally.stats(s));
    this.tally.move(units, this._scratch);
    const touched = slots.map((s, k) => ({ grid: this._slots[s], before: before[k], after: this.tally.stats(s) }));
    touched.push({ grid: pseudo, before: null, after: this.tally.stats(this._scratch) });
    this.tally.move(units, origin);
    this.tally.retire(this._scratch, true);
    return { units, to: "new", touched, households: touched.at(-1).after.households, refused: this._refusal(units, null) };
  }

  /* changing */

  /** Whether a unit may leave where it is: not in a locked grid, within the limit. */
  free(unit) {
    const from = this.tally.slot[unit];
    return !(from >= 0 && this._slots[from].locked) && (this.limit === null || this.ground.region[unit] === this.limit);
  }

  /** Of `units`, those that may come to the grid `to`: not locked, of its community, within the limit. */
  allowed(units, to) {
    const region = to === null ? null : this._homeOf(to);
    const goal = to === null ? -1 : this.slotOf(to);
    return units.filter((u) => {
      const from = this.tally.slot[u];
      if (from === goal || !this.free(u)) return false;
      return region === null || this.ground.region[u] === region;
    });
  }

  /**
   * Do something: `moves` [{to, units}], `grids` [{id, after}] (after null: gone; an id not yet known: new).
   * Gives the operation {key, tool, moves: [{from, to, units}], grids: [{id, before, after}], why}; throws Refused.
   */
  perform(tool, { moves = [], grids = [], why = null } = {}) {
    if (!this.mayEdit) throw new Refused("STATE", t("此方案只能查看，不能修改。"));
    const op = { key: newKey(), tool, why, moves: [], grids: grids.map((change) => this._change(change)) };
    for (const { to, units } of moves) {
      const by = new Map();
      for (const u of units) {
        const from = this.gridOf(u);
        if (from === to) continue;
        if (by.has(from)) by.get(from).push(u);
        else by.set(from, [u]);
      }
      for (const [from, some] of by) op.moves.push({ from, to, units: some });
    }
    if (!op.moves.length && !op.grids.length) throw new Refused("NOTHING", t("没有要改动的内容。"));
    this._check(op);
    this.apply(op);
    this.dispatchEvent(new CustomEvent("operation", { detail: op }));
    return op;
  }

  /** Make an operation's changes, one's own or (`remote`) somebody else's. */
  apply(op, { remote = false } = {}) {
    const touched = new Set();
    const moved = [];
    for (const { id, after } of op.grids) if (after) this._put(id, after, touched);
    for (const { to, units } of op.moves) {
      const goal = to === null ? -1 : this.slotOf(to);
      for (const u of units) {
        const from = this.gridOf(u);
        if (from !== null) touched.add(from);
        moved.push(u);
      }
      if (to !== null) touched.add(to);
      this._moved.move(units, goal);
      this.tally.move(units, goal);
    }
    for (const { id, after } of op.grids) if (!after) this._drop(id, touched);
    if (op.grids.length) this.dispatchEvent(new CustomEvent("grids", { detail: { grids: touched } }));
    this.dispatchEvent(new CustomEvent("change", { detail: { units: moved, grids: touched, remote, op } }));
  }

  /** Take an operation's changes back, exactly. */
  revert(op, options = {}) {
    this.apply(inverse(op), options);
  }

  /** The next free grid of a community (`region`: index): `{id, after}` to go into `perform`. */
  newGrid({ region, name = null, kind = "basic", parent_id = null, workers = null, taken = [] }) {
    const id = this.reserved.find((one) => !this.grids.has(one) && !this._spent?.has(one));
    if (id === undefined) throw new Refused("NO_ID", t("本次打开可新建的网格已用完，请重新载入页面。"));
    (this._spent ??= new Set()).add(id);
    const code = this.freeCode(region, taken);
    const number = Number(code.slice(this.code.prefix_length));
    return { id, after: { code, name: name ?? t("{region}第{n}网格", { region: this.regions[region].name, n: number }), kind, workers, locked: false, region, parent_id } };
  }

  /** The lowest code above all of a community that neither stands in the plan nor is retired. */
  freeCode(region, more = []) {
    const { length, prefix_length, number_min, number_max, retired } = this.code;
    const prefix = this.regions[region].code.slice(0, prefix_length).padEnd(prefix_length, "0");
    const taken = new Set();
    for (const code of [...retired, ...more, ...[...this.grids.values()].map((grid) => grid.code)]) {
      if (code.length === length && code.startsWith(prefix)) taken.add(Number(code.slice(prefix_length)));
    }
    let number = Math.max(number_min - 1, ...taken) + 1;
    if (number > number_max) for (number = number_min; number < number_max && taken.has(number); number++);
    return prefix + String(number).padStart(length - prefix_length, "0");
  }

  setActive(id) {
    if (id === this.active) return;
    this.active = id;
    this.dispatchEvent(new CustomEvent("active", { detail: { id } }));
  }

  setTool(name) {
    if (name === this.tool) return;
    this.tool = name;
    this.dispatchEvent(new CustomEvent("tool", { detail: { name } }));
  }

  setLimit(region) {
    this.limit = region;
    this.dispatchEvent(new CustomEvent("limit", { detail: { region } }));
  }

  select(units, how = "set") {
    if (how === "set") this.selection = new Set(units);
    else for (const u of units) this.selection[how === "add" ? "add" : "delete"](u);
    this.dispatchEvent(new CustomEvent("selection"));
  }

  setVersion(version) {
    this.version = version;
    this.dispatchEvent(new CustomEvent("version", { detail: { version } }));
  }

  /* inside */

  /** Grids by the one they are micro-grids of. */
  _micros() {
    if (this._parts) return this._parts;
    this._parts = new Map();
    for (const grid of this.grids.values()) {
      if (grid.kind !== "micro" || !this.grids.has(grid.parent_id)) continue;
      if (this._parts.has(grid.parent_id)) this._parts.get(grid.parent_id).push(grid.id);
      else this._parts.set(grid.parent_id, [grid.id]);
    }
    return this._parts;
  }

  /** The figures of a grid with those of its micro-grids; whether they hang together is not looked at. */
  _whole(own, parts) {
    const all = [own, ...parts.map((id) => this.tally.stats(this.slotOf(id)))];
    const sum = (name) => all.reduce((total, one) => total + one[name], 0);
    const found = Object.fromEntries(["units", "households", "population", "buildings", "areaM2"].map((name) => [name, sum(name)]));
    const band = own.low === null ? null : own;
    return { ...own, ...found, deviation: deviationFrom(band, found.units, found.households), status: STATUSES[statusOf(band, found.households)], pieces: 0, compactness: null, onRoads: null };
  }

  _remember(grid) {
    const slot = this.tally ? this.tally.bands.length : this._slots.length; // the slot that the tally gives next
    this.grids.set(grid.id, grid);
    this._slotOf.set(grid.id, slot);
    this._slots[slot] = grid;
    return slot;
  }

  /** The household bounds of a grid: by the class of its community; special-purpose grids have none. */
  _band(grid) {
    const region = this.regions[grid.region];
    if (!region || grid.kind === "special") return null;
    if (grid.kind === "micro" && region.class !== "micro") return region.micro ?? null;
    return region.low === null ? null : { low: region.low, high: region.high };
  }

  /** The community a grid belongs to: that of its units, else its own. */
  _homeOf(id) {
    const first = this.tally.head[this.slotOf(id)];
    const own = this.grids.get(id).region;
    return first >= 0 ? this.ground.region[first] : own >= 0 ? own : null;
  }

  _change({ id, after }) {
    const grid = this.grids.get(id);
    const before = grid ? pickAttributes(grid) : null;
    return { id, before, after: after === null ? null : { ...(before ?? {}), ...after } };
  }

  _put(id, after, touched) {
    touched.add(id);
    this._parts = null;
    const grid = this.grids.get(id);
    if (grid) {
      const code = grid.code;
      Object.assign(grid, after);
      this.tally.setBand(this.slotOf(id), this._band(grid));
      if (grid.code !== code) this._moved.recount();
      return;
    }
    const again = this._slotOf.get(id);
    if (again !== undefined) {
      const back = Object.assign(this._slots[again], after, { id });
      this.grids.set(id, back);
      this.tally.retire(again, false);
      this.tally.setBand(again, this._band(back));
    } else {
      const made = { id, ...after };
      this._remember(made);
      this.tally.addSlot(this._band(made));
    }
  }

  _drop(id, touched) {
    const slot = this.slotOf(id);
    if (!this.grids.has(id)) return;
    this._parts = null;
    const left = this.tally.members(slot);
    this._moved.move(left, -1);
    this.tally.move(left, -1);
    this.tally.retire(slot, true);
    this.grids.delete(id);
    touched.add(id);
    if (this.active === id) this.setActive(null);
  }

  _refusal(units, to) {
    try {
      this._checkMove(units, to, new Set());
      return null;
    } catch (error) {
      if (error instanceof Refused) return { code: error.code, text: error.message };
      throw error;
    }
  }

  _check(op) {
    const opened = new Set(op.grids.filter((change) => change.after && !change.after.locked).map((change) => change.id));
    const made = new Map(op.grids.filter((change) => change.after).map((change) => [change.id, change.after]));
    for (const { to, units } of op.moves) this._checkMove(units, to, opened, made);
    for (const { id, before, after } of op.grids) {
      if (after?.code && after.code !== before?.code) {
        for (const grid of this.grids.values()) {
          if (grid.id !== id && grid.code === after.code) throw new Refused("CODE_TAKEN", t("编码 {code} 已被网格“{name}”使用。", { code: after.code, name: grid.name ?? grid.code }));
        }
      }
      if (after === null && before?.locked) throw new Refused("LOCKED", t("网格 {code} 已锁定。", { code: short(before) }));
    }
  }

  _checkMove(units, to, opened, made = new Map()) {
    const goal = to === null ? null : this.grids.get(to) ?? made.get(to);
    if (goal?.locked && !opened.has(to)) throw new Refused("LOCKED", t("网格 {code} 已锁定。", { code: short(goal) }));
    const home = to === null ? null : this.grids.has(to) ? this._homeOf(to) : goal.region;
    for (const u of units) {
      const from = this.gridAt(this.tally.slot[u]);
      if (from?.id === to) continue;
      if (from?.locked && !opened.has(from.id)) throw new Refused("LOCKED", t("网格 {code} 已锁定。", { code: short(from) }));
      if (this.limit !== null && this.ground.region[u] !== this.limit) throw new Refused("LIMIT", t("此处不在限定的社区内。"));
      if (home !== null && this.ground.region[u] !== home) throw new Refused("COMMUNITY", t("网格不能跨越社区。"));
    }
  }
}

/** Last digits of a code, or all of it where it is short. */
export function short(grid) {
  return String(grid.code).slice(-3);
}

/** The operation that takes another back. */
export function inverse(op) {
  return {
    ...op,
    moves: [...op.moves].reverse().map(({ from, to, units }) => ({ from: to, to: from, units })),
    grids: [...op.grids].reverse().map(({ id, before, after }) => ({ id, before: after, after: before })),
  };
}

/** Households that are not in the grid (by code) of the base plan, and the workers whose ground changed. */
class Moved {
  constructor(model) {
    this.model = model;
    const { base, ground } = model;
    this.numbers = new Map();
    this.baseCode = new Int32Array(ground.n).fill(-1);
    this.workers = [];
    this.households = 0;
    if (!base) return;
    base.grids.forEach((grid, k) => {
      this.numbers.set(grid.code, k);
      this.workers[k] = grid.workers ?? 0;
    });
    base.assignment.forEach((k, u) => (this.baseCode[u] = k < 0 ? -1 : this.numbers.get(base.grids[k].code)));
    this.changed = new Int32Array(base.grids.length); // units that left or joined each grid of the base plan
    this.recount();
  }

  /** Number of the base plan's grid with the code of a slot's grid, -1 for none. */
  _number(slot) {
    return slot < 0 ? -1 : this.numbers.get(this.model.gridAt(slot).code) ?? -1;
  }

  differs(unit) {
    return this.baseCode[unit] !== this._number(this.model.tally.slot[unit]) || (this.baseCode[unit] < 0 && this.model.tally.slot[unit] >= 0);
  }

  recount() {
    if (!this.model.base) return;
    this.households = 0;
    this.changed.fill(0);
    for (let u = 0; u < this.baseCode.length; u++) this._count(u, this.model.tally.slot[u], 1);
  }

  /** Before the tally moves them. */
  move(units, goal) {
    if (!this.model.base) return;
    for (const u of units) {
      this._count(u, this.model.tally.slot[u], -1);
      this._count(u, goal, 1);
    }
  }

  _count(u, slot, sign) {
    const [was, now] = [this.baseCode[u], this._number(slot)];
    if (was === now) return;
    if (was >= 0) {
      this.households += sign * this.model.ground.households[u];
      this.changed[was] += sign;
    }
    if (now >= 0) this.changed[now] += sign;
  }

  figures() {
    if (!this.model.base) return { movedHouseholds: null, workersAffected: null, gridsAffected: null };
    let [workers, grids] = [0, 0];
    for (let k = 0; k < this.changed.length; k++) {
      if (this.changed[k] === 0) continue;
      workers += this.workers[k];
      grids++;
    }
    return { movedHouseholds: this.households, workersAffected: workers, gridsAffected: grids };
  }
}
