import { close, ground, idOf, model, oracle, shapes } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { outline, ringArea, rings } from "../../../gridmap/static/js/studio/outline.js";
import { apart, meet } from "../../../gridmap/static/js/studio/surface.js";

const around = (units) => {
  const mine = new Set(units);
  return rings(ground, units, (u) => mine.has(u));
};

test("a grid's outline is made of the arcs with the grid on one side only", () => {
  const one = model();
  for (const [number, arcs] of Object.entries(oracle.border_arcs)) {
    const found = around(one.unitsOf(idOf(Number(number)))).flat().map((arc) => (arc < 0 ? ~arc : arc));
    assert.deepEqual(found.sort((a, b) => a - b), arcs);
  }
});

test("its area is that of the union of its units", () => {
  for (const { units, area, parts } of shapes.unions) {
    const found = around(units);
    close(ringArea(ground, found), area, `area of ${units.length} units`);
    assert.ok(found.length >= parts, "at least a ring for each part");
    for (const ring of found) {
      ring.forEach((arc, k) => {
        const next = ring[(k + 1) % ring.length];
        const end = arc < 0 ? ground.arcFrom[~arc] : ground.arcTo[arc];
        assert.equal(end, next < 0 ? ground.arcTo[~next] : ground.arcFrom[next], "each arc begins where the one before ends");
      });
    }
  }
});

test("its label stands in one of its units, its box around all of them", () => {
  for (const { units, box } of shapes.unions) {
    const mine = new Set(units);
    const shape = outline(ground, units, (u) => mine.has(u));
    assert.ok(units.some((u) => ground.x[u] === shape.label[0] && ground.y[u] === shape.label[1]));
    assert.deepEqual(shape.box, box);
  }
  assert.equal(outline(ground, [], () => false), null);
});

test("the boxes of its rings lie in its box and hold all of it; boxes that meet are made one", () => {
  for (const { units } of shapes.unions) {
    const mine = new Set(units);
    const { box, boxes } = outline(ground, units, (u) => mine.has(u));
    for (const one of boxes) assert.ok(one[0] >= box[0] && one[1] >= box[1] && one[2] <= box[2] && one[3] <= box[3]);
    for (const u of units) assert.ok(boxes.some((one) => meet(one, ground.box.slice(4 * u, 4 * u + 4))));
    const parts = apart(boxes);
    parts.forEach((one, k) => parts.forEach((other, l) => assert.ok(k === l || !meet(one, other))));
    for (const one of boxes) assert.ok(parts.some((part) => part[0] <= one[0] && part[1] <= one[1] && part[2] >= one[2] && part[3] >= one[3]));
  }
});
