/** The page of cases: filters, heat, ranking and charts show one state, which stands in the address. */

import { getJson } from "./api.js";
import { loadSpots } from "./case-spots.js";
import { h, latLngBox, pageData, svg } from "./dom.js";
import { number, t } from "./i18n.js";
import { endOfDay, startOfDay, shiftDay } from "./zoned.js";

const data = pageData();
const { map, grids, heat } = window.gridmap.page;
const $ = (id) => document.getElementById(id);
const filters = $("filters");

/* state <-> address */
const asked = new URLSearchParams(location.search);
const state = {
  since: day(asked.get("since")),
  until: day(asked.get("until")),
  region: asked.get("region") ?? "",
  category: asked.getAll("category"),
  bandwidth: data.bandwidth,
  order: asked.get("order") === "per_1000_households" ? "per_1000_households" : "cases",
  grid: Number(asked.get("grid")) || null,
};

function day(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") ? text : "";
}

function remember() {
  const params = new URLSearchParams();
  if (data.plan) params.set("plan", data.plan);
  for (const key of ["since", "until", "region", "grid"]) if (state[key]) params.set(key, state[key]);
  if (state.order !== "cases") params.set("order", state.order);
  params.set("bandwidth", state.bandwidth);
  state.category.forEach((name) => params.append("category", name));
  history.replaceState(null, "", `?${params}`);
}

/** The filter as the server takes it: moments with a zone, the last day included. */
function wanted() {
  return {
    since: state.since && startOfDay(state.since, data.zone),
    until: state.until && endOfDay(state.until, data.zone),
    region: state.region,
    category: state.category,
  };
}

function query(extra = {}) {
  const params = new URLSearchParams(extra);
  for (const [key, value] of Object.entries(wanted())) [value].flat().filter(Boolean).forEach((one) => params.append(key, one));
  return params;
}

/* loading */
let epoch = 0;

async function load() {
  const mine = ++epoch;
  remember();
  show();
  if (state.since && state.until && state.since > state.until) return say(t("开始日期晚于结束日期，请改正。"));
  heat.setParams({ ...wanted(), bandwidth: state.bandwidth });
  $("status").setAttribute("aria-busy", "true");
  try {
    const counting = data.plan ? getJson(`/api/v1/plans/${data.plan}/cases?${query({ limit: 2000 })}`) : null;
    const [sums, counts] = await Promise.all([getJson(`/api/v1/cases/sums?${query()}`), counting]);
    if (mine !== epoch) return;
    tell(sums);
    if (counts) rank(counts, sums);
    byCategory(sums);
    byMonth(sums.months);
    byWeek(sums.week);
    if (data.plan) await loadSpots(data.plan, query(), { map, grids, stale: () => mine !== epoch });
  } catch (error) {
    if (mine === epoch) say(error.message);
  } finally {
    $("status").removeAttribute("aria-busy");
  }
}

function say(...parts) {
  $("status").replaceChildren(...parts);
}

function tell(sums) {
  if (!sums.total) return say(t("这些条件下没有事件，请放宽时间、类别或区划。"));
  const parts = [h("b", {}, number(sums.total)), ` ${t("件事件")}`, ` · ${t("未结 {n}", { n: number(sums.open) })}`];
  const unplaced = sums.total - sums.located;
  if (unplaced) parts.push(` · ${t("{n} 件没有位置，不在图上", { n: number(unplaced) })}`);
  say(...parts);
}

/* ranking */
let ranked = null;

function rank(counts, sums) {
  ranked = { counts, sums };
  const rows = [...counts.items];
  if (state.order === "per_1000_households") rows.sort((a, b) => (b.per_1000_households ?? -1) - (a.per_1000_households ?? -1));
  const shown = rows.filter((row) => !state.region || row.cases > 0).slice(0, 200);
  const outside = sums.total - counts.cases;
  $("rank-note").textContent = outside > 0 ? t("{n} 件不在任何网格内。", { n: number(outside) }) : t("每件事件都在某个网格内。");
  const place = (row) => `${row.region_name ?? ""} ${row.code}`;
  $("rank").replaceChildren(
    ...shown.map((row, i) =>
      h(
        "tr",
        { "data-grid": row.grid_id, class: row.grid_id === state.grid ? "chosen" : "" },
        h("td", { class: "number" }, number(i + 1)),
        h(
          "td",
          {},
          h("button", { type: "button", class: "row-button", "aria-pressed": String(row.grid_id === state.grid), onclick: () => choose(row.grid_id) }, row.name || row.code),
          h("span", { class: "place" }, place(row)),
        ),
        h("td", { class: "number" }, number(row.cases)),
        h("td", { class: "number", title: row.per_1000_households === null ? t("网格内没有住户") : "" }, number(row.per_1000_households, 1)),
      ),
    ),
  );
  for (const button of document.querySelectorAll(".sort")) button.setAttribute("aria-pressed", String(button.dataset.sort === state.order));
}

function choose(id, pan = true) {
  state.grid = id;
  remember();
  for (const row of $("rank").rows) {
    const mine = Number(row.dataset.grid) === id;
    row.className = mine ? "chosen" : "";
    row.querySelector("button").setAttribute("aria-pressed", String(mine));
    if (mine && !pan) row.scrollIntoView({ block: "nearest" });
  }
  grids?.select(id, { pan });
}

/* charts: numbers always stand beside colour and length */
function byCategory(sums) {
  const most = Math.max(1, ...sums.categories.map((one) => one.cases));
  const rows = sums.categories.map(({ name, cases }) => {
    const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(svg("rect", { width: (100 * cases) / most, height: 10, fill: "#4f81b0" }));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", { class: "bar" }, bar),
      h("td", { class: "number" }, number(cases)),
      h("td", { class: "number muted" }, `${number((100 * cases) / sums.total, 1)}%`),
    );
  });
  $("by-category").replaceChildren(rows.length ? h("table", { class: "bars" }, h("tbody", {}, rows)) : none());
}

function byMonth(months) {
  if (!months.length) return $("by-month").replaceChildren(none());
  const all = filled(months);
  const [width, height, left, foot] = [620, 220, 8, 36];
  const most = Math.max(...all.map((one) => one.cases), 1);
  const step = (width - left) / all.length;
  const thin = Math.max(1, Math.ceil(all.length / 12));
  const chart = svg("svg", { class: "months", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("每月事件数柱状图，数值见下表") });
  all.forEach(({ name, cases }, i) => {
    const tall = ((height - foot - 18) * cases) / most;
    const x = left + i * step;
    const bar = svg("rect", { x: x + step * 0.14, y: height - foot - tall, width: step * 0.72, height: tall });
    bar.append(svg("title", {}, `${name} ${number(cases)}`));
    chart.append(bar);
    if (i % thin === 0) {
      const middle = x + step / 2;
      const value = svg("text", { x: middle, y: height - foot - tall - 5, "text-anchor": "middle" }, number(cases));
      const label = svg("text", { x: middle, y: height - foot + 15, "text-anchor": "middle" }, name.slice(5));
      chart.append(value, label);
      if (i === 0 || name.slice(0, 4) !== all[i - thin]?.name.slice(0, 4)) {
        chart.append(svg("text", { x: middle, y: height - foot + 30, "text-anchor": "middle" }, name.slice(0, 4)));
      }
    }
  });
  chart.append(svg("line", { x1: left, x2: width, y1: height - foot, y2: height - foot }));
  const table = h(
    "table",
    { class: "visually-hidden" },
    h("caption", {}, t("每月事件数")),
    h("tbody", {}, all.map(({ name, cases }) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, number(cases))))),
  );
  $("by-month").replaceChildren(chart, table);
}

/** Months without a case stand as noughts. */
function filled(months) {
  const counts = new Map(months.map(({ name, cases }) => [name, cases]));
  const all = [];
  for (let [year, month] = months[0].name.split("-").map(Number); ; month === 12 ? ((year += 1), (month = 1)) : (month += 1)) {
    const name = `${year}-${String(month).padStart(2, "0")}`;
    all.push({ name, cases: counts.get(name) ?? 0 });
    if (name >= months.at(-1).name || all.length > 1200) return all;
  }
}

function byWeek(week) {
  const most = Math.max(1, ...week.flat());
  const level = (count) => (count === 0 ? 0 : Math.min(5, 1 + Math.floor((5 * count) / (most + 1))));
  const hours = [...Array(24).keys()];
  const head = h("tr", {}, h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("星期"))), hours.map((hour) => h("th", { scope: "col", abbr: t("{n} 时", { n: hour }) }, String(hour))));
  const rows = week.map((counts, i) =>
    h("tr", {}, h("th", { scope: "row" }, data.weekdays[i]), counts.map((count) => h("td", { class: `w${level(count)}` }, number(count)))),
  );
  const caption = h("caption", { class: "visually-hidden" }, t("每个星期几、每个小时的事件数"));
  $("by-week").replaceChildren(h("table", { class: "week" }, caption, h("thead", {}, head), h("tbody", {}, rows)));
}

function none() {
  return h("p", { class: "muted" }, t("没有事件。"));
}

/* filters */
function show() {
  $("since").value = state.since;
  $("until").value = state.until;
  $("region").value = state.region;
  $("bandwidth").value = state.bandwidth;
  for (const box of filters.querySelectorAll("[name=category]")) box.checked = state.category.includes(box.value);
  for (const button of filters.querySelectorAll("[data-days]")) {
    const [since, until] = span(Number(button.dataset.days));
    button.setAttribute("aria-pressed", String(state.since === since && state.until === until));
  }
}

function span(days) {
  return days ? [shiftDay(data.today, 1 - days), data.today] : ["", ""];
}

filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("click", (event) => {
  const days = event.target.dataset?.days;
  if (days === undefined) return;
  [state.since, state.until] = span(Number(days));
  load();
});
filters.addEventListener("change", (event) => {
  const { name, value } = event.target;
  if (name === "plan") {
    remember();
    const params = new URLSearchParams(location.search);
    params.set("plan", value);
    params.delete("grid");
    location.search = params;
    return;
  }
  if (name === "category") state.category = [...filters.querySelectorAll("[name=category]:checked")].map((box) => box.value);
  else state[name] = value;
  if (name === "region") {
    const box = data.regions.find(({ code }) => code === value)?.bbox ?? data.bounds;
    map.fitBounds(latLngBox(box));
    grids?.setQuery({ region: value });
  }
  if (name === "bandwidth") {
    remember();
    heat.setParams({ ...wanted(), bandwidth: value });
    return;
  }
  load();
});
for (const button of document.querySelectorAll(".sort")) {
  button.addEventListener("click", () => {
    state.order = button.dataset.sort;
    remember();
    if (ranked) rank(ranked.counts, ranked.sums);
  });
}
grids?.on("gridclick", ({ id }) => choose(id, false));
grids?.on("loaded", () => state.grid && !grids.marked && (grids.marked = grids.select(state.grid, { pan: true })));
heat.on("failed", () => {
  $("map-note").textContent = t("热力图未能取回，请检查网络后移动地图重试。");
  $("map-note").hidden = false;
});
heat.on("loaded", () => ($("map-note").hidden = true));

/* begin */
if (state.region) {
  const box = data.regions.find(({ code }) => code === state.region)?.bbox;
  if (box) map.fitBounds(latLngBox(box), { animate: false });
}
load();
