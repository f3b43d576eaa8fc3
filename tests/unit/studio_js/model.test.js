import { close, ground, idOf, model, random } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, inverse } from "../../../gridmap/static/js/studio/model.js";
import { Tally } from "../../../gridmap/static/js/studio/tally.js";

const ALL = ground.households.reduce((a, b) => a + b, 0);
const refusal = (code) => (error) => error instanceof Refused && error.code === code;

/** Everything that must never differ after an operation and its inverse. */
const snapshot = (one) => structuredClone({
  slots: Array.from({ length: ground.n }, (_, u) => one.gridOf(u)),
  grids: [...one.grids.values()].sort((a, b) => a.id - b.id),
  stats: [...one.grids.keys()].sort((a, b) => a - b).map((id) => one.stats(id)),
  totals: one.totals(),
});

/** Each unit in one grid or none; every figure as if counted from scratch. */
function sound(one) {
  const { tally } = one;
  const fresh = new Tally(ground, tally.slot, tally.bands);
  const seen = new Int32Array(ground.n);
  let [households, within] = [0, 0];
  for (const id of one.grids.keys()) {
    const s = one.slotOf(id);
    for (const u of one.unitsOf(id)) {
      seen[u]++;
      assert.equal(one.gridOf(u), id);
    }
    assert.deepEqual(tally.stats(s), fresh.stats(s), `grid ${id}`);
    households += tally.households[s];
    within += tally.stats(s).status === "within";
  }
  for (const u of one.unitsOf(null)) seen[u]++;
  assert.ok(seen.every((times) => times === 1), "each unit in exactly one place");
  const now = one.totals();
  assert.equal(households + now.unassignedHouseholds, ALL);
  assert.equal(now.households, ALL);
  assert.equal(now.within, within);
  assert.equal(now.within + now.under + now.over + now.empty + now.unchecked, one.grids.size);
  assert.equal(now.pieces, [...one.grids.keys()].filter((id) => one.stats(id).pieces > 1).length);
  let moved = 0;
  for (let u = 0; u < ground.n; u++) {
    const was = one.base.assignment[u];
    if (was >= 0 && one.base.grids[was].code !== one.grids.get(one.gridOf(u))?.code) moved += ground.households[u];
  }
  assert.equal(now.movedHouseholds, moved);
}

/** A random operation, as the tools make them; null where this one cannot be. */
function any(one, next) {
  const pick = (list) => list[Math.floor(next() * list.length)];
  const ids = [...one.grids.keys()];
  const id = pick(ids);
  const unit = Math.floor(next() * ground.n);
  const near = [unit, ...Array.from(ground.other.subarray(ground.first[unit], ground.first[unit + 1]))].filter((u) => ground.region[u] === ground.region[unit]);
  const home = one.gridOf(unit);
  const beside = near.map((u) => one.gridOf(u)).filter((other) => other !== null && other !== home);
  const units = near.slice(0, 1 + Math.floor(next() * 4));
  switch (pick(["paint", "paint", "paint", "erase", "new", "delete", "merge", "rename", "recode", "kind", "lock"])) {
    case "paint":
      return beside.length ? ["paint", { moves: [{ to: pick(beside), units }] }] : null;
    case "erase":
      return ["erase", { moves: [{ to: null, units }] }];
    case "new": {
      const made = one.newGrid({ region: ground.region[unit] });
      return ["new", { grids: [made], moves: next() < 0.7 ? [{ to: made.id, units }] : [] }];
    }
    case "delete":
      return ["delete", { grids: [{ id, after: null }], moves: one.unitsOf(id).length ? [{ to: null, units: one.unitsOf(id) }] : [] }];
    case "merge":
      return home !== null && beside.length ? ["merge", { moves: [{ to: pick(beside), units: one.unitsOf(home) }], grids: [{ id: home, after: null }] }] : null;
    case "rename":
      return ["rename", { grids: [{ id, after: { name: `网格${Math.floor(next() * 1e6)}`, workers: 2 } }] }];
    case "recode":
      return ["recode", { grids: [{ id, after: { code: one.freeCode(one.grids.get(id).region) } }] }];
    case "kind":
      return ["kind", { grids: [{ id, after: { kind: pick(["basic", "special"]) } }] }];
    default:
      return ["lock", { grids: [{ id, after: { locked: next() < 0.3 } }] }];
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`whatever is done, undone and redone, every figure stays true (${seed})`, () => {
    const one = model();
    const next = random(seed);
    const start = snapshot(one);
    const stack = [];
    let refused = 0;
    for (let turn = 0; turn < 150; turn++) {
      if (stack.length && next() < 0.25) {
        const { op, before, after } = stack.pop();
        one.revert(op);
        assert.deepEqual(snapshot(one), before, `undo of ${op.tool}`);
        if (next() < 0.5) {
          one.apply(op);
          assert.deepEqual(snapshot(one), after, `redo of ${op.tool}`);
          stack.push({ op, before, after });
        }
      } else {
        const what = any(one, next);
        if (!what) continue;
        const before = snapshot(one);
        try {
          stack.push({ op: one.perform(...what), before, after: snapshot(one) });
        } catch (error) {
          assert.ok(error instanceof Refused, String(error.stack));
          assert.deepEqual(snapshot(one), before, "a refusal changes nothing");
          refused++;
        }
      }
      sound(one);
    }
    assert.ok(refused && stack.length > 20);
    while (stack.length) one.revert(stack.pop().op);
    assert.deepEqual(snapshot(one), start);
  });
}

test("a preview says what will be, and changes nothing", () => {
  const one = model();
  const next = random(9);
  let told = 0;
  while (told < 60) {
    const what = any(one, next);
    if (what?.[0] !== "paint") continue;
    const [{ to, units }] = what[1].moves;
    const before = snapshot(one);
    const { touched, refused, households } = one.preview(units, to);
    assert.deepEqual(snapshot(one), before);
    const here = touched.map(({ grid }) => one.stats(grid.id));
    touched.forEach((line, k) => assert.deepEqual({ ...line.before, workers: here[k].workers }, here[k]));
    if (refused || !touched.length) continue;
    const op = one.perform("paint", what[1]);
    for (const { grid, after } of touched) assert.deepEqual(one.tally.stats(one.slotOf(grid.id)), after);
    assert.equal(households, op.moves.flatMap((move) => move.units).reduce((sum, u) => sum + ground.households[u], 0));
    told++;
  }
});

test("a preview of a new grid is what it will be", () => {
  const one = model();
  const before = snapshot(one);
  const units = one.unitsOf(idOf(4)).slice(0, 3);
  const preview = one.previewNew(units, one.grids.get(idOf(4)).region);
  assert.deepEqual(snapshot(one), before);
  const made = one.newGrid({ region: one.grids.get(idOf(4)).region });
  one.perform("split", { grids: [made], moves: [{ to: made.id, units }] });
  assert.deepEqual(one.tally.stats(one.slotOf(made.id)), preview.touched.at(-1).after);
  assert.deepEqual(one.tally.stats(one.slotOf(idOf(4))), preview.touched[0].after);
  sound(one);
});

test("what must not be is refused by its name", () => {
  const one = model();
  const [a, b] = [idOf(0), idOf(1)];
  const unit = one.unitsOf(b)[0];
  const paint = () => one.perform("paint", { moves: [{ to: a, units: [unit] }] });
  const abroad = [...one.grids.values()].find((grid) => grid.region !== one.grids.get(a).region).id;
  assert.throws(() => one.perform("paint", { moves: [{ to: abroad, units: [unit] }] }), refusal("COMMUNITY"));
  assert.throws(() => one.perform("paint", { moves: [{ to: b, units: [unit] }] }), refusal("NOTHING"));
  assert.throws(() => one.perform("recode", { grids: [{ id: a, after: { code: one.grids.get(b).code } }] }), refusal("CODE_TAKEN"));
  one.perform("lock", { grids: [{ id: b, after: { locked: true } }] });
  assert.throws(paint, refusal("LOCKED"));
  assert.throws(() => one.perform("delete", { grids: [{ id: b, after: null }] }), refusal("LOCKED"));
  assert.equal(one.preview([unit], a).refused.code, "LOCKED");
  assert.deepEqual(one.allowed([unit], a), []);
  one.perform("lock", { grids: [{ id: b, after: { locked: false } }] });
  one.setLimit(1 - ground.region[unit]);
  assert.throws(paint, refusal("LIMIT"));
  one.setLimit(null);
  paint();
  const shown = model({ may_edit: false });
  assert.throws(() => shown.perform("paint", { moves: [{ to: a, units: [unit] }] }), refusal("STATE"));
});

test("new grids take reserved ids and codes above those in use, never a retired one", () => {
  const one = model();
  const made = Array.from({ length: 95 }, () => {
    const grid = one.newGrid({ region: 0 });
    one.perform("new", { grids: [grid] });
    return grid;
  });
  assert.equal(new Set(made.map(({ id }) => id)).size, 95);
  const codes = made.map(({ after }) => after.code);
  assert.equal(new Set(codes).size, 95);
  assert.ok(!codes.includes(one.code.retired[0]));
  for (let more = 0; more < 105; more++) one.newGrid({ region: 0 });
  assert.throws(() => one.newGrid({ region: 0 }), refusal("NO_ID"));
});

test("workers are affected where a grid of the base plan lost or gained ground", () => {
  const one = model();
  const op = one.perform("paint", { moves: [{ to: idOf(0), units: one.unitsOf(idOf(1)).slice(0, 1) }] });
  assert.equal(one.totals().workersAffected, 2);
  assert.equal(one.totals().gridsAffected, 2);
  assert.ok(one.movedUnit(op.moves[0].units[0]));
  one.apply(inverse(op));
  assert.equal(one.totals().workersAffected, 0);
  close(one.totals().compactness, model().totals().compactness, "mean compactness");
});

test("a grid of micro-grids holds what they hold, and counts by that", () => {
  const one = model();
  const [whole, ...others] = [...one.grids.values()].filter((grid) => one.stats(grid.id).units > 1 && grid.kind === "basic");
  const parts = others.filter((grid) => grid.region === whole.region).slice(0, 2);
  assert.equal(parts.length, 2);
  for (const part of parts) Object.assign(part, { kind: "micro", parent_id: whole.id });
  one._put(whole.id, {}, new Set());
  const told = one.stats(whole.id);
  const each = [whole, ...parts].map((grid) => one.tally.stats(one.slotOf(grid.id)));
  for (const name of ["units", "households", "population", "areaM2"]) close(told[name], each.reduce((sum, s) => sum + s[name], 0));
  assert.equal(told.status, told.households > told.high ? "over" : told.households < told.low ? "under" : "within");
  const now = one.totals();
  assert.equal(now.within + now.under + now.over + now.empty + now.unchecked, one.grids.size);
  assert.equal(now.over, [...one.grids.keys()].filter((id) => one.stats(id).status === "over").length);
});
