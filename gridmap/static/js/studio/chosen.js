/** The bar of the selection: what is selected, and what can be done with it by mouse, touch and keyboard alike. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { short } from "./model.js";

export class ChosenBar {
  /** `element`: where the bar stands on the map; `desk`: what the page offers. */
  constructor(element, model, desk) {
    Object.assign(this, { element, model, desk });
    for (const name of ["selection", "active", "tool", "change", "grids"]) model.addEventListener(name, () => this.later());
  }

  /** Drawn once a frame: a lasso over many units selects many times. */
  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  draw() {
    const { model, element } = this;
    const units = [...model.selection];
    element.hidden = !units.length || !model.mayEdit;
    if (element.hidden) return void element.replaceChildren();
    const households = units.reduce((sum, u) => sum + model.ground.households[u], 0);
    const active = model.active === null ? null : model.grids.get(model.active);
    const button = (label, onclick, kind = "") => h("button", { type: "button", class: `button small ${kind}`, onclick }, label);
    element.replaceChildren(
      h("p", {}, t("已选 {units} 个单元 · {households} 户", { units: number(units.length), households: number(households) })),
      ...[
        active && units.some((u) => model.gridOf(u) !== active.id) ? button(t("划入 {code}", { code: short(active) }), () => this.give(active.id), "primary") : null,
        button(t("新建网格"), () => this.desk.newGrid()),
        units.some((u) => model.gridOf(u) !== null) ? button(t("改为未分配"), () => this.give(null)) : null,
        button(t("取消选择"), () => this._leave()),
      ].filter(Boolean),
    );
  }

  /** All of the selection into a grid (or, with null, into none). */
  give(to) {
    const { model } = this;
    const units = [...model.selection].filter((u) => model.gridOf(u) !== to);
    const tool = to === null ? "erase" : model.tool === "lasso" ? "lasso" : "rectangle";
    if (this.desk.do(tool, { moves: [{ to, units }] })) this._leave();
  }

  _leave() {
    this.model.select([]);
    this.desk.map.getContainer().focus({ preventScroll: true });
  }
}
