/**
 * Drag a border: take hold of the line between two grids and pull it into one of them.
 *
 * The units of the grid pulled into that lie within reach of the pull, and hang together with the other grid through
 * each other, change hands. The reach grows with the pull. By keyboard: `+` and `-` at the cursor, Enter accepts.
 */

import { t } from "../../i18n.js";
import { distance } from "../pick.js";

const SNAP_PX = 10;
const REACH_PX = 22;

/** Arcs between two slots. */
function between(stage, a, b) {
  const { ground, tally } = stage.model;
  const found = [];
  for (const unit of tally.members(tally.units[a] < tally.units[b] ? a : b)) {
    ground.eachArc(unit, (arc) => {
      const k = arc < 0 ? ~arc : arc;
      const [left, right] = [ground.arcLeft[k], ground.arcRight[k]];
      if (left < 0 || right < 0) return;
      const [l, r] = [tally.slot[left], tally.slot[right]];
      if ((l === a && r === b) || (l === b && r === a)) found.push(k);
    });
  }
  return found;
}

/** Of `units` (in one grid), those that reach the slot `taker` through each other. */
function joined(model, units, taker) {
  const { first, other } = model.ground;
  const left = new Set(units);
  const queue = units.filter((u) => {
    for (let k = first[u]; k < first[u + 1]; k++) if (model.tally.slot[other[k]] === taker) return true;
    return false;
  });
  const found = new Set(queue);
  while (queue.length) {
    const u = queue.pop();
    for (let k = first[u]; k < first[u + 1]; k++) {
      const v = other[k];
      if (left.has(v) && !found.has(v)) {
        found.add(v);
        queue.push(v);
      }
    }
  }
  return [...found];
}

let held = null; // {a, b, x, y, taker, preview}
let pulled = null; // by keyboard: {taker, giver, units}

function nearest(stage, point) {
  const { ground, tally, limit } = stage.model;
  const arc = stage.picker.arcNear(point.x, point.y, point.radius(SNAP_PX), (k) => {
    const [left, right] = [ground.arcLeft[k], ground.arcRight[k]];
    if (left < 0 || right < 0 || ground.region[left] !== ground.region[right]) return false;
    if (limit !== null && ground.region[left] !== limit) return false;
    return tally.slot[left] !== tally.slot[right] && tally.slot[left] >= 0 && tally.slot[right] >= 0;
  });
  return arc < 0 ? null : [tally.slot[ground.arcLeft[arc]], tally.slot[ground.arcRight[arc]]];
}

function show(stage, preview, px) {
  stage.overlay.set({ preview });
  stage.card.preview(preview, px);
  stage.model.dispatchEvent(new CustomEvent("hover", { detail: { unit: -1, preview, point: px } }));
}

export const border = {
  name: "border",
  hover(stage, point) {
    const pair = nearest(stage, point);
    stage.overlay.set({ border: pair && between(stage, ...pair) });
    stage.box.dataset.near = pair ? "yes" : "";
    return false;
  },
  start(stage, point) {
    const pair = nearest(stage, point);
    held = pair && { a: pair[0], b: pair[1], x: point.x, y: point.y };
    if (!held) stage.card.message(t("请在两个网格之间的边界上按住再拖动"), point.px);
    else stage.overlay.set({ border: between(stage, ...pair), hover: -1 });
  },
  move(stage, point) {
    if (!held) return;
    const { model } = stage;
    const { tally, ground } = model;
    const under = point.unit < 0 ? -1 : tally.slot[point.unit];
    if (under === held.a) held.giver = held.a;
    else if (under === held.b) held.giver = held.b;
    if (held.giver === undefined) return;
    const taker = held.giver === held.a ? held.b : held.a;
    const pull = Math.hypot(point.x - held.x, point.y - held.y);
    const reach = Math.max(point.radius(REACH_PX), 0.4 * pull);
    const near = tally.members(held.giver).filter((u) => distance(ground.x[u], ground.y[u], held.x, held.y, point.x, point.y) <= reach || u === point.unit);
    const goal = model.gridAt(taker).id;
    held.preview = model.preview(joined(model, model.allowed(near, goal), taker), goal);
    show(stage, held.preview, point.px);
  },
  end(stage) {
    const done = held?.preview;
    this.cancel(stage);
    if (done?.units.length) stage.model.perform("border", { moves: [{ to: done.to, units: done.units }] });
  },
  cancel(stage) {
    held = pulled = null;
    stage.overlay.set({ border: null, preview: null });
  },
  leave(stage) {
    this.cancel(stage);
    stage.box.dataset.near = "";
  },
  /** `+` lets the cursor's grid take the next unit beyond its border, `-` gives the last one back. */
  key(stage, event) {
    const { cursor } = stage.overlay;
    if (cursor < 0) return false;
    if (event.key === "+" || event.key === "=") return grow(stage, cursor), true;
    if (event.key === "-" && pulled) return pulled.units.pop(), tell(stage), true;
    if (event.key === "Enter" && pulled?.units.length) {
      const { taker, units } = pulled;
      this.cancel(stage);
      stage.attempt(() => stage.model.perform("border", { moves: [{ to: stage.model.gridAt(taker).id, units }] }));
      return true;
    }
    if (event.key === "Escape" && pulled) return this.cancel(stage), stage.card.hide(), true;
    return false;
  },
  perform(stage) {
    stage.card.speak(t("按加号把边界向外推，按减号收回，回车确认"));
  },
};

function grow(stage, cursor) {
  const { model } = stage;
  const { ground, tally } = model;
  const taker = tally.slot[cursor];
  if (taker < 0) return;
  if (pulled?.taker !== taker) pulled = { taker, units: [] };
  const goal = model.gridAt(taker).id;
  const mine = new Set(pulled.units);
  let [best, least] = [-1, Infinity];
  for (const u of [...tally.members(taker), ...pulled.units]) {
    for (let k = ground.first[u]; k < ground.first[u + 1]; k++) {
      const v = ground.other[k];
      if (mine.has(v) || tally.slot[v] === taker || !model.allowed([v], goal).length) continue;
      const d = (ground.x[v] - ground.x[cursor]) ** 2 + (ground.y[v] - ground.y[cursor]) ** 2;
      if (d < least) [best, least] = [v, d];
    }
  }
  if (best >= 0) pulled.units.push(best);
  tell(stage);
}

function tell(stage) {
  const { model } = stage;
  const preview = model.preview(pulled.units, model.gridAt(pulled.taker).id);
  show(stage, preview, stage.pixelOf(stage.overlay.cursor));
  stage.card.speak(preview.touched.map(({ grid, after }) => t("{code}：{n} 户", { code: String(grid.code).slice(-3), n: after.households })).join("；"));
}
