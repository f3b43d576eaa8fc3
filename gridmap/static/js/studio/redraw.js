/** Ground redrawn by the engine as a preview: followed, stopped, weighed against change, adopted whole or in part. */

import { ApiError } from "../api.js";
import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { short } from "./model.js";

const EVERY_MS = 900;

export class Redraw {
  constructor(panel) {
    Object.assign(this, { panel, model: panel.model, assist: panel.assist, job: null });
    const choose = (id, label, choices) => h("div", { class: "field" }, h("label", { for: id }, label), h("select", { id }, ...choices.map(([value, text]) => h("option", { value }, text))));
    this.note = h("p", { class: "small", role: "status", "aria-live": "polite" });
    this.live = h("div", {});
    this.go = h("button", { type: "button", class: "button small primary", disabled: !this.model.mayEdit, onclick: () => this.start() }, t("开始计算"));
    this.element = h(
      "div",
      { id: "redraw" },
      h("h2", {}, t("重新划分这一片")),
      choose("redraw-scope", t("范围"), [["region", t("限定的社区（或选中网格所在社区）")], ["around", t("选中网格及其相邻网格")], ["plan", t("整个方案")]]),
      choose("redraw-seconds", t("计算时间"), [["5", t("5 秒")], ["15", t("15 秒")], ["60", t("1 分钟")]]),
      choose("redraw-what", t("取向"), [["balanced", t("均衡")], ["few", t("少动")], ["shapes", t("形状")], ["front", t("给出几种，用滑块选")]]),
      h("p", {}, this.go),
      this.note,
      this.live,
    );
  }

  _scope() {
    const { model } = this;
    const scope = this.element.querySelector("#redraw-scope").value;
    const region = model.limit ?? (model.active === null ? null : model.grids.get(model.active).region);
    if (scope === "plan" || (scope === "region" && region === null && model.regions.length === 1)) return {};
    if (scope === "region") return region === null ? null : { region: model.regions[region].code };
    if (model.active === null) return null;
    const beside = [...model.tally.beside(model.slotOf(model.active))].map((slot) => model.gridAt(slot)).filter((grid) => grid.region === model.grids.get(model.active).region);
    return { region: model.regions[model.grids.get(model.active).region].code, grids: [model.active, ...beside.map((grid) => grid.id)] };
  }

  async start() {
    const scope = this._scope();
    if (!scope) return void (this.note.textContent = t("请先限定社区或选择一个网格。"));
    const what = this.element.querySelector("#redraw-what").value;
    const seconds = Number(this.element.querySelector("#redraw-seconds").value);
    this.panel.clear();
    this.go.disabled = true;
    try {
      const { job } = await this.assist.ask("previews", { ...scope, seconds, front: what === "front", ...(what === "front" ? {} : { preset: what }) });
      this.job = job;
      this.version = this.model.version;
      this.follow();
    } catch (error) {
      if (!(error instanceof ApiError) && !error.code) throw error;
      this.note.textContent = error.message;
      this.go.disabled = false;
    }
  }

  async follow() {
    let told;
    try {
      told = await this.assist.follow(this.job);
    } catch (error) {
      this.note.textContent = error.message;
      if (error instanceof ApiError && error.status < 500) return this._end();
      return void setTimeout(() => this.follow(), 3 * EVERY_MS);
    }
    if (told.state === "failed") {
      this.note.textContent = told.error;
      this.live.replaceChildren();
      return this._end();
    }
    const running = told.state !== "done";
    this.note.textContent = running ? `${told.state === "waiting" ? t("排队中…") : told.doing || t("进行中…")} ${number(100 * told.progress)}%` : t("计算完成：方案没有任何改动，采用之后才会改。");
    this.show(told, running);
    if (running) setTimeout(() => this.follow(), EVERY_MS);
    else this._end();
  }

  _end() {
    this.job = null;
    this.go.disabled = !this.model.mayEdit;
  }

  /** The plans found so far: figures before and after, the slider where there are several, what to adopt. */
  show(told, running) {
    const { plans } = told;
    const children = [];
    if (running) {
      const button = (how, label) => h("button", { type: "button", class: "button small", onclick: () => this.assist.stop(this.job, how) }, label);
      children.push(h("progress", { max: 1, value: told.progress, "aria-label": t("进度") }), h("div", { class: "panel-tools" }, button("keep", t("到此为止，看结果")), button("cancel", t("取消"))));
    }
    if (plans.length) {
      const at = Math.min(this.chosen ?? (plans.length > 1 ? Math.floor(plans.length / 2) : 0), plans.length - 1);
      if (plans.length > 1) {
        const slider = h("input", { type: "range", id: "front", min: 0, max: plans.length - 1, step: 1, value: at, "aria-valuetext": plans[at].title, oninput: (event) => ((this.chosen = Number(event.target.value)), this.show(told, running), document.getElementById("front").focus()) });
        children.push(h("div", { class: "field" }, h("label", { for: "front" }, t("少动 ←→ 形状：{title}", { title: plans[at].title })), slider));
      }
      children.push(...this._plan(told, plans[at], running));
      this.panel.show(plans[at].moves.filter((move) => move.units.length));
    }
    this.live.replaceChildren(...children);
  }

  _plan(told, plan, running) {
    const rows = [
      [`○ ${t("符合标准")}`, told.before?.in_band, plan.standing.in_band],
      [`▽ ${t("低于标准")}`, told.before?.under, plan.standing.under],
      [`▲ ${t("超出标准")}`, told.before?.over, plan.standing.over],
      [`✕ ${t("不连片的网格")}`, told.before?.pieces, plan.standing.pieces],
      [t("网格数"), told.before?.grids, plan.standing.grids],
    ];
    const table = h("table", { class: "totals" }, h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col", class: "number" }, t("现在")), h("th", { scope: "col", class: "number" }, t("建议")))), h("tbody", {}, ...rows.map(([label, before, after]) => h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, number(before)), h("td", {}, number(after)))), h("tr", {}, h("th", { scope: "row" }, t("换网格的住户")), h("td", {}), h("td", {}, number(plan.measures.households_moved))), h("tr", {}, h("th", { scope: "row" }, t("平均紧凑度")), h("td", {}, number(told.before?.compactness, 2)), h("td", {}, number(plan.measures.compactness, 2)))));
    if (running) return [table];
    const wrong = plan.wrong.map((one) => h("li", {}, `${String(one.code || t("新")).slice(-3)}：${one.reason}`));
    const boxes = plan.clusters.map((cluster, k) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: true, value: String(k), name: "cluster" }), ` ${this._names(cluster)} · ${t("{n} 户", { n: number(cluster.households) })}`));
    const adopt = (all) => {
      const chosen = all ? plan.clusters : plan.clusters.filter((_, k) => this.live.querySelector(`[name=cluster][value="${k}"]`).checked);
      const wanted = new Set(chosen.flatMap((cluster) => cluster.grids));
      const moves = this.assist.here(plan.moves).filter((move) => wanted.has(move.to) || (move.to === null && all));
      this.panel.desk.stage.attempt(() => {
        this.assist.adopt("redraw", moves, plan.title);
        this.live.replaceChildren();
        this.note.textContent = t("已采用；不满意可以撤销。");
      });
    };
    return [
      table,
      ...(wrong.length ? [h("details", {}, h("summary", {}, t("仍不达标的 {n} 个，及原因", { n: wrong.length })), h("ul", { class: "small" }, ...wrong))] : []),
      plan.clusters.length ? h("p", {}, h("button", { type: "button", class: "button small primary", onclick: () => adopt(true) }, t("全部采用"))) : h("p", { class: "muted" }, t("没有更好的划分：建议与现在相同。")),
      ...(plan.clusters.length > 1 ? [h("details", {}, h("summary", {}, t("只采用其中几处")), ...boxes, h("p", {}, h("button", { type: "button", class: "button small", onclick: () => adopt(false) }, t("采用勾选的"))))] : []),
    ];
  }

  _names(cluster) {
    return cluster.grids.map((id) => (this.model.grids.has(id) ? short(this.model.grids.get(id)) : t("新"))).join("、");
  }
}
