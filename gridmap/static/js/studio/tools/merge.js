/** Merge: the grid under the pointer goes into the active one; and the hand, which only moves the map. */

import { t } from "../../i18n.js";
import { Refused } from "../model.js";

/** Give all units of the grid `id` to the active grid; it is no more afterwards. */
export function mergeInto(model, id, into) {
  if (into === null) throw new Refused("NO_ACTIVE", t("请先选择要并入的网格。"));
  if (id === null || id === into) throw new Refused("MERGE_SAME", t("请点要并进来的相邻网格。"));
  if (!model.tally.beside(model.slotOf(into)).has(model.slotOf(id))) throw new Refused("MERGE_APART", t("两个网格不相邻，不能合并。"));
  model.perform("merge", { moves: [{ to: into, units: model.unitsOf(id) }], grids: [{ id, after: null }] });
}

export const merge = {
  name: "merge",
  start() {},
  end(stage, point) {
    const { model } = stage;
    const id = point.unit < 0 ? null : model.gridOf(point.unit);
    if (model.active === null) return model.setActive(id);
    mergeInto(model, id, model.active);
  },
  hover(stage, point) {
    const { model } = stage;
    const id = point.unit < 0 ? null : model.gridOf(point.unit);
    if (model.active === null || id === null || id === model.active) return void stage.overlay.set({ preview: null });
    if (!model.tally.beside(model.slotOf(model.active)).has(model.slotOf(id))) return void stage.overlay.set({ preview: null });
    const preview = model.preview(model.unitsOf(id), model.active);
    stage.overlay.set({ preview });
    stage.card.preview(preview, point.px);
    model.dispatchEvent(new CustomEvent("hover", { detail: { unit: point.unit, preview, point: point.px } }));
    return true;
  },
  perform(stage, cursor) {
    const id = stage.model.gridOf(cursor);
    if (stage.model.active === null) return stage.model.setActive(id);
    mergeInto(stage.model, id, stage.model.active);
  },
};

export const pan = {
  name: "pan",
  click(stage, point) {
    stage.model.setActive(point.unit < 0 ? null : stage.model.gridOf(point.unit));
  },
};
