/** What the engine offers, asked for and made into operations. */

import { getJson, postJson } from "../api.js";
import { t } from "../i18n.js";
import { Refused } from "./model.js";

export class Assist {
  constructor(model, session) {
    Object.assign(this, { model, session });
    this.api = `/api/v1/plans/${model.plan.id}`;
  }

  /** Ask about the plan as it stands: everything must be saved first. */
  async ask(path, body = {}) {
    for (let waited = 0; this.session.pending.length && waited < 40; waited++) {
      await this.session.flush();
      if (this.session.pending.length) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (this.session.pending.length) throw new Refused("UNSAVED", t("有改动还没有保存，连上服务器后再试。"));
    return postJson(`${this.api}/${path}`, { version: this.model.version, ...body });
  }

  follow(job) {
    return getJson(`/api/v1/previews/${job}`);
  }

  stop(job, how) {
    return postJson(`/api/v1/previews/${job}/stop`, { how });
  }

  /** Moves of the server [{to, units (ids)}] with unit indices. */
  here(moves) {
    return moves.map(({ to, units }) => ({ to, units: units.map((id) => this.model.ground.indexOf(id)).filter((u) => u !== undefined) }));
  }

  /** Make moves (of `here`) an operation: "new:0" becomes a real grid, grids that are left empty go. */
  adopt(tool, moves, why = null) {
    const { model } = this;
    const made = new Map();
    const grids = [];
    const goals = moves.map(({ to, units }) => {
      if (typeof to === "number" || to === null) return { to, units };
      if (!made.has(to)) {
        const from = model.gridOf(units[0]);
        const grid = model.newGrid({ region: model.ground.region[units[0]], workers: from === null ? 1 : model.grids.get(from).workers ?? 1, taken: grids.map((one) => one.after.code) });
        made.set(to, grid.id);
        grids.push(grid);
      }
      return { to: made.get(to), units };
    });
    const leaving = new Map();
    for (const { units } of goals) for (const u of units) leaving.set(model.gridOf(u), (leaving.get(model.gridOf(u)) ?? 0) + 1);
    const joined = new Set(goals.map(({ to }) => to));
    for (const [id, count] of leaving) {
      if (id !== null && !joined.has(id) && model.stats(id).units === count && model.grids.get(id).kind === "basic") grids.push({ id, after: null });
    }
    if (tool === "redraw") grids.push(...this._idle(moves, grids));
    return model.perform(tool, { moves: goals, grids, why });
  }

  /** Grids without any unit in the communities that were redrawn: nothing is left for them to be. */
  _idle(moves, known) {
    const { model } = this;
    const regions = new Set(moves.flatMap(({ units }) => units.map((u) => model.ground.region[u])));
    const parents = new Set([...model.grids.values()].map((grid) => grid.parent_id));
    return [...model.grids.values()]
      .filter((grid) => regions.has(grid.region) && grid.kind === "basic" && !grid.locked && !parents.has(grid.id) && model.stats(grid.id).units === 0 && !known.some((one) => one.id === grid.id) && !moves.some(({ to }) => to === grid.id))
      .map((grid) => ({ id: grid.id, after: null }));
  }
}
