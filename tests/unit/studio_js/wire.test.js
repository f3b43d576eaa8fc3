import { ground, idOf, model } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../../gridmap/static/js/studio/history.js";
import { inverse } from "../../../gridmap/static/js/studio/model.js";
import { kept, newKey, received, sent } from "../../../gridmap/static/js/studio/wire.js";

/** What a stranger's tab knows after the wire: the same slots by grid id, the same grids. */
const told = (one) => ({ plan: Array.from({ length: ground.n }, (_, u) => one.gridOf(u)), grids: [...one.grids.values()].map((grid) => ({ ...grid })).sort((a, b) => a.id - b.id) });

function eachTool(one) {
  const [a, b] = [idOf(0), idOf(1)];
  const region = one.grids.get(a).region;
  const made = one.newGrid({ region });
  return [
    ["paint", { moves: [{ to: a, units: one.unitsOf(b).slice(0, 2) }] }],
    ["erase", { moves: [{ to: null, units: one.unitsOf(a).slice(0, 1) }] }],
    ["new", { grids: [made], moves: [{ to: made.id, units: one.unitsOf(a).slice(3, 5) }] }],
    ["rename", { grids: [{ id: b, after: { name: "东区" } }] }],
    ["lock", { grids: [{ id: b, after: { locked: true } }] }],
    ["delete", { moves: [{ to: null, units: one.unitsOf(made.id) }], grids: [{ id: made.id, after: null }] }],
  ];
}

test("keys are UUIDs of version 4 and differ", () => {
  const keys = Array.from({ length: 200 }, newKey);
  for (const key of keys) assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(keys).size, keys.length);
});

test("operations kept over a reload do the same again", () => {
  const [mine, later] = [model(), model()];
  for (const [tool, what] of eachTool(mine)) {
    const wire = JSON.parse(JSON.stringify(sent(mine, mine.perform(tool, what))));
    assert.ok(wire.moves.every(({ units }) => units.every((id) => ground.indexOf(id) !== undefined)));
    later.apply(kept(later, wire));
    assert.deepEqual(told(later), told(mine), tool);
  }
});

test("an operation of the server is made and taken back", () => {
  const [mine, theirs] = [model(), model()];
  const before = told(theirs);
  const seen = [];
  for (const [tool, what] of eachTool(mine)) {
    const op = mine.perform(tool, what);
    const row = (one) => one && { ...one, region_id: mine.regions[one.region]?.id ?? null, region: undefined };
    const wire = JSON.parse(JSON.stringify({ ...op, version: 2, moves: op.moves.map((move) => ({ ...move, units: move.units.map((u) => ground.id[u]) })), grids: op.grids.map(({ id, before: was, after }) => ({ id, before: row(was), after: row(after) })) }));
    seen.push(received(theirs, wire));
    theirs.apply(seen.at(-1), { remote: true });
    assert.deepEqual(told(theirs), told(mine), tool);
  }
  while (seen.length) theirs.revert(seen.pop(), { remote: true });
  assert.deepEqual(told(theirs), before);
});

test("units that this ground does not have are left out", () => {
  const one = model();
  const op = received(one, { key: "k", moves: [{ from: null, to: idOf(0), units: [ground.id[3], 1] }], grids: [] });
  assert.deepEqual(op.moves[0].units, [3]);
  assert.deepEqual(kept(one, { key: "k", tool: "paint", moves: [{ to: idOf(0), units: [1] }] }).moves, []);
});

test("an undo goes as the key of what it takes back", () => {
  const one = model();
  const op = one.perform("paint", { moves: [{ to: idOf(0), units: one.unitsOf(idOf(1)).slice(0, 1) }] });
  const back = { ...inverse(op), key: "b", tool: "undo", undoes_key: op.key };
  assert.deepEqual(sent(one, back), { key: "b", tool: "undo", undoes_key: op.key });
});

test("undo and redo are stacks, folded from a log as by hand", () => {
  const history = new History();
  const edit = (key) => ({ key, tool: "paint" });
  const log = [edit("a"), edit("b"), { key: "c", tool: "undo", undoes_key: "b" }, { key: "d", tool: "undo", undoes_key: "a" }, { key: "e", tool: "redo", undoes_key: "d" }];
  history.fold(log);
  assert.deepEqual([history.undos.map((op) => op.key), history.redos.map((op) => op.key)], [["e"], ["c"]]);
  history.note(edit("f"));
  assert.deepEqual([history.undos.map((op) => op.key), history.redos.map((op) => op.key)], [["e", "f"], []]);
  history.note({ key: "g", tool: "undo", undoes_key: "e" }); // out of order: an edit of its own
  assert.deepEqual(history.undos.map((op) => op.key), ["e", "f", "g"]);
  history.forget("f");
  assert.deepEqual(history.undos.map((op) => op.key), ["e", "g"]);
});
