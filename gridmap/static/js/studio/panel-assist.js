/** The panel of the engine's help: repairs of a grid, two that fit, filling, and ground redrawn as a preview. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { ApiError } from "../api.js";
import { Assist } from "./assist.js";
import { Refused, short } from "./model.js";
import { Redraw } from "./redraw.js";

const HUES = ["#6a3d9a", "#1f78b4", "#33a02c", "#e08214", "#b2182b", "#01665e", "#c51b7d", "#4d4d4d"];

export class AssistPanel {
  constructor(panel, model, session, desk) {
    Object.assign(this, { panel, model, session, desk, assist: new Assist(model, session) });
    this.note = h("p", { role: "status", "aria-live": "polite", class: "small" });
    this.results = h("div", { id: "assist-results" });
    this.grid = h("div", {});
    this.redraw = new Redraw(this);
    panel.append(this.grid, this.note, this.results, this.redraw.element);
    model.addEventListener("active", () => this._grid());
    model.addEventListener("change", () => this.clear());
    this._grid();
  }

  _grid() {
    const { model } = this;
    const grid = model.active === null ? null : model.grids.get(model.active);
    const button = (label, work, kind = "") => h("button", { type: "button", class: `button small ${kind}`, disabled: !model.mayEdit, onclick: () => this.run(work) }, label);
    this.grid.replaceChildren(
      h("h2", {}, grid ? t("网格 {code} {name}", { code: short(grid), name: grid.name ?? "" }) : t("选中的网格")),
      grid
        ? h("div", { class: "panel-tools" }, button(t("修补此网格"), () => this.heal(grid), "primary"), button(t("拆成两个达标的"), () => this.halve(grid)), button(t("并给谁合适"), () => this.merges(grid)))
        : h("p", { class: "muted" }, t("先在地图或列表中选一个网格，就可以请机器修补、拆分或找合并对象。")),
      h("h2", {}, t("未分配的单元")),
      h("div", { class: "panel-tools" }, button(t("全部分到相邻网格"), () => this.fill())),
    );
  }

  clear() {
    this.results.replaceChildren();
    this.note.textContent = "";
    this.desk.overlay.set({ ghost: null });
  }

  /** Do work that asks the server; what goes wrong is said in the panel. */
  async run(work) {
    this.clear();
    this.note.textContent = t("正在计算…");
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Refused || error instanceof TypeError)) throw error;
      this.note.textContent = error.message;
    }
  }

  async heal(grid) {
    const found = await this.assist.ask("heal", { grid: grid.id });
    this.note.textContent = found.repairs.length ? t("{n} 种修补办法，动的住户少的在前。", { n: found.repairs.length }) : found.reason ?? "";
    this.results.replaceChildren(...found.why.map((text) => h("p", { class: "small" }, text)), ...found.repairs.map((one, k) => this._suggestion("heal", t("办法 {n}：动 {households} 户", { n: k + 1, households: number(one.households) }), one)));
    if (found.repairs.length) this.show(found.repairs[0].moves);
  }

  async halve(grid) {
    const found = await this.assist.ask("halve", { grid: grid.id });
    this.note.textContent = found.exact ? t("没有更合适的分法。") : "";
    this.results.replaceChildren(this._suggestion("split", t("拆成两个"), found));
    this.show(found.moves);
  }

  async merges(grid) {
    const { merges } = await this.assist.ask("merges", { grid: grid.id });
    this.note.textContent = merges.length ? "" : t("旁边没有可以合并的网格。");
    this.results.replaceChildren(...merges.slice(0, 5).map((one) => this._suggestion("merge", t("与 {code} 合并{fits}", { code: one.code.slice(-3), fits: one.fits ? t("：达标") : "" }), one)));
  }

  async fill() {
    const found = await this.assist.ask("fill", { region: this.model.limit === null ? null : this.model.regions[this.model.limit].code });
    const units = found.moves.reduce((sum, move) => sum + move.units.length, 0);
    this.note.textContent = units ? "" : t("没有可以分配的单元。");
    const sentences = Object.values(found.communities).flatMap((one) => one.sentences);
    this.results.replaceChildren(
      ...(units ? [this._suggestion("fill", t("分配 {n} 个单元", { n: number(units) }), { ...found, sentences, households: 0 })] : []),
      ...found.left.map((one) => h("p", { class: "small" }, `${one.reason} ${one.hint}`)),
    );
    this.show(found.moves);
  }

  /** Colour what would move by where it goes. */
  show(moves) {
    const goals = [...new Set(moves.map((move) => move.to))];
    this.desk.overlay.set({ ghost: this.assist.here(moves).map(({ to, units }) => ({ units, color: HUES[goals.indexOf(to) % HUES.length] })) });
  }

  _suggestion(tool, title, one) {
    const box = h(
      "div",
      { class: "repair" },
      h("p", {}, h("b", {}, title)),
      ...one.sentences.map((text) => h("p", { class: "small" }, text)),
      h(
        "div",
        { class: "panel-tools" },
        h("button", { type: "button", class: "button small", onclick: () => (this._mark(box), this.show(one.moves)) }, t("预览")),
        h("button", { type: "button", class: "button small primary", onclick: () => this.desk.stage.attempt(() => this.assist.adopt(tool, this.assist.here(one.moves))) }, t("采用")),
      ),
    );
    return box;
  }

  _mark(box) {
    for (const one of this.results.querySelectorAll(".repair")) one.classList.toggle("shown", one === box);
  }
}
