import { close, ground } from "./town.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { Backdrop } from "../../../gridmap/static/js/studio/backdrop.js";

/** A layer of tiles of which some have come. */
function layer(tiles) {
  const container = { style: {} };
  return { _tiles: tiles, getContainer: () => container, on: (name, handler) => (container[name] = handler) };
}

/** The tile of a zoom in which the middle of the ground lies. */
function middle(z) {
  const [lon, lat] = ground.lonLat((ground.extent[0] + ground.extent[2]) / 2, (ground.extent[1] + ground.extent[3]) / 2);
  const sine = Math.sin((lat * Math.PI) / 180);
  return { z, x: Math.floor(((lon + 180) / 360) * 2 ** z), y: Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 2 ** z) };
}

test("tiles that come together are painted together, where they lie", async () => {
  const tiles = layer({});
  const told = [];
  const backdrop = new Backdrop(tiles, ground, (box) => told.push(box));
  assert.equal(tiles.getContainer().style.visibility, "hidden");
  const coords = middle(14);
  const { x, y, z } = coords;
  tiles.getContainer().tileload({ coords });
  tiles.getContainer().tileload({ coords: { x: x + 1, y, z } });
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(told.length, 1);
  const [west, north] = ground.relative((x / 2 ** z) * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** z))) * 180) / Math.PI);
  close(told[0][0], west, "west", 1e-6);
  close(told[0][1], north, "north", 1e-6);
  close(told[0][2] - told[0][0], 2 * (told[0][3] - told[0][1]), "two tiles wide, one high", 1e-9);
  assert.deepEqual(backdrop.box(coords), [told[0][0], told[0][1], backdrop.box({ x: x + 1, y, z })[0], told[0][3]]);
});

test("only tiles that are there and meet the box are painted, coarse ones first", () => {
  const el = (name) => ({ name, width: 256 });
  const [near, far] = [middle(14), { ...middle(14), x: middle(14).x + 9 }];
  const tiles = { a: { coords: near, el: el("fine"), loaded: 1 }, b: { coords: middle(12), el: el("coarse"), loaded: 1 }, c: { coords: near, el: el("coming") }, d: { coords: near, el: { width: 0 }, loaded: 1 }, e: { coords: far, el: el("far"), loaded: 1 } };
  const painted = [];
  const on = { ctx: { drawImage: (image, ...where) => painted.push([image.name, where]) }, inPixels() {}, inGround() {}, pixel: (x, y) => [x * 1e-4, y * 1e-4] };
  const backdrop = new Backdrop(layer(tiles), ground, () => {});
  const [west, north, east, south] = backdrop.box(near);
  backdrop.draw(on, [west + 1, north + 1, east - 1, south - 1]);
  assert.deepEqual(painted.map(([name]) => name), ["coarse", "fine"]);
  for (const [, where] of painted) assert.ok(where.every(Number.isInteger), "on whole pixels: no seams between tiles");
});
