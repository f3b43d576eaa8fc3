/** Rectangle and lasso: draw to select units, then give them to a grid by Enter or by a click on it. */

import { t } from "../../i18n.js";
import { Refused } from "../model.js";

function selector(name, shapeOf, unitsIn) {
  let points = null;

  function give(stage, to) {
    const { model } = stage;
    const units = [...model.selection];
    model.perform(name, { moves: [{ to, units: units.filter((u) => model.gridOf(u) !== to) }] });
    model.select([]);
  }

  return {
    name,
    start(stage, point) {
      points = [[point.x, point.y]];
      this.press = point;
    },
    move(stage, point) {
      if (!points) return;
      points = name === "rectangle" ? [points[0], [point.x, point.y]] : [...points, [point.x, point.y]];
      const units = unitsIn(stage.picker, points).filter((u) => stage.model.free(u));
      stage.overlay.set({ shape: shapeOf(points), preview: null, hover: -1 });
      stage.card.message(t("{units} 个单元 · {households} 户", { units: units.length, households: units.reduce((sum, u) => sum + stage.model.ground.households[u], 0) }), point.px);
      this.found = units;
    },
    end(stage, point) {
      const drawn = points && Math.hypot(point.px[0] - this.press.px[0], point.px[1] - this.press.px[1]) > 4;
      points = null;
      const { model } = stage;
      if (drawn) model.select(this.found ?? [], point.shift ? "add" : point.alt ? "delete" : "set");
      else if (point.unit >= 0 && point.shift) model.select([point.unit], model.selection.has(point.unit) ? "delete" : "add");
      else if (point.unit >= 0 && model.selection.size && !model.selection.has(point.unit)) give(stage, model.gridOf(point.unit));
      else if (point.unit >= 0) model.select([point.unit]);
    },
    cancel() {
      points = null;
    },
    /** With a selection: what giving it to the grid under the pointer would do. */
    hover(stage, point) {
      const { model } = stage;
      if (!model.selection.size || point.unit < 0 || model.selection.has(point.unit)) return false;
      const preview = model.preview([...model.selection], model.gridOf(point.unit));
      stage.card.preview(preview, point.px);
      model.dispatchEvent(new CustomEvent("hover", { detail: { unit: point.unit, preview, point: point.px } }));
      return true;
    },
    perform(stage, cursor) {
      const { model } = stage;
      if (!model.selection.size) return model.select([cursor], "add");
      if (model.active === null) throw new Refused("NO_ACTIVE", t("请先选择一个网格（在列表中选，或在地图上点它）。"));
      give(stage, model.active);
    },
  };
}

export const rectangle = selector(
  "rectangle",
  (points) => ({ kind: "box", points }),
  (picker, points) => (points.length < 2 ? [] : picker.inBox(Math.min(points[0][0], points[1][0]), Math.min(points[0][1], points[1][1]), Math.max(points[0][0], points[1][0]), Math.max(points[0][1], points[1][1]))),
);
export const lasso = selector("lasso", (points) => ({ kind: "lasso", points }), (picker, points) => (points.length < 3 ? [] : picker.inPolygon(points)));
