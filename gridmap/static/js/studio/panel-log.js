/** The log in words: newest first; an entry can be looked at, and taken back where nothing later builds on it. */

import { getJson } from "../api.js";
import { h } from "../dom.js";
import { language, number, t } from "../i18n.js";
import { received } from "./wire.js";

const PAGE = 40;
const when = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class LogPanel {
  constructor(panel, model, session, desk) {
    Object.assign(this, { panel, model, session, desk, items: [] });
    this.list = h("ol", { class: "log-rows", reversed: true });
    this.note = h("p", { class: "small muted", role: "status" });
    this.more = h("button", { type: "button", class: "button small wide", hidden: true, onclick: () => this.load(true) }, t("显示更多"));
    panel.append(this.note, this.list, this.more);
    for (const name of ["saved", "others", "visit"]) session.addEventListener(name, () => !panel.hidden && this.load());
  }

  shown() {
    this.load();
  }

  async load(append = false) {
    const before = append && this.items.length ? `&before=${this.items.at(-1).version}` : "";
    let page;
    try {
      page = await getJson(`${this.session.api}/operations?limit=${PAGE}${before}`);
    } catch (error) {
      this.note.textContent = error.message;
      return;
    }
    this.items = append ? [...this.items, ...page.items] : page.items;
    this.note.textContent = t("{n} 条记录，最新的在前", { n: number(page.total) });
    this.more.hidden = this.items.length >= page.total;
    this.list.replaceChildren(...this.items.map((op) => this._row(op)));
  }

  _row(op) {
    const here = this.session.visiting?.version === op.version;
    const places = op.moves.length || op.grids.length;
    return h(
      "li",
      { class: here ? "here" : "" },
      h("div", { class: op.undone_by ? "undone" : "" }, op.sentence),
      op.why ? h("div", { class: "small" }, op.why) : null,
      h("div", { class: "when" }, `${when.format(new Date(op.at))} · ${op.user?.name ?? t("系统")} · #${op.version}${op.undone_by ? ` · ${t("已被撤销")}` : ""}`),
      h(
        "div",
        { class: "actions" },
        places ? h("button", { type: "button", class: "row-button", onclick: () => this.desk.showUnits(received(this.model, op)) }, t("在地图上看")) : null,
        h("button", { type: "button", class: "row-button", onclick: () => this.desk.visit(op.version, op.sentence) }, t("看当时的方案")),
        op.may_undo && op.key && this.model.mayEdit && !this.session.visiting ? h("button", { type: "button", class: "row-button", onclick: () => this.desk.revert(op) }, t("撤销这一步")) : null,
      ),
    );
  }
}
