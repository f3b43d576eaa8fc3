/** Two periods: the map of each, how cases a day changed, and which categories, communities and grids it was. */

import { getJson } from "../api.js";
import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { shiftDay } from "../zoned.js";
import { panelOf } from "./asking.js";
import { lacking } from "./filters.js";
import { gridValues, lengthDays } from "./mapmode.js";
import { joined, otherMap } from "./maps.js";
import { FILTER } from "./state.js";

const $ = (id) => document.getElementById(id);
const ROWS_MAX = 12;
const WORDS = { more: ["▲", () => t("明显增加")], fewer: ["▼", () => t("明显减少")], same: ["＝", () => t("无明显变化")] };

/** First and last day of the period to compare with; null where there is none. */
export function before(state) {
  if (!state.compare || !state.since || !state.until || state.backwards) return null;
  if (state.compare === "own") return state.beforeSince && state.beforeUntil && state.beforeSince <= state.beforeUntil ? [state.beforeSince, state.beforeUntil] : null;
  if (state.compare === "year") return [yearBefore(state.since), yearBefore(state.until)];
  const days = lengthDays(state, null);
  return [shiftDay(state.since, -days), shiftDay(state.since, -1)];
}

/** The same day a year before; 29 February becomes the 28th. */
function yearBefore(day) {
  const [year, month, date] = day.split("-");
  return `${String(Number(year) - 1).padStart(4, "0")}-${month}-${month === "02" && date === "29" ? "28" : date}`;
}

export function comparison(state, data, page) {
  const panel = $("compared");
  let other = null;

  const span = () => {
    const [since, until] = before(state);
    return state.span(since, until);
  };

  /* the map of the period before */
  function drawMap() {
    const days = before(state);
    if (!days) return closeMap();
    if (!other) {
      const box = h("div", { class: "folium-map" });
      const label = h("p", { class: "map-label" });
      const frame = h("div", { class: "map-frame", role: "region", "aria-label": t("之前的事件地图") }, box, label);
      $("map-pair").prepend(frame);
      $("map-pair").classList.add("two");
      const own = h("p", { class: "map-label" });
      page.map.getContainer().parentElement.append(own);
      $("map-pair").querySelector("details.map-legend").open = false; // there is less room
      page.map.invalidateSize({ animate: false });
      const map = otherMap(box, data, page, {});
      map.attributionControl?.remove();
      const grids = page.grids && window.gridmap.gridLayer({ ...page.grids._source, quiet: true, query: { region: state.region } });
      grids?.addTo(map);
      other = { frame, label, own, map, grids, part: joined([page.map, map]) };
    }
    other.label.textContent = t("之前：{span}", { span: days.join(" – ") });
    other.own.textContent = t("所选：{span}", { span: `${state.since} – ${state.until}` });
    return paint(days);
  }

  async function paint(days) {
    const { map, grids } = other;
    const isHeat = state.mode === "heat";
    if (!isHeat) map.heat.remove();
    if (isHeat) {
      grids?.setValues(null);
      map.heat.setParams({ ...state.wanted(), ...span(), bandwidth: state.bandwidth });
      return void map.heat.addTo(map);
    }
    const found = await getJson(`/api/v1/plans/${state.plan}/cases?${state.query({ limit: data.most, ...span() })}`).catch(() => null);
    if (found && other && state.mode !== "heat") grids.setValues(gridValues(state.mode, found.items, lengthDays({ since: days[0], until: days[1] }, null)));
  }

  function closeMap() {
    if (!other) return;
    other.part();
    other.map.remove();
    other.frame.remove();
    other.own.remove();
    other = null;
    $("map-pair").classList.remove("two");
    page.map.invalidateSize({ animate: false });
  }

  /* figures and tables */
  const load = panelOf(
    panel,
    () => {
      const { since, until } = span();
      return `/api/v1/cases/compared?${state.query({ before_since: since, before_until: until, ...(state.plan ? { plan: state.plan } : {}) }, { grid: true })}`;
    },
    (found) => panel.replaceChildren(...told(found, before(state), state)),
  );

  function show() {
    panel.hidden = !state.compare;
    if (state.playing) return;
    drawMap();
    if (!state.compare) return panel.replaceChildren();
    if (before(state)) return void load();
    const why = state.compare === "own" ? t("请选定用来比较的起止日期。") : t("请选定起止日期。");
    panel.replaceChildren(h("h2", { id: "compared-title" }, t("两期比较")), h("p", { class: "muted" }, why));
    return undefined;
  }

  state.on([...FILTER, "grid", "compare", "beforeSince", "beforeUntil"], show);
  state.on(["mode", "bandwidth"], () => other && paint(before(state)));
  state.on(["region"], () => other?.grids?.setQuery({ region: state.region }));
  show();
}

function told(found, days, state) {
  const length = ([from, to]) => (Date.parse(to) - Date.parse(from)) / 86_400_000;
  const perDay = (cases, period) => number(cases / length(period), 1);
  const { whole } = found;
  const card = (label, span, cases, period) => h("div", { class: "stat" }, h("span", { class: "stat-label" }, `${label} ${span}`), h("span", { class: "stat-value" }, number(cases)), h("span", { class: "stat-note" }, t("平均每天 {n} 件", { n: perDay(cases, period) })));
  const change = h("div", { class: "stat" }, h("span", { class: "stat-label" }, t("每天件数之比")), h("span", { class: "stat-value" }, ratio(whole)), h("span", { class: "stat-note" }, word(whole), ` ${interval(whole)}`));
  const choose = (one) => (one.id ? h("button", { type: "button", class: "row-button", onclick: () => state.set({ grid: one.id === state.grid ? null : one.id }) }, `${one.name} ${one.code.slice(-3)}`) : one.name);
  const tables = [
    [t("按类别"), found.categories],
    [t("按社区（村）"), found.regions],
    [t("按网格"), found.grids],
  ];
  const missing = [...lacking(days, state).map((text) => t("之前：{span}", { span: text })), ...lacking([state.since, state.until], state).map((text) => t("所选：{span}", { span: text }))];
  return [
    h("h2", { id: "compared-title" }, t("两期比较"), " ", h("span", { class: "muted small" }, t("之比为每天件数之比，括号内为 {p}% 区间；“明显”指超出偶然（同表已控制误报）", { p: 95 }))),
    missing.length ? h("p", { class: "notice warning" }, `${missing.join(t("；"))}${t("。没有数据的日子按没有事件算，下面的增减因此不可靠。")}`) : "",
    h("div", { class: "stats" }, card(t("之前"), days.join(" – "), whole.before, found.before), card(t("所选"), `${state.since} – ${state.until}`, whole.after, found.after), change),
    h("div", { class: "columns compared-tables" }, tables.filter(([, rows]) => rows.length).map(([title, rows]) => table(title, rows, choose))),
  ];
}

function table(title, rows, choose) {
  const head = h("tr", {}, h("th", { scope: "col" }, title), [t("之前"), t("所选"), t("之比")].map((text) => h("th", { scope: "col", class: "number" }, text)), h("th", { scope: "col" }, t("变化")));
  const body = rows.slice(0, ROWS_MAX).map((one) => h("tr", {}, h("th", { scope: "row" }, choose(one)), h("td", { class: "number" }, number(one.before)), h("td", { class: "number" }, number(one.after)), h("td", { class: "number", title: interval(one) }, ratio(one)), h("td", {}, word(one))));
  const more = rows.length > ROWS_MAX ? h("p", { class: "small muted" }, t("只列出变化最大的 {n} 行。", { n: ROWS_MAX })) : null;
  return h("div", {}, h("div", { class: "table-wrap" }, h("table", {}, h("caption", { class: "visually-hidden" }, title), h("thead", {}, head), h("tbody", {}, body))), more);
}

const ratio = (one) => (one.ratio === null ? (one.after ? t("新出现") : "—") : number(one.ratio, 2));
const interval = (one) => (one.before || one.after ? `（${number(one.low, 2)}–${one.high === null ? "∞" : number(one.high, 2)}）` : "");

function word(one) {
  const [sign, text] = WORDS[one.word];
  return h("span", { class: `change ${one.word}` }, h("span", { "aria-hidden": "true" }, `${sign} `), text());
}
