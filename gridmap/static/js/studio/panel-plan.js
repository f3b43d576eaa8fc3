/** The panel of the whole plan: live totals, and every community with what is wrong in it. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";

export class PlanPanel {
  constructor(panel, model, desk) {
    Object.assign(this, { panel, model, desk });
    for (const name of ["change", "grids"]) model.addEventListener(name, () => this.later());
    this.draw();
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (!this.panel.hidden) this.draw();
    });
  }

  draw() {
    const { model } = this;
    const now = model.totals();
    const row = (label, value, note = "") => h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, value, note ? h("span", { class: "under" }, note) : null));
    const share = now.households ? ` (${number((100 * (now.movedHouseholds ?? 0)) / now.households, 1)}%)` : "";
    this.panel.replaceChildren(
      h("h2", {}, t("全方案")),
      h(
        "table",
        { class: "totals" },
        h(
          "tbody",
          {},
          row(t("网格数"), number(now.grids)),
          row(`○ ${t("符合标准")}`, number(now.within)),
          row(`▽ ${t("低于标准")}`, number(now.under)),
          row(`▲ ${t("超出标准")}`, number(now.over)),
          row(`✕ ${t("不连片的网格")}`, number(now.pieces)),
          row(t("总户数"), number(now.households)),
          row(t("未分配"), t("{n} 户", { n: number(now.unassignedHouseholds) }), t("{n} 个单元", { n: number(now.unassignedUnits) })),
          row(t("平均紧凑度"), number(now.compactness, 3)),
          model.base ? row(t("换网格的住户"), `${number(now.movedHouseholds)}${share}`, t("与“{name}”相比", { name: model.base.name })) : null,
          model.base ? row(t("涉及网格员"), number(now.workersAffected), t("{n} 个网格的范围有变", { n: number(now.gridsAffected) })) : null,
        ),
      ),
      h("h2", {}, t("各社区")),
      this._communities(),
    );
  }

  _communities() {
    const { model } = this;
    const rows = model.regions.map((region, k) => ({ region, k, grids: 0, within: 0, off: 0, wrong: 0, households: 0 }));
    for (const grid of model.grids.values()) {
      const row = rows[grid.region];
      if (!row) continue;
      const s = model.stats(grid.id);
      row.grids++;
      row.households += s.households;
      row.within += s.status === "within";
      row.wrong += s.status === "under" || s.status === "over" || s.pieces > 1;
      row.off += Math.abs(s.deviation);
    }
    const shown = rows.filter((row) => row.grids).sort((a, b) => b.wrong - a.wrong || b.off - a.off);
    return h(
      "table",
      { class: "totals" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("社区（村）")), h("th", { scope: "col", class: "number" }, t("网格数")), h("th", { scope: "col", class: "number" }, t("不达标")), h("th", { scope: "col", class: "number" }, t("偏差户数")))),
      h("tbody", {}, ...shown.map((row) => h("tr", {}, h("th", { scope: "row" }, h("button", { type: "button", class: "row-button", onclick: () => this.desk.limitTo(row.k) }, row.region.name)), h("td", {}, number(row.grids)), h("td", { class: row.wrong ? "bad-text" : "" }, number(row.wrong)), h("td", {}, number(row.off))))),
    );
  }
}
