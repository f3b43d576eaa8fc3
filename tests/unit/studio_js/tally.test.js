import { close, ground, idOf, model, numberOf, oracle, standsAs } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { Tally } from "../../../gridmap/static/js/studio/tally.js";

/** The oracle's moves as operations on `one`, each made before the next is asked for. */
function* replay(one) {
  const ids = new Map();
  for (const move of oracle.moves) {
    let id = move.to < 0 ? null : ids.get(move.to) ?? idOf(move.to);
    const grids = [];
    if (id !== null && !one.grids.has(id)) {
      const made = one.newGrid({ region: ground.region[move.units[0]] });
      grids.push({ ...made, before: null });
      ids.set(move.to, made.id);
      id = made.id;
    }
    const moves = move.units.filter((u) => one.gridOf(u) !== id).map((u) => ({ from: one.gridOf(u), to: id, units: [u] }));
    const op = { key: "k", tool: "paint", moves, grids };
    one.apply(op);
    yield { op, move, known: (number) => ids.get(number) ?? idOf(number) };
  }
}

test("an opened plan stands as the engine says", () => {
  const one = model();
  for (const [number, told] of Object.entries(oracle.grids)) standsAs(one, idOf(Number(number)), told);
  const now = one.totals();
  assert.equal(now.unassignedUnits, oracle.totals.unassigned);
  assert.equal(now.movedHouseholds, 0);
  assert.equal(now.grids - now.pieces, oracle.totals.whole);
  assert.equal(now.households, ground.households.reduce((a, b) => a + b, 0));
});

test("after every move the grids it touched stand as the engine says", () => {
  const one = model();
  let turns = 0;
  for (const { move, known } of replay(one)) {
    for (const [number, told] of Object.entries(move.touched)) standsAs(one, known(Number(number)), told);
    const now = one.totals();
    assert.equal(now.unassignedUnits, move.totals.unassigned);
    assert.equal(now.movedHouseholds, move.totals.moved_households);
    assert.equal(one.tally.held, move.totals.grids);
    assert.equal(one.tally.held - now.pieces, move.totals.whole);
    turns++;
  }
  assert.equal(turns, 50);
});

test("after all moves every grid does, and all taken back is exactly where it began", () => {
  const one = model();
  const figures = (some) => [...some.grids.keys()].map((id) => some.stats(id));
  const before = structuredClone({ figures: figures(one), totals: one.totals(), slots: one.tally.slot });
  const done = [];
  let known = idOf;
  for (const step of replay(one)) {
    done.push(step.op);
    known = step.known;
  }
  for (const [number, told] of Object.entries(oracle.after.grids)) standsAs(one, known(Number(number)), told);
  while (done.length) one.revert(done.pop());
  assert.deepEqual({ figures: figures(one), totals: one.totals(), slots: one.tally.slot }, before);
});

test("pieces are told as units, largest first, over crossable borders only", () => {
  const one = model();
  for (const step of replay(one)) void step;
  const broken = [...one.grids.keys()].filter((id) => one.stats(id).pieces > 1);
  assert.ok(broken.length);
  for (const id of broken) {
    const parts = one.tally.parts(one.slotOf(id));
    assert.equal(parts.length, one.stats(id).pieces);
    assert.deepEqual(parts.flat().sort((a, b) => a - b), one.unitsOf(id).sort((a, b) => a - b));
    parts.forEach((part, k) => assert.ok(k === 0 || part.length <= parts[k - 1].length));
    const of = new Map(parts.flatMap((part, k) => part.map((u) => [u, k])));
    for (let p = 0; p < ground.pairI.length; p++) {
      const [a, b] = [of.get(ground.pairI[p]), of.get(ground.pairJ[p])];
      if (ground.pairCrossable[p] && a !== undefined && b !== undefined) assert.equal(a, b);
    }
  }
});

test("grids beside a grid are those of the pairs, and books widen as grids are made", () => {
  const one = model();
  const { slot } = one.tally;
  for (const id of one.grids.keys()) {
    const mine = one.slotOf(id);
    const expected = new Set();
    ground.pairI.forEach((i, p) => {
      const [a, b] = [slot[i], slot[ground.pairJ[p]]];
      if (a === mine && b >= 0 && b !== mine) expected.add(b);
      if (b === mine && a >= 0 && a !== mine) expected.add(a);
    });
    assert.deepEqual([...one.tally.beside(mine)].sort(), [...expected].sort(), `grid ${numberOf(id)}`);
  }
  const small = new Tally(ground, new Int32Array(ground.n).fill(-1), []);
  for (let s = 0; s < 100; s++) {
    small.addSlot({ low: 0, high: 1e6 });
    small.move([s], s);
  }
  for (let s = 0; s < 100; s++) assert.deepEqual(small.members(s), [s]);
  close(small.meanCompactness(), Array.from({ length: 100 }, (_, s) => small.compactness(s)).reduce((a, b) => a + b, 0) / 100, "compactness");
  assert.equal(small.freeUnits, ground.n - 100);
});
