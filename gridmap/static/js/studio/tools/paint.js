/** Paint and erase: a click or a stroke of the brush is one operation. */

import { t } from "../../i18n.js";
import { Refused } from "../model.js";
import { BRUSHES } from "../stage.js";

function brush(name, goal) {
  let units = null;
  let last = null;
  const reach = (stage, point) => point.radius(BRUSHES[stage.brush]);

  function show(stage, point) {
    const to = goal(stage);
    const preview = stage.model.preview([...units], to);
    const circle = stage.brush ? { kind: "circle", points: [[point.x, point.y]], radius: reach(stage, point) } : null;
    stage.overlay.set({ preview, shape: circle });
    if (preview.units.length) stage.card.preview(preview, point.px);
    stage.model.dispatchEvent(new CustomEvent("hover", { detail: { unit: point.unit, preview, point: point.px } }));
    return preview;
  }

  /** Units at the brush that may be taken; where none may and one is there, the reason is shown. */
  function take(stage, from, point) {
    const { model, picker } = stage;
    const to = goal(stage);
    const found = stage.brush ? picker.alongStroke(from.x, from.y, point.x, point.y, reach(stage, point)) : point.unit >= 0 ? [point.unit] : [];
    const some = model.allowed(found, to);
    for (const unit of some) units.add(unit);
    if (!units.size && found.length) {
      const { refused } = model.preview(found, to);
      if (refused) stage.card.message(`✕ ${refused.text}`, point.px);
    }
  }

  return {
    name,
    start(stage, point) {
      if (point.alt) return stage._pick(point.unit);
      if (name === "paint" && stage.model.active === null) {
        if (point.unit >= 0 && stage.model.gridOf(point.unit) !== null) {
          stage._pick(point.unit);
          stage.card.message(t("已选中此网格，再点相邻单元即可并入"), point.px);
        } else throw new Refused("NO_ACTIVE", t("请先选择一个网格（在列表中选，或在地图上点它）。"));
        return;
      }
      units = new Set();
      last = point;
      take(stage, point, point);
      show(stage, point);
    },
    move(stage, point) {
      if (!units) return;
      take(stage, last, point);
      last = point;
      show(stage, point);
    },
    end(stage) {
      const some = units && [...units];
      units = null;
      if (some?.length) stage.model.perform(name, { moves: [{ to: goal(stage), units: some }] });
    },
    cancel() {
      units = null;
    },
    /** Before the press: what a click would do. */
    hover(stage, point) {
      if (point.alt || (name === "paint" && stage.model.active === null) || point.unit < 0) return void stage.overlay.set({ preview: null, shape: null });
      const to = goal(stage);
      const found = stage.brush ? stage.picker.inCircle(point.x, point.y, reach(stage, point)) : [point.unit];
      const some = stage.model.allowed(found, to);
      const preview = some.length ? stage.model.preview(some, to) : null;
      const circle = stage.brush ? { kind: "circle", points: [[point.x, point.y]], radius: reach(stage, point) } : null;
      stage.overlay.set({ preview, shape: circle });
      if (!preview) return;
      stage.card.preview(preview, point.px);
      stage.model.dispatchEvent(new CustomEvent("hover", { detail: { unit: point.unit, preview, point: point.px } }));
      return true;
    },
    /** Enter: the selection where there is one, else the unit at the cursor. */
    perform(stage, cursor) {
      const { model } = stage;
      if (name === "paint" && model.active === null) return stage._pick(cursor);
      const chosen = model.selection.size ? [...model.selection] : [cursor];
      model.perform(name, { moves: [{ to: goal(stage), units: chosen }] });
      if (model.selection.size) model.select([]);
    },
  };
}

export const paint = brush("paint", (stage) => stage.model.active);
export const erase = brush("erase", () => null);
