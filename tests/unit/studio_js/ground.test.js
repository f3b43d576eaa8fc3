import { close, bytes, ground, shapes } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { unpack } from "../../../gridmap/static/js/studio/packed.js";

test("what is none of ours is refused", () => {
  assert.throws(() => unpack(new ArrayBuffer(64)), TypeError);
  const broken = bytes().slice(0, 4);
  assert.throws(() => unpack(broken), Error);
});

test("each unit's polygon has the area that Python gives it", () => {
  for (let u = 0; u < ground.n; u++) {
    const path = new Path2D();
    ground.traceUnit(path, u);
    let area = 0;
    for (const ring of path.rings) {
      assert.deepEqual(ring[0], ring.at(-1), `unit ${u} is closed`);
      for (let k = 1; k < ring.length; k++) area += ring[k - 1][0] * ring[k][1] - ring[k][0] * ring[k - 1][1];
    }
    close(Math.abs(area) / 2, shapes.unit_area[u], `area of unit ${u}`);
  }
});

test("neighbours are those of the pairs, both ways", () => {
  const found = new Set();
  for (let u = 0; u < ground.n; u++) for (let k = ground.first[u]; k < ground.first[u + 1]; k++) found.add(`${u}-${ground.other[k]}-${ground.pair[k]}`);
  assert.equal(found.size, 2 * ground.pairI.length);
  ground.pairI.forEach((i, p) => assert.ok(found.has(`${i}-${ground.pairJ[p]}-${p}`) && found.has(`${ground.pairJ[p]}-${i}-${p}`)));
});

test("nodes of arcs are equal where their points are", () => {
  const at = new Map();
  for (let a = 0; a < ground.arcs; a++) {
    for (const [node, p] of [[ground.arcFrom[a], ground.arcStart[a]], [ground.arcTo[a], ground.arcStart[a + 1] - 1]]) {
      const place = `${ground.arcX[p]},${ground.arcY[p]}`;
      assert.equal(at.get(place) ?? node, node);
      at.set(place, node);
    }
  }
  assert.equal(new Set(at.values()).size, at.size);
});

test("degrees and relative coordinates are each other's inverse", () => {
  shapes.places.forEach(([x, y], k) => {
    const [lon, lat] = ground.lonLat(x, y);
    close(lon, shapes.degrees[k][0], "longitude", 1e-12);
    close(lat, shapes.degrees[k][1], "latitude", 1e-12);
    const [back, down] = ground.relative(lon, lat);
    assert.ok(Math.hypot(back - x, down - y) < 0.01);
  });
});

test("a unit is found by its id and called by its compound or number", () => {
  for (let u = 0; u < ground.n; u++) assert.equal(ground.indexOf(ground.id[u]), u);
  assert.equal(ground.indexOf(1), undefined);
  const housed = ground.compound.findIndex((c) => c >= 0);
  assert.match(ground.label(housed), /^明珠苑\d+$/);
  assert.match(ground.label(ground.compound.findIndex((c) => c < 0)), /^#\d+$/);
});
