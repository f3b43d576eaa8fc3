/** The panel of grids: the active one with every figure, what can be done with it, and the list of all. */

import { h, icon, svg } from "../dom.js";
import { number, t } from "../i18n.js";
import { WORDS, deviation } from "./card.js";
import { SIGNS } from "./layer.js";
import { short } from "./model.js";

const MOST_ROWS = 300;
const ROWS_MS = 150; // the list follows when the hand rests: laying it out takes longer than a frame

export class GridsPanel {
  /** `desk`: what the page offers (do, zoomTo, ask, askText). */
  constructor(panel, model, desk) {
    Object.assign(this, { panel, model, desk, order: "deviation", text: "", status: "" });
    this.card = h("div", { id: "active-card" });
    this.list = h("ul", { class: "grid-rows", id: "grid-rows" });
    this.note = h("p", { class: "small muted", role: "status" });
    const search = h("input", { type: "search", placeholder: t("名称或编码"), "aria-label": t("名称或编码"), oninput: (event) => ((this.text = event.target.value.trim()), this.rows()) });
    const sort = h("select", { "aria-label": t("排序"), onchange: (event) => ((this.order = event.target.value), this.rows()) }, ...[["deviation", t("偏差大的在前")], ["code", t("按编码")], ["households", t("户数多的在前")]].map(([value, text]) => h("option", { value }, text)));
    const filter = h("select", { "aria-label": t("状态"), onchange: (event) => ((this.status = event.target.value), this.rows()) }, h("option", { value: "" }, t("全部状态")), ...Object.entries(WORDS).map(([value, text]) => h("option", { value }, `${SIGNS[value]} ${text}`)));
    const locks = model.mayEdit ? h("span", { class: "locks" }, h("button", { type: "button", class: "button small", "aria-keyshortcuts": "N", onclick: () => this.desk.newGrid() }, t("新建网格")), " ", h("button", { type: "button", class: "button small", onclick: () => this.lockAll(true) }, t("全部锁定")), " ", h("button", { type: "button", class: "button small", onclick: () => this.lockAll(false) }, t("全部解锁"))) : null;
    panel.append(this.card, h("div", { class: "panel-tools" }, search, filter, sort), h("div", { class: "panel-tools" }, this.note, locks), this.list);
    for (const name of ["change", "grids", "active", "limit"]) model.addEventListener(name, () => this.later());
    this.draw();
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.active();
    });
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rows(), ROWS_MS);
  }

  draw() {
    this.active();
    this.rows();
  }

  active() {
    const { model } = this;
    const grid = model.active === null ? null : model.grids.get(model.active);
    if (!grid) {
      this.card.replaceChildren(h("p", { class: "muted" }, t("在地图或下面的列表中选一个网格：它就是涂绘、合并时归入的网格。")));
      return;
    }
    const s = model.stats(grid.id);
    const edit = model.mayEdit && [
      this._button(t("改名"), () => this.rename(grid)),
      this._button(t("改编码"), () => this.recode(grid)),
      this._button(t("网格员"), () => this.workers(grid)),
      this._button(grid.locked ? t("解锁") : t("锁定"), () => this.lock([grid], !grid.locked)),
      this._button(t("删除"), () => this.remove(grid)),
    ];
    this.card.replaceChildren(
      h(
        "div",
        { class: `live-card is-${s.status}` },
        h("h3", {}, h("span", { class: "code-text" }, short(grid)), grid.name ?? grid.code, grid.locked ? h("span", { class: "badge" }, t("已锁")) : null, grid.kind === "special" ? h("span", { class: "badge" }, t("专属")) : null),
        h("p", {}, h("span", { class: `badge status-${s.status}` }, h("span", { class: "swatch", "aria-hidden": "true" }, SIGNS[s.status]), WORDS[s.status]), ` ${deviation(s)}`),
        s.low === null ? null : bar(s),
        h(
          "dl",
          {},
          ...[
            [t("户数"), number(s.households)],
            [t("标准范围"), s.low === null ? "—" : `${number(s.low)}–${number(s.high)}`],
            [t("人口"), number(s.population)],
            [t("单元"), number(s.units)],
            [t("是否连片"), s.pieces > 1 ? t("✕ {n} 块", { n: s.pieces }) : s.pieces ? "✓" : "—"],
            [t("紧凑度"), number(s.compactness, 2)],
            [t("沿路边界"), s.onRoads === null ? "—" : `${number(100 * s.onRoads)}%`],
            [t("网格员"), number(grid.workers)],
          ].flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
        ),
        h("p", { class: "small muted" }, grid.code),
        h("div", { class: "actions" }, this._button(t("定位"), () => this.desk.zoomTo(grid.id)), ...(edit || [])),
      ),
    );
  }

  rows() {
    const { model } = this;
    const shown = [];
    for (const grid of model.grids.values()) {
      if (model.limit !== null && grid.region !== model.limit) continue;
      if (this.text && !grid.code.includes(this.text) && !(grid.name ?? "").includes(this.text)) continue;
      const s = model.stats(grid.id);
      if (this.status && s.status !== this.status) continue;
      shown.push([grid, s]);
    }
    const off = ([, s]) => Math.abs(s.deviation) + (s.pieces > 1 ? 1e6 : 0);
    const orders = { deviation: (a, b) => off(b) - off(a) || a[0].code.localeCompare(b[0].code), code: (a, b) => a[0].code.localeCompare(b[0].code), households: (a, b) => b[1].households - a[1].households };
    shown.sort(orders[this.order]);
    this.note.textContent = shown.length > MOST_ROWS ? t("{n} 个网格，列出前 {m} 个", { n: number(shown.length), m: MOST_ROWS }) : t("{n} 个网格", { n: number(shown.length) });
    this._fill(shown.slice(0, MOST_ROWS));
    if (!shown.length) this.list.append(h("li", { class: "muted" }, model.grids.size ? t("没有符合筛选条件的网格。") : t("还没有网格：用框选或套索选中单元后新建网格，或在“智能”中请机器重新划分。")));
  }

  /** Rows that say the same are kept, so that the focus stays where it is and little is laid out anew. */
  _fill(shown) {
    const before = this.kept ?? new Map();
    const focused = document.activeElement?.closest?.("#grid-rows li")?.dataset.grid;
    this.kept = new Map();
    for (const [grid, s] of shown) {
      const says = [s.status, s.households, s.deviation, s.pieces, grid.code, grid.name, grid.locked, this.model.mayEdit].join("|");
      const known = before.get(grid.id);
      this.kept.set(grid.id, known?.says === says ? known : { says, item: this._row(grid, s) });
      this.kept.get(grid.id).item.firstChild.setAttribute("aria-pressed", String(grid.id === this.model.active));
    }
    const wanted = [...this.kept.values()].map(({ item }) => item);
    if (wanted.length === this.list.children.length && wanted.every((item, k) => item === this.list.children[k])) return;
    this.list.replaceChildren(...wanted);
    if (focused && !this.list.contains(document.activeElement)) this.kept.get(Number(focused))?.item.firstChild.focus({ preventScroll: true });
  }

  _row(grid, s) {
    const chosen = grid.id === this.model.active;
    const row = h(
      "button",
      { type: "button", class: `row is-${s.status}`, "aria-pressed": String(chosen), title: WORDS[s.status], onclick: () => (this.model.setActive(grid.id), this.desk.zoomTo(grid.id, false)) },
      h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[s.status]),
      h("span", { class: "code-text" }, short(grid)),
      h("span", { class: "name" }, grid.name ?? "", s.pieces > 1 ? ` ✕${t("{n} 块", { n: s.pieces })}` : ""),
      h("span", { class: "n" }, `${number(s.households)}${s.deviation ? ` (${s.deviation > 0 ? "+" : "−"}${number(Math.abs(s.deviation))})` : ""}`),
      h("span", { class: "visually-hidden" }, WORDS[s.status]),
    );
    const lock = this.model.mayEdit
      ? h("button", { type: "button", class: "lock", "aria-pressed": String(Boolean(grid.locked)), "aria-label": t("锁定网格 {code}", { code: short(grid) }), title: grid.locked ? t("已锁定，点击解锁") : t("点击锁定"), onclick: () => this.lock([grid], !grid.locked) }, icon(grid.locked ? "lock" : "unlock"))
      : null;
    return h("li", { "data-grid": String(grid.id) }, row, lock);
  }

  _button(label, onclick) {
    return h("button", { type: "button", class: "button small", onclick }, label);
  }

  lock(grids, locked) {
    const changes = grids.filter((grid) => Boolean(grid.locked) !== locked).map((grid) => ({ id: grid.id, after: { locked } }));
    if (changes.length) this.desk.do("lock", { grids: changes });
  }

  lockAll(locked) {
    this.lock([...this.model.grids.values()].filter((grid) => this.model.limit === null || grid.region === this.model.limit), locked);
  }

  async rename(grid) {
    const name = await this.desk.askText(t("网格名称"), grid.name ?? "");
    if (name !== null && name.trim() && name.trim() !== grid.name) this.desk.do("rename", { grids: [{ id: grid.id, after: { name: name.trim() } }] });
  }

  async recode(grid) {
    const code = await this.desk.askText(t("网格编码（{n} 位数字，以社区代码开头）", { n: this.model.code.length }), grid.code);
    if (code !== null && code.trim() !== grid.code) this.desk.do("recode", { grids: [{ id: grid.id, after: { code: code.trim() } }] });
  }

  async workers(grid) {
    const given = await this.desk.askText(t("网格员人数"), String(grid.workers ?? 1), { inputMode: "numeric", pattern: "[0-9]{1,4}" });
    if (given !== null && /^\d{1,4}$/.test(given.trim()) && Number(given) !== grid.workers) this.desk.do("rename", { grids: [{ id: grid.id, after: { workers: Number(given) } }] });
  }

  async remove(grid) {
    const s = this.model.stats(grid.id);
    const question = s.units ? t("删除网格 {code}？它的 {n} 户将变为未分配（可撤销）。", { code: short(grid), n: number(s.households) }) : t("删除空网格 {code}？", { code: short(grid) });
    if (!(await this.desk.ask(question))) return;
    this.desk.do("delete", { moves: s.units ? [{ to: null, units: this.model.unitsOf(grid.id) }] : [], grids: [{ id: grid.id, after: null }] });
  }
}

/** Where the households stand against the band, drawn to scale. */
function bar({ households, low, high }) {
  const most = Math.max(high * 1.5, households * 1.05);
  const x = (value) => (100 * value) / most;
  return h(
    "div",
    { class: "band", "aria-hidden": "true" },
    svg("svg", { viewBox: "0 0 100 14", preserveAspectRatio: "none" }, svg("rect", { x: x(low), y: 0, width: x(high) - x(low), height: 14, fill: "#b5dcc4" }), svg("rect", { x: 0, y: 4, width: x(households), height: 6, fill: "#1f4e79" })),
  );
}
