/** The town of tests/studio_fixture.py in the browser's own types, and what Python says of it (see test_studio_js.py). */

import "./browser.js";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Ground } from "../../../gridmap/static/js/studio/ground.js";
import { Model } from "../../../gridmap/static/js/studio/model.js";
import { unpack } from "../../../gridmap/static/js/studio/packed.js";

const folder = process.env.STUDIO_FIXTURE;
const read = (name) => readFileSync(join(folder, name));

export const oracle = JSON.parse(read("oracle.json"));
export const shapes = JSON.parse(read("shapes.json"));

export const bytes = () => Uint8Array.from(read("ground.gmp")).buffer;
export const ground = new Ground(unpack(bytes()));

/** Id of the grid that the oracle calls by a number, and the number of an id. */
export const idOf = (number) => (number < 0 ? null : 500 + number);
export const numberOf = (id) => id - 500;

/** The answer of /plans/ID/studio for the town; `more` replaces parts of it. */
export function state(more = {}) {
  const numbers = Object.keys(oracle.grids).map(Number);
  const place = new Map(numbers.map((number, k) => [number, k]));
  const counts = oracle.regions.map(() => 0);
  const grids = numbers.map((number) => {
    const region = ground.region[oracle.assignment.indexOf(number)];
    const code = `${oracle.regions[region].code}${String(++counts[region]).padStart(3, "0")}`;
    const kind = oracle.special.includes(number) ? "special" : "basic";
    return { id: idOf(number), code, name: `第${number}网格`, kind, workers: 1, locked: false, parent_id: null, region };
  });
  const assignment = oracle.assignment.map((number) => place.get(number) ?? -1);
  return {
    plan: { id: 1, name: "草案", state: "draft", version: 1 },
    may_edit: true,
    grids,
    regions: oracle.regions.map((region, k) => ({ id: 70 + k, ...region })),
    assignment,
    base: { plan_id: 9, name: "现行", assignment, grids: grids.map(({ id, code, name }) => ({ id, code, name, workers: 1 })) },
    code: { length: 15, prefix_length: 12, number_min: 1, number_max: 999, retired: [`${oracle.regions[0].code}090`] },
    reserved: Array.from({ length: 200 }, (_, k) => 9000 + k),
    ...more,
  };
}

export const model = (more) => new Model(state(more), ground);

/** A repeatable source of numbers in 0..1 (mulberry32). */
export function random(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function close(actual, expected, what, tolerance = 1e-9) {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${what}: ${actual}, expected ${expected}`);
}

/** A grid of the model stands as the engine says (`told`: FIGURES of the oracle). */
export function standsAs(one, id, told) {
  const s = one.stats(id);
  const what = `grid ${id}`;
  for (const name of ["units", "households", "population", "pieces"]) assert.equal(s[name], told[name], `${what} ${name}`);
  close(s.areaM2, told.area_m2, `${what} area`);
  close(one.tally.perimeterM[one.slotOf(id)], told.perimeter_m, `${what} perimeter`, 1e-7);
  close(s.compactness, told.polsby_popper, `${what} compactness`);
  if (told.on_barriers === null) assert.equal(s.onRoads, null, what);
  else close(s.onRoads, told.on_barriers, `${what} on barriers`);
  const grid = one.grids.get(id);
  const { low, high } = oracle.regions[grid.region];
  const expected = grid.kind === "special" ? "unchecked" : s.households === 0 ? "empty" : s.households < low ? "under" : s.households > high ? "over" : "within";
  assert.equal(s.status, expected, `${what} status`);
}
