/** Remarks on the plan, its grids and places: read, written, answered, settled. */

import { ApiError, getJson, postJson, send } from "../api.js";
import { h } from "../dom.js";
import { language, number, t } from "../i18n.js";

const when = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });

export class CommentsPanel {
  constructor(panel, model, session, desk) {
    Object.assign(this, { panel, model, session, desk, api: `${session.api}/comments`, seen: null, point: null });
    this.text = h("textarea", { id: "comment-text", rows: 3, maxLength: 1000 });
    this.about = h("select", { id: "comment-about", onchange: () => this._about() });
    this.open = h("input", { type: "checkbox", id: "comment-open", checked: true, onchange: () => this.load() });
    this.note = h("p", { class: "small", role: "status", "aria-live": "polite" });
    this.list = h("ol", { class: "notes" });
    panel.append(
      h("div", { class: "field" }, h("label", { for: "comment-about" }, t("意见针对")), this.about),
      h("div", { class: "field" }, h("label", { for: "comment-text" }, t("意见内容")), this.text),
      h("p", {}, h("button", { type: "button", class: "button small primary", onclick: () => this.add() }, t("发表意见"))),
      h("p", { class: "small muted" }, t("请勿写居民姓名、电话、证件号。")),
      this.note,
      h("label", { class: "check" }, this.open, ` ${t("只看未解决的")}`),
      this.list,
    );
    model.addEventListener("active", () => this._choices());
    session.addEventListener("present", (event) => {
      if (event.detail.comments === this.seen) return;
      this.seen = event.detail.comments;
      if (!panel.hidden) this.load();
    });
    this._choices();
  }

  shown() {
    this.load();
  }

  _choices() {
    const { model } = this;
    const grid = model.active === null ? null : model.grids.get(model.active);
    this.about.replaceChildren(
      ...(grid ? [h("option", { value: "grid" }, t("网格 {code} {name}", { code: grid.code.slice(-3), name: grid.name ?? "" }))] : []),
      h("option", { value: "plan" }, t("整个方案")),
      h("option", { value: "point" }, t("地图中心的位置")),
    );
  }

  _about() {
    if (this.about.value === "point") this.note.textContent = t("把地图移到要说的地方，中心点就是意见的位置。");
  }

  async run(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof TypeError)) throw error;
      this.note.textContent = error.message;
    }
  }

  load() {
    return this.run(async () => {
      const { items } = await getJson(`${this.api}?${this.open.checked ? "open=1" : ""}`);
      const answers = Map.groupBy ? Map.groupBy(items, (one) => one.reply_to) : grouped(items);
      const roots = answers.get(null) ?? [];
      this.list.replaceChildren(...roots.map((one) => this._row(one, answers.get(one.id) ?? [])));
      this.note.textContent = roots.length ? t("{n} 条意见", { n: number(roots.length) }) : t("还没有意见。");
    });
  }

  add(reply = null, text = this.text.value) {
    if (!text.trim()) return void (this.note.textContent = t("请先写意见。"));
    return this.run(async () => {
      const { lat, lng } = this.desk.map.getCenter();
      const about = reply ? { reply_to: reply } : this.about.value === "grid" ? { grid: this.model.active } : this.about.value === "point" ? { point: [lng, lat] } : {};
      await postJson(this.api, { text: text.trim(), ...about });
      if (!reply) this.text.value = "";
      await this.load();
    });
  }

  _row(one, answers) {
    const place = one.grid_id !== null && this.model.grids.has(one.grid_id);
    const post = (path) => this.run(async () => {
      await postJson(`${this.api}/${one.id}/${path}`, {});
      await this.load();
    });
    const button = (label, onclick) => h("button", { type: "button", class: "row-button", onclick }, label);
    return h(
      "li",
      {},
      h("div", {}, one.grid_code ? h("b", {}, `${one.grid_code.slice(-3)} `) : null, one.text),
      h("div", { class: "when" }, `${one.author ?? ""} · ${when.format(new Date(one.at))}${one.resolved_at ? ` · ✓ ${t("已解决")}` : ""}`),
      ...answers.map((answer) => h("div", { class: "answer" }, h("div", {}, answer.text), h("div", { class: "when" }, `${answer.author ?? ""} · ${when.format(new Date(answer.at))}`))),
      h(
        "div",
        { class: "actions" },
        place || one.point ? button(t("定位"), () => this._go(one)) : null,
        button(t("回复"), async () => {
          const text = await this.desk.askText(t("回复"));
          if (text?.trim()) this.add(one.id, text);
        }),
        one.may_resolve ? button(one.resolved_at ? t("重新打开") : t("标为已解决"), () => post(one.resolved_at ? "reopen" : "resolve")) : null,
        one.may_delete ? button(t("删除"), () => this.run(async () => (await send(`${this.api}/${one.id}`, { method: "DELETE" }), this.load()))) : null,
      ),
    );
  }

  _go(one) {
    if (one.point) this.desk.map.setView([one.point[1], one.point[0]], Math.max(16, this.desk.map.getZoom()), { animate: false });
    else {
      this.model.setActive(one.grid_id);
      this.desk.zoomTo(one.grid_id);
    }
  }
}

function grouped(items) {
  const by = new Map();
  for (const one of items) by.set(one.reply_to, [...(by.get(one.reply_to) ?? []), one]);
  return by;
}
