/** Split a grid by a line, cut a unit by a line: draw across it. */

import { t } from "../../i18n.js";
import { Refused } from "../model.js";
import { side } from "../pick.js";

function liner(name, { show, done }) {
  let points = null;
  let target = null;
  return {
    name,
    start(stage, point) {
      points = [[point.x, point.y]];
      target = null;
    },
    move(stage, point) {
      if (!points) return;
      const [x, y] = points.at(-1);
      if (Math.hypot(point.x - x, point.y - y) > point.radius(3)) points.push([point.x, point.y]);
      stage.overlay.set({ shape: { kind: "line", points: [...points, [point.x, point.y]] }, hover: -1 });
      target = show(stage, straightened([...points, [point.x, point.y]], point.radius(6)), point);
    },
    end(stage, point) {
      const line = points && straightened([...points, [point.x, point.y]], point.radius(6));
      const on = target;
      points = target = null;
      if (line?.length > 1 && Math.hypot(line.at(-1)[0] - line[0][0], line.at(-1)[1] - line[0][1]) > point.radius(8)) done(stage, line, on);
    },
    cancel() {
      points = target = null;
    },
    /** By keyboard: Enter at one end, Enter at the other. */
    perform(stage, cursor) {
      const { x, y } = stage.model.ground;
      if (!this.first) {
        this.first = [x[cursor], y[cursor]];
        stage.card.speak(t("起点已定，移到终点再按回车"));
        stage.overlay.set({ marks: [cursor] });
        return;
      }
      const line = [this.first, [x[cursor], y[cursor]]];
      this.first = null;
      stage.overlay.set({ marks: [] });
      done(stage, line, show(stage, line, stage.at(stage.pixelOf(cursor))));
      stage.overlay.set({ preview: null });
    },
    leave() {
      this.first = null;
    },
  };
}

/** A drawn line without what is within `tolerance` of a straight piece (Douglas and Peucker 1973). */
function straightened(points, tolerance) {
  if (points.length < 3) return points;
  const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)];
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  let [worst, at] = [0, 0];
  points.forEach(([x, y], k) => {
    const d = Math.abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length;
    if (d > worst) [worst, at] = [d, k];
  });
  if (worst <= tolerance) return [points[0], points.at(-1)];
  return [...straightened(points.slice(0, at + 1), tolerance).slice(0, -1), ...straightened(points.slice(at), tolerance)];
}

/** The grid that a line runs through: that of the unit under its middle, else the active one. */
function gridUnder(stage, line) {
  const [[x0, y0], [x1, y1]] = line.length === 2 ? line : [line[Math.floor((line.length - 1) / 2)], line[Math.ceil((line.length - 1) / 2)]];
  const unit = stage.picker.unitAt((x0 + x1) / 2, (y0 + y1) / 2);
  const id = unit < 0 ? null : stage.model.gridOf(unit);
  return id ?? stage.model.active;
}

/** The part of a grid on the side of a line where fewer households live. */
function smaller(model, id, line) {
  const parts = [[], []];
  for (const u of model.unitsOf(id)) parts[side(line, model.ground.x[u], model.ground.y[u]) > 0 ? 0 : 1].push(u);
  const weight = (units) => units.reduce((sum, u) => sum + model.ground.households[u], 0) + units.length / 1e6;
  return weight(parts[0]) <= weight(parts[1]) ? parts : [parts[1], parts[0]];
}

export const split = liner("split", {
  show(stage, line, point) {
    const { model } = stage;
    const id = gridUnder(stage, line);
    if (id === null) return null;
    const [part, rest] = smaller(model, id, line);
    if (!part.length || !rest.length) {
      stage.overlay.set({ preview: null });
      return null;
    }
    const preview = model.previewNew(part, model.grids.get(id).region);
    stage.overlay.set({ preview });
    stage.card.preview(preview, point.px);
    model.dispatchEvent(new CustomEvent("hover", { detail: { unit: -1, preview, point: point.px } }));
    return id;
  },
  done(stage, line, id) {
    const { model } = stage;
    if (id === null || id === undefined) throw new Refused("SPLIT_MISSES", t("请画一条穿过网格的线，把它的单元分到两边。"));
    const [part] = smaller(model, id, line);
    const grid = model.grids.get(id);
    const made = model.newGrid({ region: model.ground.region[part[0]], kind: grid.kind, parent_id: grid.parent_id ?? null, workers: grid.workers });
    model.perform("split", { grids: [made], moves: [{ to: made.id, units: part }] });
    model.setActive(made.id);
  },
});

export const cut = liner("cut", {
  show(stage, line) {
    const { model, picker } = stage;
    const [[x0, y0], [x1, y1]] = [line[0], line.at(-1)];
    const unit = picker.unitAt((x0 + x1) / 2, (y0 + y1) / 2);
    stage.overlay.set({ marks: unit < 0 ? [] : [unit] });
    return unit < 0 || !model.free(unit) ? null : unit;
  },
  done(stage, line, unit) {
    stage.overlay.set({ marks: [] });
    if (unit === null || unit === undefined) throw new Refused("CUT_MISSES", t("请画一条穿过单个单元的线。"));
    if (!stage.model.mayEdit) throw new Refused("STATE", t("此方案只能查看，不能修改。"));
    const whole = prolonged(stage.model.ground, unit, line);
    stage.model.dispatchEvent(new CustomEvent("cut", { detail: { unit, line: whole.map(([x, y]) => stage.model.ground.lonLat(x, y)) } }));
  },
});

/** A line whose ends lie in the unit goes on straight until they lie outside. */
function prolonged(ground, unit, line) {
  const size = Math.hypot(ground.box[4 * unit + 2] - ground.box[4 * unit], ground.box[4 * unit + 3] - ground.box[4 * unit + 1]);
  const out = ([x0, y0], [x1, y1]) => {
    const length = Math.hypot(x1 - x0, y1 - y0) || 1;
    return ground.inside(unit, x1, y1) ? [x1 + ((x1 - x0) / length) * size, y1 + ((y1 - y0) / length) * size] : [x1, y1];
  };
  return [out(line[1], line[0]), ...line.slice(1, -1), out(line.at(-2), line.at(-1))];
}
