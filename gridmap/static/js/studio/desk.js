/** Everything around the map: bar, tabs, keys of the page, notices, dialogs; what panels ask of it. */

import { confirmed } from "../dialog.js";
import { h, latLngBox } from "../dom.js";
import { number, t } from "../i18n.js";
import { ChosenBar } from "./chosen.js";
import { AssistPanel } from "./panel-assist.js";
import { CommentsPanel } from "./panel-comments.js";
import { GridsPanel } from "./panel-grids.js";
import { LogPanel } from "./panel-log.js";
import { PlanPanel } from "./panel-plan.js";
import { Finder } from "./finder.js";
import { keysSheet } from "./keys.js";
import { BRUSHES } from "./stage.js";
import { shell } from "./shell.js";
import { submitDialog } from "./submit.js";
import { received } from "./wire.js";

const $ = (id) => document.getElementById(id);
const LETTERS = { v: "pan", p: "paint", e: "erase", r: "rectangle", l: "lasso", b: "border", s: "split", m: "merge", c: "cut" };

export class Desk {
  constructor({ map, model, layer, overlay, stage, session, card, data }) {
    Object.assign(this, { map, model, layer, overlay, stage, session, card, data });
    this.finder = new Finder(model);
    this.panels = {
      grids: new GridsPanel($("panel-grids"), model, this),
      plan: new PlanPanel($("panel-plan"), model, this),
      assist: new AssistPanel($("panel-assist"), model, session, this),
      log: new LogPanel($("panel-log"), model, session, this),
      comments: new CommentsPanel($("panel-comments"), model, session, this),
    };
    new ChosenBar($("chosen"), model, this);
    shell({ map, model, session, layer });
    this._bar();
    this._tools();
    this._tabs();
    this._limit();
    this._keys();
    this._session();
    this._address();
  }

  /* what panels ask for */

  /** Perform on the model; a refusal is said, not thrown. The operation, or null. */
  do(tool, what) {
    return this.stage.attempt(() => this.model.perform(tool, what));
  }

  ask(question, options) {
    return confirmed(question, options);
  }

  /** One line of text from the person, null where they give up. */
  askText(label, value = "", attributes = {}) {
    const input = h("input", { type: "text", value, id: "asked-text", maxLength: 200, ...attributes });
    const dialog = h("dialog", { class: "dialog" }, h("form", { method: "dialog" }, h("div", { class: "field" }, h("label", { for: "asked-text" }, label), input), h("div", { class: "actions" }, h("button", { class: "button", value: "no", type: "button", onclick: () => dialog.close("no") }, t("取消")), h("button", { class: "button primary", value: "yes" }, t("确定")))));
    document.body.append(dialog);
    dialog.showModal();
    input.select();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes" ? input.value : null);
      });
    });
  }

  /** Bring a grid into view; with `always` false only where it is not in view already. */
  zoomTo(id, always = true) {
    const box = this.layer.boxOf(id);
    if (box) this._fit(box, always);
  }

  /** Show units that an operation moved, and bring them into view. */
  showUnits(op) {
    const units = op.moves.flatMap((move) => move.units);
    const ids = op.grids.map((change) => change.id).filter((id) => this.model.grids.has(id));
    this.overlay.set({ marks: units.length ? units : ids.flatMap((id) => this.model.unitsOf(id)) });
    this._fitUnits(this.overlay.marks);
  }

  limitTo(region) {
    $("limit").value = region === null ? "" : String(region);
    this.model.setLimit(region);
    this.finder.at.clear();
    if (region === null) return;
    const units = [];
    for (let u = 0; u < this.model.ground.n; u++) if (this.model.ground.region[u] === region) units.push(u);
    this._fitUnits(units);
    this.open("grids");
  }

  async visit(version, sentence) {
    if (await this.session.visit(version)) {
      $("visit").querySelector("span").textContent = t("正在看第 {n} 版的方案（{what}之后），只能看，不能改。", { n: version, what: sentence });
    } else this.notice(t("这一步之后有单元被切分，或有改动还没有保存，暂时看不了当时的方案。"));
  }

  /** Take back an entry of the log, as the server tells it. */
  revert(op) {
    this.session.takeBack(received(this.model, op));
  }

  open(name, focus = false) {
    for (const tab of document.querySelectorAll(".studio-panel [role=tab]")) {
      const mine = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", String(mine));
      tab.tabIndex = mine ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = !mine;
      if (mine && focus) tab.focus();
    }
    this.panels[name].shown?.();
    this.panels[name].draw?.();
  }

  /** A sentence at the map that goes away by itself. */
  notice(text) {
    const note = $("map-note");
    note.textContent = text;
    note.hidden = false;
    clearTimeout(this.noting);
    this.noting = setTimeout(() => (note.hidden = true), 6000);
  }

  /* parts */

  _bar() {
    $("undo").addEventListener("click", () => this.session.undo());
    $("redo").addEventListener("click", () => this.session.redo());
    $("find-next").addEventListener("click", () => this.find(1));
    $("find-kind").addEventListener("change", () => this.find(1));
    $("keys").addEventListener("click", () => keysSheet());
    $("submit")?.addEventListener("click", () => submitDialog(this));
    setTimeout(() => document.querySelectorAll("[data-passing]").forEach((one) => one.remove()), 5000);
    $("visit-leave").addEventListener("click", () => this.session.leave());
  }

  async find(step) {
    let found;
    try {
      found = await this.finder.next($("find-kind").value, step);
    } catch (error) {
      return this.notice(error.message);
    }
    const { place, number: at, total } = found;
    $("find-count").textContent = total ? `${number(at)}/${number(total)}` : "0";
    if (!place) return this.notice(t("没有这样的问题了。"));
    if (place.grid !== null) this.model.setActive(place.grid);
    this.overlay.set({ marks: place.units });
    if (place.units.length) this._fitUnits(place.units);
    else if (place.geometry) this.map.fitBounds(L.geoJSON(place.geometry).getBounds(), { maxZoom: 17, animate: false });
    const grid = place.grid === null ? null : this.model.grids.get(place.grid);
    this.card.speak(t("第 {n} 处，共 {total} 处：{what}", { n: at, total, what: grid ? `${grid.code.slice(-3)} ${grid.name ?? ""}` : t("未分配") }));
  }

  _tools() {
    const buttons = [...document.querySelectorAll("[data-tool].tool")];
    const show = () => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === this.model.tool));
      const near = $("brush-less");
      if (near) $("brush").textContent = BRUSHES[this.stage.brush] ? `${2 * BRUSHES[this.stage.brush]} px` : t("单个");
    };
    for (const button of buttons) button.addEventListener("click", () => this.model.setTool(button.dataset.tool));
    $("brush-less")?.addEventListener("click", () => this.stage.setBrush(this.stage.brush - 1));
    $("brush-more")?.addEventListener("click", () => this.stage.setBrush(this.stage.brush + 1));
    this.model.addEventListener("tool", show);
    this.stage.addEventListener("brush", show);
    this.stage.addEventListener("refused", (event) => this.notice(event.detail.message));
    show();
  }

  _tabs() {
    const tabs = [...document.querySelectorAll(".studio-panel [role=tab]")];
    for (const tab of tabs) {
      tab.addEventListener("click", () => this.open(tab.id.slice(4)));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) this.open(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length].id.slice(4), true);
      });
    }
  }

  _limit() {
    const select = $("limit");
    this.model.regions.forEach((region, k) => select.append(h("option", { value: String(k) }, region.name)));
    select.addEventListener("change", () => this.limitTo(select.value === "" ? null : Number(select.value)));
  }

  /** Keys of the page; the map's own are in stage.js. */
  _keys() {
    document.addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]")) return;
      const typing = event.target.closest("input, textarea, select");
      if ((event.ctrlKey || event.metaKey) && !typing) {
        const key = event.key.toLowerCase();
        if (key === "z" && !event.shiftKey) this.session.undo();
        else if (key === "y" || (key === "z" && event.shiftKey)) this.session.redo();
        else return;
        return event.preventDefault();
      }
      if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
      const letter = event.key.toLowerCase();
      if (event.key === "?") keysSheet();
      else if (letter === "f") this.find(event.shiftKey ? -1 : 1);
      else if (letter === "h") this.open("assist", true);
      else if (letter === "n" && this.model.mayEdit) this.newGrid();
      else if (letter === "k" && this.model.mayEdit && this.model.active !== null) this.panels.grids.lock([this.model.grids.get(this.model.active)], !this.model.grids.get(this.model.active).locked);
      else if (LETTERS[letter] && document.querySelector(`[data-tool="${LETTERS[letter]}"].tool`)) this.model.setTool(LETTERS[letter]);
      else return;
      event.preventDefault();
    });
  }

  /** A new grid: of the selection where there is one, else an empty one to be painted. */
  newGrid() {
    const { model } = this;
    const units = [...model.selection];
    const active = model.active === null ? null : model.grids.get(model.active);
    const region = units.length ? model.ground.region[units[0]] : model.limit ?? active?.region ?? (model.regions.length === 1 ? 0 : null);
    if (region === null || region < 0) return this.notice(t("请先选中单元、选择一个网格或限定社区，新网格建在那里。"));
    const made = this.stage.attempt(() => model.newGrid({ region, workers: active?.workers ?? 1 }));
    if (!made || !this.do("new", { grids: [made], moves: units.length ? [{ to: made.id, units }] : [] })) return;
    model.setActive(made.id);
    model.select([]);
    if (!units.length) model.setTool("paint");
    this.notice(units.length ? t("已新建网格 {code}。", { code: made.after.code.slice(-3) }) : t("已新建空网格 {code}：用涂绘把单元划进来。", { code: made.after.code.slice(-3) }));
  }

  _session() {
    const { session } = this;
    const state = () => {
      const texts = { saved: t("✓ 已保存"), saving: t("正在保存…"), offline: t("✕ 未连接，{n} 步待保存", { n: session.pending.length }), closed: t("✕ 已停止保存") };
      $("save-state").textContent = this.model.mayEdit || session.state !== "saved" ? texts[session.state] : "";
      $("save-state").className = `save-state ${session.state}`;
    };
    const buttons = () => {
      $("undo").disabled = !session.canUndo;
      $("redo").disabled = !session.canRedo;
    };
    session.addEventListener("state", () => (state(), this._trouble()));
    session.addEventListener("history", buttons);
    session.addEventListener("visit", () => {
      $("visit").hidden = !session.visiting;
      buttons();
      this.panels.grids.draw();
    });
    session.addEventListener("conflict", () => this._trouble());
    session.addEventListener("refused", (event) => this.notice(event.detail.error.message));
    session.addEventListener("differs", (event) => {
      sessionStorage.setItem("gridmap-differs", t("服务器对网格 {code} 的计数与本页不同（{a} 户，本页 {b} 户），已按服务器的重新载入。", { code: event.detail.grid.code.slice(-3), a: event.detail.grid.households, b: event.detail.mine.households }));
      this._reload();
    });
    session.addEventListener("ground", () => this._reload());
    session.addEventListener("closed", (event) => {
      this.model.mayEdit = false;
      this.closed = `${event.detail.error.message} ${event.detail.waiting ? t("{n} 步改动保存在本机。", { n: event.detail.waiting }) : ""}`;
      this._trouble();
      this.panels.grids.draw();
    });
    session.addEventListener("others", (event) => this.notice(event.detail.map((op) => `${op.user?.name ?? ""}：${op.sentence}`).slice(0, 3).join("；")));
    session.addEventListener("present", (event) => {
      const others = event.detail.present.filter((one) => one.client !== session.client);
      $("people").replaceChildren(...others.map((one) => h("span", { title: t("正在此方案中") }, `${one.name}${one.mine ? t("（另一窗口）") : ""}${this.model.grids.has(one.grid) ? ` · ${this.model.grids.get(one.grid).code.slice(-3)}` : ""}`)));
    });
    const told = sessionStorage.getItem("gridmap-differs");
    if (told) {
      sessionStorage.removeItem("gridmap-differs");
      this.notice(told);
    }
    state();
    buttons();
  }

  /** What others' changes kept from being done: told, kept, and done again if wanted. */
  _trouble() {
    const { held } = this.session;
    $("trouble").hidden = !held.length && !this.closed;
    $("trouble").firstElementChild.replaceChildren(
      ...(this.closed ? [h("p", {}, this.closed, " ", h("a", { href: "/plans" }, t("返回方案列表")))] : []),
      ...held.map((what) => {
        const households = what.op.moves.flatMap((move) => move.units).reduce((sum, u) => sum + this.model.ground.households[u], 0);
        return h(
          "div",
          { class: "held" },
          h("p", {}, `${what.message} ${t("您的这一步（{n} 户）还没有做。", { n: number(households) })}`),
          h("p", { class: "small" }, what.since.map((op) => `${op.user?.name ?? ""}：${op.sentence}`).join("；")),
          h("button", { type: "button", class: "button small", onclick: () => this.session.again(what) }, t("在现状上再做一次")),
          " ",
          h("button", { type: "button", class: "button small", onclick: () => this.session.drop(what) }, t("放弃这一步")),
        );
      }),
    );
  }

  _reload() {
    if (this.leaving) return;
    this._remember();
    location.reload();
  }

  /** What is shown stands in the address, so that it can be shared. */
  _address() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const region = this.model.regions.findIndex((one) => one.code === asked.get("region"));
    if (region >= 0) this.limitTo(region);
    for (const grid of this.model.grids.values()) if (grid.code === asked.get("grid")) this.model.setActive(grid.id);
    const at = (asked.get("at") ?? "").split(",").map(Number);
    if (at.length === 3 && at.every(Number.isFinite)) this.map.setView([at[0], at[1]], at[2], { animate: false });
    else if (this.model.active !== null) this.zoomTo(this.model.active);
    if (this.panels[asked.get("tab")]) this.open(asked.get("tab"));
    if (LETTERS_BY_TOOL.has(asked.get("tool"))) this.model.setTool(asked.get("tool"));
    for (const name of ["active", "limit", "tool"]) this.model.addEventListener(name, () => this._remember());
    this.map.on("moveend", () => this._remember());
  }

  _remember() {
    const { model, map } = this;
    const params = new URLSearchParams();
    if (model.limit !== null) params.set("region", model.regions[model.limit].code);
    if (model.active !== null) params.set("grid", model.grids.get(model.active).code);
    if (model.tool !== "pan") params.set("tool", model.tool);
    const { lat, lng } = map.getCenter();
    params.set("at", `${lat.toFixed(5)},${lng.toFixed(5)},${map.getZoom()}`);
    history.replaceState(null, "", `#${params}`);
  }

  _fitUnits(units) {
    const { box } = this.model.ground;
    const all = [Infinity, Infinity, -Infinity, -Infinity];
    for (const u of units) {
      all[0] = Math.min(all[0], box[4 * u]);
      all[1] = Math.min(all[1], box[4 * u + 1]);
      all[2] = Math.max(all[2], box[4 * u + 2]);
      all[3] = Math.max(all[3], box[4 * u + 3]);
    }
    if (units.length) this._fit(all, true);
  }

  _fit([west, north, east, south], always) {
    const { ground } = this.model;
    const [lon0, lat0] = ground.lonLat(west, south);
    const [lon1, lat1] = ground.lonLat(east, north);
    const bounds = L.latLngBounds(latLngBox([lon0, lat0, lon1, lat1]));
    if (always || !this.map.getBounds().intersects(bounds)) this.map.fitBounds(bounds, { maxZoom: 17, padding: [40, 40], animate: false });
  }
}

const LETTERS_BY_TOOL = new Set(Object.values(LETTERS));

