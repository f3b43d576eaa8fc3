/** Find next: out of band, in pieces, unassigned, compounds that are split, misfits of the source, changed ground. */

import { getJson } from "../api.js";

export class Finder {
  constructor(model) {
    this.model = model;
    this.at = new Map(); // kind -> how far it went
    this.misfits = null;
  }

  /** Every place of a kind: `{grid, units, point: [lon, lat]}`, worst first. */
  async places(kind) {
    const { model } = this;
    const { tally, ground } = model;
    const here = (region) => model.limit === null || region === model.limit;
    const grids = [...model.grids.values()].filter((grid) => here(grid.region)).map((grid) => [grid, model.stats(grid.id)]);
    if (kind === "band") {
      return grids.filter(([, s]) => s.status === "under" || s.status === "over").sort((a, b) => Math.abs(b[1].deviation) - Math.abs(a[1].deviation)).map(([grid]) => ({ grid: grid.id, units: model.unitsOf(grid.id) }));
    }
    if (kind === "pieces") {
      return grids.filter(([, s]) => s.pieces > 1).map(([grid]) => ({ grid: grid.id, units: tally.parts(model.slotOf(grid.id)).slice(1).flat() }));
    }
    if (kind === "free") return clumps(model, model.unitsOf(null).filter((u) => here(ground.region[u])));
    if (kind === "compound") {
      const by = new Map();
      for (let u = 0; u < ground.n; u++) {
        const c = ground.compound[u];
        if (c < 0 || !here(ground.region[u]) || tally.slot[u] < 0) continue;
        if (!by.has(c)) by.set(c, []);
        by.get(c).push(u);
      }
      return [...by.values()].filter((units) => new Set(units.map((u) => tally.slot[u])).size > 1).map((units) => ({ grid: model.gridOf(units[0]), units }));
    }
    if (kind === "changed") {
      if (!model.base) return [];
      const moved = [];
      for (let u = 0; u < ground.n; u++) if (here(ground.region[u]) && model.movedUnit(u)) moved.push(u);
      return clumps(model, moved);
    }
    this.misfits ??= (await getJson(`/api/v1/plans/${model.plan.id}/misfits?limit=500`)).items.filter((one) => one.geometry);
    return this.misfits.map((one) => ({ grid: model.grids.has(one.grid_id) ? one.grid_id : null, units: [], geometry: one.geometry }));
  }

  /** The next (or with `step` -1 the one before) place of a kind, with its number and how many there are. */
  async next(kind, step = 1) {
    const found = await this.places(kind);
    if (!found.length) return { place: null, number: 0, total: 0 };
    const before = this.at.get(kind) ?? (step > 0 ? -1 : 0);
    const number = (before + step + found.length) % found.length;
    this.at.set(kind, number);
    return { place: found[number], number: number + 1, total: found.length };
  }
}

/** Units that hang together, largest first by households. */
function clumps(model, units) {
  const { first, other, households } = model.ground;
  const left = new Set(units);
  const found = [];
  for (const root of units) {
    if (!left.delete(root)) continue;
    const clump = [root];
    for (let k = 0; k < clump.length; k++) {
      const u = clump[k];
      for (let e = first[u]; e < first[u + 1]; e++) if (left.delete(other[e])) clump.push(other[e]);
    }
    found.push({ grid: model.gridOf(root), units: clump, weight: clump.reduce((sum, u) => sum + households[u], 0) });
  }
  return found.sort((a, b) => b.weight - a.weight);
}
