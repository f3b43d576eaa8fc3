/** Released figures of cases: one choice of time, category and region for map, ranking and charts. */

import { getJson } from "./api.js";
import { h, latLngBox, pageData, svg } from "./dom.js";
import { number, t } from "./i18n.js";

const data = pageData();
const { map, grids } = window.gridmap.page;
const $ = (id) => document.getElementById(id);
const COLOURS = ["#fdf0d5", "#f9d29d", "#f2a65e", "#dd7533", "#b3470f", "#7a2a06"];
const NOUGHT = "#ffffff";
const WITHHELD = "#c9ced4";
const all = `${data.months[0]}/${data.months.at(-1)}`;
const asked = new URLSearchParams(location.search);
const known = (id, value, otherwise) => ([...$(id).options].some((one) => one.value === value) ? value : otherwise);
const state = {
  period: known("period", asked.get("period"), all),
  category: known("category", asked.get("category") ?? "", ""),
  region: known("region", asked.get("region") ?? "", ""),
  level: known("level", asked.get("level"), data.level),
  order: asked.get("order") === "per_1000_households" ? "per_1000_households" : "cases",
  grid: Number(asked.get("grid")) || null,
};
if (state.category && !whole(state.period)) state.category = "";
if (state.level !== "grid") state.order = "cases";

/** Whether a span is made of whole releases: only those have categories. */
function whole(period) {
  const [first, last] = period.split("/");
  return data.releases.some(([since]) => since === first) && data.releases.some(([, until]) => until === last);
}

/** Each choice is a step that the browser's way back undoes; the first only tidies the address. */
let remembered = false;

function remember() {
  const params = new URLSearchParams();
  if (state.period !== all) params.set("period", state.period);
  for (const key of ["category", "region", "grid"]) if (state[key]) params.set(key, state[key]);
  if (state.level !== data.level) params.set("level", state.level);
  if (state.order !== "cases") params.set("order", state.order);
  const address = params.size ? `?${params}` : location.pathname;
  if (address !== location.search && location.pathname + location.search !== address) history[remembered ? "pushState" : "replaceState"](null, "", address);
  remembered = true;
}
addEventListener("popstate", () => !location.hash && location.reload());

function query() {
  const [since, until] = state.period.split("/");
  const params = new URLSearchParams({ level: state.level, since, until, limit: 2000 });
  if (state.category) params.append("category", state.category);
  if (state.region) params.set("region", state.region);
  return params;
}

let epoch = 0;
let shown = new Map();
/** So much of a grid's code names the place that is counted. */
const DIGITS = { grid: 15, community: 12, subdistrict: 9 };

async function load() {
  const mine = ++epoch;
  remember();
  for (const id of ["period", "category", "region", "level"]) $(id).value = state[id];
  // on paper there is no form: what is shown stands in a line
  $("summary").textContent = ["period", "region", "category"].map((id) => `${$(id).labels[0].textContent}：${$(id).selectedOptions[0].textContent.trim()}`).join(" · ");
  $("status").setAttribute("aria-busy", "true");
  try {
    const found = await getJson(`/api/v1/cases/released?${query()}`);
    if (mine !== epoch) return;
    if (state.grid && rows(found).every((id) => id !== state.grid)) {
      state.grid = null; // an address may name what is not released here
      remember();
    }
    rank(found);
    paint(found);
    await Promise.all([profile(mine), spots(mine)]);
  } catch (error) {
    if (mine === epoch) $("status").replaceChildren(error.message);
  } finally {
    if (mine === epoch) $("status").removeAttribute("aria-busy");
  }
}

const rows = (found) => found.items.map((row) => row.grid_id);

/* ranking */
let last = null;

function rank(found) {
  last = found;
  // households are released for grids only
  const rated = state.level === "grid";
  $("rank-kind").textContent = $("level").selectedOptions[0].textContent;
  document.querySelector("[data-sort=per_1000_households]").closest("th").hidden = !rated;
  const rows = [...found.items];
  if (state.order !== "cases") rows.sort((a, b) => (b.per_1000_households ?? -1) - (a.per_1000_households ?? -1));
  const small = rows.filter((row) => row.text === "<5").length;
  const hidden = rows.filter((row) => row.text === "—").length;
  $("status").replaceChildren(
    t("{n} 个中 {a} 个显示准确数，{b} 个为“<5”，{c} 个为“—”。", { n: number(found.total), a: number(rows.length - small - hidden), b: number(small), c: number(hidden) }),
    " ",
    h("a", { href: "#why", onclick: () => ($("why").open = true) }, t("为什么？")),
  );
  $("rank-note").textContent = rows.length > 200 ? t("列出前 200 个。") : "";
  $("rank").replaceChildren(
    ...rows.slice(0, 200).map((row, i) =>
      h(
        "tr",
        { "data-grid": row.grid_id, class: row.grid_id && row.grid_id === state.grid ? "chosen" : "" },
        h("td", { class: "number" }, number(i + 1)),
        h(
          "td",
          {},
          h("button", { type: "button", class: "row-button", "aria-pressed": String(row.grid_id !== null && row.grid_id === state.grid), onclick: () => choose(row) }, row.name || row.code),
          h("span", { class: "place" }, row.code),
        ),
        h("td", { class: "number" }, row.cases === null ? row.text : number(row.cases)),
        rated ? h("td", { class: "number" }, number(row.per_1000_households, 1)) : "",
      ),
    ),
  );
  for (const button of document.querySelectorAll(".sort")) button.setAttribute("aria-pressed", String(button.dataset.sort === state.order));
}

function choose(row) {
  if (row.grid_id === null) {
    state.region = row.code;
    state.grid = null;
    fit();
    return load();
  }
  pick(row.grid_id, true);
}

function pick(id, pan) {
  state.grid = state.grid === id && !pan ? null : id;
  remember();
  if (last) rank(last);
  if (state.grid) grids?.select(state.grid, { pan });
  profile(epoch).catch((error) => $("status").replaceChildren(error.message));
}

/* map */
let tops = [];
const comma = t("、");

/** Upper ends of classes with as many places each, in round numbers; the last class has none. */
function classes(rows) {
  const values = rows.map((row) => row[state.order]).filter((value) => value > 0).sort((a, b) => a - b);
  const least = state.order === "cases" ? 9 : 0;
  const ends = [0.2, 0.4, 0.6, 0.8, 0.95].map((share) => round(values[Math.floor(share * values.length)] ?? 0));
  return [...new Set(ends.filter((end) => end > least))].sort((a, b) => a - b);
}

function round(value) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(value, 1))) - 1);
  return Math.round(value / unit) * unit;
}

function step(value) {
  const at = tops.findIndex((top) => value <= top);
  const place = at < 0 ? tops.length : at;
  return Math.round((place * (COLOURS.length - 1)) / Math.max(tops.length, 1));
}

/** The row that a grid is coloured by: its own, or that of the region it lies in. */
const rowOf = ({ id, properties: { code } }) => shown.get(state.level === "grid" ? id : String(code).slice(0, DIGITS[state.level]));

function fill(row) {
  if (!row) return NOUGHT;
  const value = row[state.order];
  if (value === null) return row.text === "<5" && state.order === "cases" ? COLOURS[0] : WITHHELD;
  return value === 0 ? NOUGHT : COLOURS[step(value)];
}

function style(feature) {
  const row = rowOf(feature);
  const text = state.order === "cases" ? row?.text : number(row?.per_1000_households, 1);
  const p = feature.properties;
  return {
    label: state.level === "grid" ? [String(p.code).slice(-3), text ?? ""] : null,
    labelAt: p.label_lon == null ? null : L.latLng(p.label_lat, p.label_lon),
    color: "#33475b",
    weight: 1,
    fill: true,
    fillColor: fill(row),
    fillOpacity: 0.75,
  };
}

if (grids) grids._style = style;

function paint(found) {
  shown = new Map(found.items.map((row) => [row.grid_id ?? row.code.slice(0, DIGITS[state.level]), row]));
  tops = classes(found.items);
  restyle();
  const counted = state.order === "cases";
  const words = tops.map((top, i) => [COLOURS[step(top)], i === 0 ? (counted ? `<5${comma}5–${number(top)}` : `≤ ${number(top)}`) : `${counted ? number(tops[i - 1] + 1) : `> ${number(tops[i - 1])}`}–${number(top)}`]);
  const rest = tops.length ? `> ${number(tops.at(-1))}` : t("大于 0");
  const rows = [[NOUGHT, "0"], ...words, [COLOURS[step(Infinity)], rest], [WITHHELD, counted ? t("“—” 不显示") : t("不显示或没有住户")]];
  $("classes").replaceChildren(
    h("li", {}, h("b", {}, counted ? t("件数") : t("每千户件数"))),
    ...rows.map(([colour, text]) => h("li", {}, svg("svg", { viewBox: "0 0 20 14", "aria-hidden": "true" }, svg("rect", { width: 20, height: 14, fill: colour })), text)),
  );
}

function restyle() {
  grids?.setFilled(true);
  if (state.grid) grids?.select(state.grid);
}

function fit() {
  const box = data.regions.find(({ code }) => code === state.region)?.bbox ?? data.bounds;
  map.fitBounds(latLngBox(box), { animate: false });
  grids?.setQuery(state.region ? { region: state.region } : {});
}

/* hot spots: of months, not of categories */
async function spots(mine) {
  $("spots-card").hidden = true;
  if (state.category) return;
  const [since, until] = state.period.split("/");
  const params = new URLSearchParams({ since, until });
  if (state.region) params.set("region", state.region);
  const found = await getJson(`/api/v1/cases/released/hot-spots?${params}`);
  if (mine !== epoch) return;
  $("spots-card").hidden = false;
  const go = (spot) => h("button", { type: "button", class: "button small", onclick: () => (grids?.mark(spot.grids.map(([id]) => id)), map.getContainer().scrollIntoView({ block: "nearest" })) }, t("在地图上看"));
  $("spots").replaceChildren(...found.items.map((spot) => h("li", {}, spot.sentence, " ", go(spot))));
  $("spots-none").textContent = found.items.length ? "" : t("没有明显的热点。");
}

/* one place along each attribute */
async function profile(mine) {
  const region = state.region || (data.everywhere ? "" : data.regions[0]?.code ?? "");
  const address = state.grid ? `grid=${state.grid}` : region ? `region=${region}` : "";
  const found = await getJson(`/api/v1/cases/released/profile?${address}`);
  if (mine !== epoch) return;
  const [first, until] = [data.months[0], data.months.at(-1)];
  $("place").textContent = t("{place}，{a} 至 {b}：已发布 {n} 件", { place: found.name ?? (found.code || t("全部区划")), a: first, b: until, n: found.whole.cases === null ? found.whole.text : number(found.whole.cases) });
  const [since, to] = state.period.split("/");
  bars("by-month", found.months, (key) => key, (key) => state.period === all || (key >= since && key <= to));
  bars("by-category", [...found.categories].sort((a, b) => (b.cases ?? 0) - (a.cases ?? 0)), (key) => key);
  bars("by-weekday", found.weekdays, (key) => data.weekdays[Number(key)]);
  bars("by-hours", found.hours, (key) => `${4 * Number(key)}–${4 * Number(key) + 4} ${t("时")}`);
}

/** `chosen`: which bars stand out. */
function bars(id, cells, word, chosen = () => true) {
  const most = Math.max(1, ...cells.map((one) => one.cases ?? 0));
  const rows = cells.map((one) => {
    const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(svg("rect", { width: (100 * (one.cases ?? 0)) / most, height: 10, fill: chosen(one.key) ? "#4f81b0" : "#c3d3e2" }));
    return h("tr", {}, h("th", { scope: "row" }, word(one.key)), h("td", { class: "bar" }, bar), h("td", { class: "number" }, one.cases === null ? one.text : number(one.cases)));
  });
  $(id).replaceChildren(rows.length ? h("table", { class: "bars" }, h("tbody", {}, rows)) : h("p", { class: "muted" }, t("没有事件。")));
}

/* filters */
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("change", (event) => {
  const { name, value } = event.target;
  state[name] = value;
  if (name === "level" && value !== "grid") Object.assign(state, { order: "cases", grid: null });
  // category and month together are not published: the one chosen last stands
  if (name === "category" && value && !whole(state.period)) state.period = all;
  if (name === "period" && !whole(value)) state.category = "";
  if (name === "region") {
    state.grid = null;
    fit();
  }
  load();
});
for (const button of document.querySelectorAll(".sort")) {
  button.addEventListener("click", () => {
    state.order = button.dataset.sort;
    remember();
    if (!last) return;
    rank(last);
    paint(last);
  });
}
grids?.on("gridclick", ({ id }) => pick(id, false));
grids?.on("loaded", restyle);
grids?.on("tiles", () => {
  $("map-note").textContent = t("网格太多，请选择区划或放大地图，再按件数着色。");
  $("map-note").hidden = false;
});

if (state.region) fit();
load();
