/** Comments on a plan: remarks with answers, written, resolved and taken back; used by the plan's page and the studio. */

import { getJson, postJson, send } from "./api.js";
import { confirmed } from "./dialog.js";
import { h } from "./dom.js";
import { language, number, t } from "./i18n.js";

const PAGE = 30;
const when = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { dateStyle: "medium", timeStyle: "short" });
let boxes = 0;

export class Comments {
  /**
   * Fill `root` with the comments of a plan. `onGrid(id, code)` and `onPoint([lon, lat])` show what a remark is about;
   * without them it is only named. `onCount(open)` hears how many are open, `onItems(items)` what is listed.
   */
  constructor(root, { plan, mayWrite = true, onGrid = null, onPoint = null, onCount = null, onItems = null }) {
    Object.assign(this, { root, mayWrite, onGrid, onPoint, onCount, onItems });
    this.url = `/api/v1/plans/${plan}/comments`;
    this.subject = null; // {grid, label} or {point, label} that the next remark is about
    this.box = ++boxes;
    this.open = true;
    this._build();
    this.load();
  }

  /** What the next remark is about: `{grid: id, label}`, `{point: [lon, lat], label}`, or null for the whole plan. */
  setSubject(subject) {
    this.subject = subject;
    this.about.hidden = !subject;
    this.about.firstChild.textContent = subject ? t("关于：{what}", { what: subject.label }) : "";
  }

  /** Read the list again; answers being written are kept. */
  async load(more = false) {
    const shown = more ? this.threads : 0;
    let page;
    try {
      page = await getJson(`${this.url}?limit=${PAGE}&offset=${shown}${this.open ? "&open=1" : ""}`);
    } catch (error) {
      this._say(error.message);
      return;
    }
    this.threads = shown + page.items.filter((one) => one.reply_to === null).length;
    this.items = more ? [...this.items, ...page.items] : page.items;
    this._draw();
    this.more.hidden = this.threads >= page.total;
    this.count.textContent = page.open ? t("{n} 条未解决", { n: number(page.open) }) : t("没有未解决的意见");
    this.onCount?.(page.open);
    this.onItems?.(this.items);
  }

  _build() {
    const id = `comment-${this.box}`;
    this.count = h("span", { class: "small muted", role: "status" });
    this.about = h("p", { class: "comment-about", hidden: true }, h("span"), h("button", { type: "button", class: "row-button", onclick: () => this.setSubject(null) }, t("改为整个方案")));
    this.text = h("textarea", { id, rows: 3, maxLength: 2000, required: true, "aria-describedby": `${id}-note` });
    this.note = h("p", { class: "field-error", id: `${id}-note`, role: "alert" });
    this.form = h(
      "form",
      { class: "comment-form", hidden: !this.mayWrite, onsubmit: (event) => this._write(event) },
      h("label", { htmlFor: id }, t("您的意见")),
      this.about,
      this.text,
      this.note,
      h("p", { class: "field-help" }, t("请勿填写居民姓名、身份证号或电话。")),
      h("button", { class: "button primary" }, t("提交意见")),
    );
    const resolved = h("input", { type: "checkbox", onchange: (event) => ((this.open = !event.target.checked), this.load()) });
    this.list = h("ol", { class: "comments" });
    this.more = h("button", { type: "button", class: "button small", hidden: true, onclick: () => this.load(true) }, t("显示更多"));
    this.root.replaceChildren(h("div", { class: "comment-head" }, this.count, h("label", { class: "check" }, resolved, ` ${t("含已解决")}`)), this.list, this.more, this.form);
  }

  _draw() {
    const drafts = new Map([...this.list.querySelectorAll("form[data-thread]")].map((form) => [Number(form.dataset.thread), form]));
    const roots = this.items.filter((one) => one.reply_to === null);
    this.list.replaceChildren(
      ...roots.map((one) =>
        h(
          "li",
          { class: one.resolved_at ? "resolved" : "", "data-comment": one.id },
          this._card(one),
          h("ol", {}, ...this.items.filter((other) => other.reply_to === one.id).map((other) => h("li", { "data-comment": other.id }, this._card(other)))),
          drafts.get(one.id) ?? null,
        ),
      ),
    );
    if (!roots.length) this.list.append(h("li", { class: "muted" }, this.open ? t("没有未解决的意见。") : t("还没有意见。")));
  }

  _card(one) {
    const act = (label, run, name = label) => h("button", { type: "button", class: "row-button", "aria-label": `${name}：${one.text.slice(0, 20)}`, onclick: run }, label);
    return h(
      "div",
      { class: "comment" },
      h(
        "p",
        { class: "line" },
        h("strong", {}, one.author ?? t("系统")),
        h("time", { dateTime: one.at }, when.format(new Date(one.at))),
        this._subject(one),
        one.resolved_at ? h("span", { class: "badge tone-good" }, h("span", { class: "swatch", "aria-hidden": "true" }, "✓"), t("{who} 已解决", { who: one.resolved_by ?? t("系统") })) : null,
      ),
      h("p", { class: "said" }, one.text),
      h(
        "p",
        { class: "acts" },
        this.mayWrite && one.reply_to === null && !one.resolved_at ? act(t("回复"), () => this._answer(one)) : null,
        one.may_resolve ? act(one.resolved_at ? t("重新打开") : t("标记为已解决"), () => this._post(`/${one.id}/${one.resolved_at ? "reopen" : "resolve"}`)) : null,
        one.may_delete ? act(t("删除"), () => this._delete(one)) : null,
      ),
    );
  }

  _subject(one) {
    if (one.point) {
      return this.onPoint ? h("button", { type: "button", class: "row-button", onclick: () => this.onPoint(one.point, one) }, t("地图上的位置")) : h("span", {}, t("地图上的位置"));
    }
    if (!one.grid_code) return null;
    const label = t("网格 {code}", { code: one.grid_code });
    if (one.grid_id === null) return h("span", { class: "muted" }, t("{grid}（已不存在）", { grid: label }));
    return this.onGrid ? h("button", { type: "button", class: "row-button", onclick: () => this.onGrid(one.grid_id, one.grid_code) }, label) : h("span", {}, label);
  }

  _answer(one) {
    const item = this.list.querySelector(`li[data-comment="${one.id}"]`);
    if (item.querySelector("form")) return item.querySelector("textarea").focus();
    const note = h("p", { class: "field-error", role: "alert" });
    const text = h("textarea", { rows: 2, maxLength: 2000, required: true, "aria-label": t("回复") });
    const form = h(
      "form",
      {
        class: "comment-form",
        "data-thread": one.id,
        onsubmit: async (event) => {
          event.preventDefault();
          if (await this._post("", { text: text.value, reply_to: one.id }, note)) form.remove();
          await this.load();
        },
      },
      text,
      note,
      h("p", { class: "actions" }, h("button", { class: "button small primary" }, t("回复")), h("button", { type: "button", class: "button small", onclick: () => form.remove() }, t("取消"))),
    );
    item.append(form);
    text.focus();
  }

  async _write(event) {
    event.preventDefault();
    const { grid = null, point = null } = this.subject ?? {};
    const done = await this._post("", { text: this.text.value, ...(grid ? { grid } : {}), ...(point ? { point } : {}) }, this.note);
    if (!done) return;
    this.text.value = "";
    this.setSubject(null);
    await this.load();
  }

  /** Post and read again; false where the server refused, with its sentence in `note`. */
  async _post(path, body = null, note = null) {
    if (note) note.textContent = "";
    try {
      await (body ? postJson(this.url, body) : send(this.url + path, { method: "POST" }));
    } catch (error) {
      if (note) note.textContent = `${error.message} ${error.details?.hint ?? ""}`.trim();
      else this._say(error.message);
      return false;
    }
    if (!body) await this.load();
    return true;
  }

  async _delete(one) {
    if (!(await confirmed(t("删除这条意见？"), { danger: true }))) return;
    try {
      await send(`${this.url}/${one.id}`, { method: "DELETE" });
    } catch (error) {
      this._say(error.message);
    }
    await this.load();
  }

  _say(text) {
    this.count.textContent = text;
  }
}
