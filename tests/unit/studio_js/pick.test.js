import { close, ground, shapes } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { Picker, distance, side, within } from "../../../gridmap/static/js/studio/pick.js";

const picker = new Picker(ground);
const sorted = (units) => [...units].sort((a, b) => a - b);

test("the unit at a point is the one that Python finds", () => {
  shapes.places.forEach(([x, y], k) => assert.equal(picker.unitAt(x, y), shapes.unit_at[k], `at ${x}, ${y}`));
  assert.ok(shapes.unit_at.includes(-1));
  for (let u = 0; u < ground.n; u++) assert.equal(picker.unitAt(ground.x[u], ground.y[u]), u);
});

test("a box, a lasso and a circle take the units with their inner point inside", () => {
  for (const { box, units } of shapes.boxes) assert.deepEqual(sorted(picker.inBox(...box)), units);
  for (const { points, units } of shapes.lassos) assert.deepEqual(sorted(picker.inPolygon(points)), units);
  for (const { x, y, radius, units } of shapes.circles) {
    const under = picker.unitAt(x, y);
    assert.deepEqual(sorted(picker.inCircle(x, y, radius)), sorted(new Set(under < 0 ? units : [...units, under])));
  }
});

test("a stroke takes what lies along it, however long the step", () => {
  for (const { from, to, radius, units } of shapes.strokes) {
    const under = picker.unitAt(...to);
    assert.deepEqual(sorted(picker.alongStroke(...from, ...to, radius)), sorted(new Set(under < 0 ? units : [...units, under])));
  }
});

test("the nearest arc is as near as Python's", () => {
  shapes.places.forEach(([x, y], k) => {
    const arc = picker.arcNear(x, y, shapes.reach, () => true);
    if (shapes.arc_distance[k] > shapes.reach) return assert.equal(arc, -1);
    let least = Infinity;
    for (let p = ground.arcStart[arc]; p < ground.arcStart[arc + 1] - 1; p++) least = Math.min(least, distance(x, y, ground.arcX[p], ground.arcY[p], ground.arcX[p + 1], ground.arcY[p + 1]));
    close(least, shapes.arc_distance[k], "distance");
  });
  const [x, y] = shapes.places[0];
  assert.equal(picker.arcNear(x, y, 1e12, () => false), -1);
});

test("with the arrow keys every unit can be reached from every other", () => {
  const directions = [[1, 0], [-1, 0], [0, 1], [0, -1]];
  const reached = (ways) => {
    const found = new Set([0]);
    for (const unit of found) for (const next of ways[unit]) found.add(next);
    return found.size;
  };
  const there = Array.from({ length: ground.n }, () => []);
  const back = Array.from({ length: ground.n }, () => []);
  for (let u = 0; u < ground.n; u++) {
    for (const [dx, dy] of directions) {
      const next = picker.towards(u, dx, dy);
      if (next < 0) continue;
      assert.ok((ground.x[next] - ground.x[u]) * dx + (ground.y[next] - ground.y[u]) * dy > 0, "it lies in that direction");
      there[u].push(next);
      back[next].push(u);
    }
  }
  assert.equal(reached(there), ground.n);
  assert.equal(reached(back), ground.n);
  assert.equal(picker.towards(0, 1, 0, () => false), -1);
});

test("a line has two sides, also beyond its ends", () => {
  const line = [[0, 0], [10, 0], [10, 10]];
  assert.equal(side(line, 5, 1), 1);
  assert.equal(side(line, 5, -1), -1);
  assert.equal(side(line, -50, 1), 1);
  assert.equal(side(line, 9, 40), 1);
  assert.equal(side(line, 11, 40), -1);
  assert.ok(within([[0, 0], [4, 0], [4, 4], [0, 4]], 1, 1));
  assert.ok(!within([[0, 0], [4, 0], [4, 4], [0, 4]], 5, 1));
});
