/** Outlines of grids, chained from the arcs that have the grid on one side only: never two lines for one border. */

/** Rings (arrays of signed arcs) around `units`; `mine(unit)` says whether a unit belongs to them. */
export function rings(ground, units, mine) {
  const from = new Map(); // node -> signed arcs that begin there
  for (const unit of units) {
    ground.eachArc(unit, (arc) => {
      const a = arc < 0 ? ~arc : arc;
      const beyond = ground.arcLeft[a] === unit ? ground.arcRight[a] : ground.arcLeft[a];
      if (beyond >= 0 && mine(beyond)) return;
      const node = arc < 0 ? ground.arcTo[a] : ground.arcFrom[a];
      const list = from.get(node);
      if (list) list.push(arc);
      else from.set(node, [arc]);
    });
  }
  const found = [];
  for (const [start, list] of from) {
    while (list.length) {
      const ring = [];
      let node = start;
      do {
        const here = from.get(node);
        if (!here?.length) break; // outlines that were drawn apart do not close: the path closes them
        const arc = here.pop();
        ring.push(arc);
        node = arc < 0 ? ground.arcFrom[~arc] : ground.arcTo[arc];
      } while (node !== start);
      found.push(ring);
    }
  }
  return found;
}

/** The outline of `units` as a Path2D in relative coordinates, with its box, the boxes of its rings and a place for a label
 * (the inner point of a unit near the middle); null where there are none. */
export function outline(ground, units, mine) {
  if (!units.length) return null;
  const path = new Path2D();
  const boxes = [];
  for (const ring of rings(ground, units, mine)) {
    ring.forEach((arc, k) => ground.trace(path, arc, k === 0));
    path.closePath();
    boxes.push(boxOfRing(ground, ring));
  }
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  let [x, y, weight] = [0, 0, 0];
  for (const u of units) {
    const b = 4 * u;
    box[0] = Math.min(box[0], ground.box[b]);
    box[1] = Math.min(box[1], ground.box[b + 1]);
    box[2] = Math.max(box[2], ground.box[b + 2]);
    box[3] = Math.max(box[3], ground.box[b + 3]);
    const area = ground.areaM2[u];
    x += area * ground.x[u];
    y += area * ground.y[u];
    weight += area;
  }
  [x, y] = weight > 0 ? [x / weight, y / weight] : [ground.x[units[0]], ground.y[units[0]]];
  let [best, least] = [units[0], Infinity];
  for (const u of units) {
    const d = (ground.x[u] - x) ** 2 + (ground.y[u] - y) ** 2;
    if (d < least) [best, least] = [u, d];
  }
  return { path, box, boxes, label: [ground.x[best], ground.y[best]] };
}

function boxOfRing(ground, ring) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const arc of ring) {
    const b = 4 * (arc < 0 ? ~arc : arc);
    for (let k = 0; k < 4; k++) box[k] = (k < 2 ? Math.min : Math.max)(box[k], ground.arcBox[b + k]);
  }
  return box;
}

/** Area of a path's rings in square relative units (for tests): signed areas added up. */
export function ringArea(ground, found) {
  let area = 0;
  for (const ring of found) {
    let points = [];
    for (const arc of ring) {
      const a = arc < 0 ? ~arc : arc;
      const own = [];
      for (let p = ground.arcStart[a]; p < ground.arcStart[a + 1]; p++) own.push([ground.arcX[p], ground.arcY[p]]);
      if (arc < 0) own.reverse();
      points = points.concat(own);
    }
    for (let k = 0; k < points.length; k++) {
      const [x0, y0] = points[k];
      const [x1, y1] = points[(k + 1) % points.length];
      area += x0 * y1 - x1 * y0;
    }
  }
  return Math.abs(area) / 2;
}
