/** The page of a plan: findings, misfits and grids beside the map; what is shown stands in the address. */

import { getJson } from "./api.js";
import { h, latLngBox, pageData } from "./dom.js";
import { number, t } from "./i18n.js";

const data = pageData();
const { map, grids } = window.gridmap.page;
const $ = (id) => document.getElementById(id);
const api = (path, params = {}) => {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  return getJson(`/api/v1/plans/${data.plan}/${path}?${query}`);
};
const SIGNS = { E: ["✕", t("错误")], W: ["!", t("警告")], I: ["i", t("提示")] };
const STATUS_SIGNS = { under: "▽", within: "○", over: "▲", empty: "□", unchecked: "?" };
const FINDINGS = 40;
const GRIDS = 25;

/* state <-> address */
const asked = new URLSearchParams(location.search);
const state = {
  tab: asked.get("tab") ?? (["grid", "rule", "severity", "region"].some((name) => asked.has(name)) ? "findings" : "rules"),
  rule: asked.get("rule") ?? "",
  severity: asked.get("severity") ?? "",
  region: asked.get("region") ?? "",
  unavoidable: asked.get("unavoidable") === "true",
  grid: Number(asked.get("grid")) || null,
  kind: asked.get("kind") ?? "",
  status: asked.get("status") ?? "",
  order: ["code", "households", "errors"].includes(asked.get("order")) ? asked.get("order") : "errors",
  text: asked.get("text") ?? "",
  page: Math.max(1, Number(asked.get("page")) || 1),
};

function remember() {
  const params = new URLSearchParams();
  for (const key of ["rule", "severity", "region", "grid", "kind", "status", "text"]) if (state[key]) params.set(key, state[key]);
  if (state.unavoidable) params.set("unavoidable", "true");
  if (state.tab !== "rules") params.set("tab", state.tab);
  if (state.order !== "errors") params.set("order", state.order);
  if (state.page > 1) params.set("page", state.page);
  const query = params.toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

/* tabs */
const tabs = [...document.querySelectorAll("[role=tab]")];

function open(name, focus = false) {
  if (!$(`tab-${name}`)) name = "rules";
  state.tab = name;
  for (const tab of tabs) {
    const mine = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(mine));
    tab.tabIndex = mine ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !mine;
    if (mine && focus) tab.focus();
  }
  if (name === "misfits" && !$("misfits").childElementCount) misfits();
  remember();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => open(tab.id.slice(4)));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) open(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length].id.slice(4), true);
  });
}

/* the place of a fault */
let place = null;

function point(geometry, box) {
  place?.remove();
  place = null;
  if (geometry) {
    place = L.geoJSON(geometry, {
      interactive: false,
      style: { color: "#b3001b", weight: 4, fillColor: "#b3001b", fillOpacity: 0.3, dashArray: "6 3" },
      pointToLayer: (feature, at) => L.circleMarker(at, { radius: 9, color: "#b3001b", weight: 4 }),
    }).addTo(map);
  }
  const bounds = place?.getBounds().isValid() ? place.getBounds() : box && L.latLngBounds(latLngBox(box));
  if (bounds) map.fitBounds(bounds, { maxZoom: 18, padding: [60, 60] });
  if (matchMedia("(max-width: 860px)").matches) map.getContainer().scrollIntoView({ block: "center" });
}

function choose(item) {
  document.querySelectorAll(".findings > .chosen").forEach((other) => other.classList.remove("chosen"));
  item.classList.add("chosen");
}

function note(message) {
  $("map-note").textContent = message ?? "";
  $("map-note").hidden = !message;
}

/* findings */
let listing = 0;

async function findings(append = false) {
  const mine = ++listing;
  const list = $("findings");
  const offset = append ? list.childElementCount : 0;
  const { rule, severity, region, grid } = state;
  remember();
  let page;
  try {
    page = await api("findings", { rule, severity, region, grid, unavoidable: state.unavoidable || null, limit: FINDINGS, offset });
  } catch (error) {
    $("finding-total").textContent = error.message;
    return;
  }
  if (mine !== listing) return;
  const items = page.items.map(finding);
  append ? list.append(...items) : list.replaceChildren(...items);
  $("finding-count").textContent = data.checked ? number(page.total) : "";
  $("finding-total").textContent = page.total ? t("{n} 条，错误在前", { n: number(page.total) }) : data.checked ? t("没有符合条件的问题。") : t("尚未核查。");
  $("more-findings").hidden = list.childElementCount >= page.total;
  const shown = $("grid-filter");
  shown.hidden = state.grid === null;
  if (state.grid !== null) {
    const name = page.items[0]?.grid_name ?? page.items[0]?.grid_code ?? named.get(state.grid) ?? String(state.grid);
    shown.querySelector("span").textContent = t("只看网格 {name}", { name });
  }
}

function finding(row) {
  const [sign, word] = SIGNS[row.severity];
  const badge = (className, swatch, text) => h("span", { class: `badge ${className}` }, h("span", { class: "swatch", "aria-hidden": "true" }, swatch), text);
  const item = h(
    "li",
    {},
    h(
      "div",
      { class: "line" },
      row.checked ? badge(`severity-${row.severity}`, sign, word) : badge("", "?", t("未核查")),
      h("span", { class: "code-text" }, row.rule),
      row.grid_code ? h("span", {}, `${row.grid_name ?? ""} ${row.grid_code.slice(-3)}`) : h("span", {}, row.region_name ?? ""),
      row.unavoidable ? badge("tone-neutral", "≠", t("不可避免")) : null,
      row.bbox || row.grid_id ? h("button", { type: "button", class: "button small", onclick: () => show(row, item) }, t("在地图上显示")) : null,
    ),
    h("p", { class: "sentence" }, row.sentence),
    row.hint && !row.unavoidable ? h("p", { class: "hint" }, row.hint) : null,
  );
  return item;
}

async function show(row, item) {
  choose(item);
  if (row.grid_id) grids.select(row.grid_id, { pan: !row.bbox });
  try {
    point(row.bbox ? (await api(`findings/${row.id}/place`)).geometry : null, row.bbox);
  } catch (error) {
    note(error.message);
  }
}

/* misfits */
async function misfits(append = false) {
  const list = $("misfits");
  const offset = append ? list.childElementCount : 0;
  let page;
  try {
    page = await api("misfits", { kind: state.kind, limit: FINDINGS, offset });
  } catch (error) {
    $("misfit-total").textContent = error.message;
    return;
  }
  const items = page.items.map((row) => {
    const about = [row.name, area(row.area_m2), row.households ? `${number(row.households)} ${t("户")}` : ""].filter(Boolean).join(" · ");
    const between = [row.grid_name || row.grid_code, row.other_code].filter(Boolean).join(" ↔ ");
    const item = h(
      "li",
      {},
      h(
        "div",
        { class: "line" },
        h("span", { class: "badge" }, data.kinds[row.kind] ?? row.kind),
        h("span", {}, between),
        row.geometry ? h("button", { type: "button", class: "button small", onclick: () => (choose(item), point(row.geometry)) }, t("在地图上显示")) : null,
      ),
      h("p", { class: "sentence" }, about),
    );
    return item;
  });
  append ? list.append(...items) : list.replaceChildren(...items);
  $("misfit-total").textContent = t("{n} 处", { n: number(page.total) });
  $("more-misfits").hidden = list.childElementCount >= page.total;
  for (const button of document.querySelectorAll("[data-kind]")) button.setAttribute("aria-pressed", String(button.dataset.kind === state.kind));
}

function area(m2) {
  return m2 === null ? "" : m2 >= 1e4 ? `${number(m2 / 1e6, 3)} km²` : `${number(m2)} m²`;
}

/* grids */
const named = new Map();
let tabling = 0;

async function table() {
  const mine = ++tabling;
  remember();
  const offset = (state.page - 1) * GRIDS;
  let page;
  try {
    page = await api("grids", { status: state.status, text: state.text, order: state.order, limit: GRIDS, offset });
  } catch (error) {
    $("page").textContent = error.message;
    return;
  }
  if (mine !== tabling) return;
  const pages = Math.max(1, Math.ceil(page.total / GRIDS));
  if (!page.items.length && state.page > 1) {
    state.page = 1;
    return table();
  }
  $("grids").replaceChildren(...page.items.map(row));
  if (!page.items.length) $("grids").append(h("tr", {}, h("td", { colSpan: 11, class: "muted" }, t("没有符合筛选条件的网格。"))));
  $("page").textContent = t("第 {page} / {pages} 页，共 {n} 个网格", { page: number(state.page), pages: number(pages), n: number(page.total) });
  $("before").disabled = state.page <= 1;
  $("after").disabled = state.page >= pages;
  for (const button of document.querySelectorAll("[data-order]")) {
    const chosen = button.dataset.order === state.order;
    button.setAttribute("aria-pressed", String(chosen));
    button.closest("th").setAttribute("aria-sort", chosen ? (state.order === "code" ? "ascending" : "descending") : "none");
  }
}

function row(grid) {
  named.set(grid.id, grid.name ?? grid.code);
  const bound = grid.households_min === null ? "—" : `${number(grid.households_min)}–${number(grid.households_max)}`;
  const status = h("span", { class: `badge status-${grid.status}` }, h("span", { class: "swatch", "aria-hidden": "true" }, STATUS_SIGNS[grid.status]), data.labels[grid.status]);
  const count = (value, sign, className) => h("td", { class: "number" }, value ? h("span", { class: className }, `${sign} ${number(value)}`) : "0");
  return h(
    "tr",
    { class: grid.id === state.grid ? "chosen" : "", "data-grid": grid.id },
    h("td", {}, h("button", { type: "button", class: "row-button", onclick: () => pick(grid.id, grid.bbox) }, grid.name || grid.code), h("span", { class: "code-text" }, grid.code)),
    h("td", {}, grid.region_name ?? ""),
    h("td", {}, status),
    h("td", { class: "number" }, `${grid.households === null ? grid.households_text : number(grid.households)}${grid.estimated_households ? "≈" : ""}`),
    h("td", { class: "number" }, bound),
    h("td", { class: "number" }, number(grid.population)),
    h("td", { class: "number" }, `${number(grid.buildings)} / ${number(grid.units)}`),
    h("td", { class: "number" }, number(grid.workers)),
    count(grid.errors, "✕", "bad-text"),
    count(grid.warnings, "!", "warn-text"),
    h("td", { class: "small" }, grid.rules.join(" ")),
  );
}

/** One grid: its findings beside the map, and the grid in view. */
function pick(id, box = null) {
  state.grid = id;
  for (const one of $("grids").rows) one.className = Number(one.dataset.grid) === id ? "chosen" : "";
  place?.remove();
  if (id === null) grids.select(null);
  else if (!grids.select(id, { pan: box !== false }) && box) map.fitBounds(latLngBox(box), { maxZoom: 17, padding: [60, 60] });
  if (id !== null) Object.assign(state, { rule: "", severity: "", region: "", unavoidable: false });
  fill();
  findings();
  document.dispatchEvent(new CustomEvent("gridmap:picked", { detail: { id, name: named.get(id) ?? grids.feature(id)?.properties.name } }));
  if (id !== null) open("findings");
  if (id !== null && box) $("tab-findings").scrollIntoView({ block: "nearest" });
}

/* controls */
function fill() {
  for (const name of ["rule", "severity", "region"]) $(name).value = state[name];
  $("unavoidable").checked = state.unavoidable;
}

$("finding-filters").addEventListener("submit", (event) => event.preventDefault());
$("finding-filters").addEventListener("change", (event) => {
  const { name, value, checked } = event.target;
  state[name] = name === "unavoidable" ? checked : value;
  findings();
});
$("grid-clear").addEventListener("click", () => pick(null));
$("more-findings").addEventListener("click", () => findings(true));
$("more-misfits")?.addEventListener("click", () => misfits(true));
for (const button of document.querySelectorAll("[data-rule]")) {
  button.addEventListener("click", () => {
    Object.assign(state, { rule: button.dataset.rule, severity: "", region: "", grid: null, unavoidable: false });
    fill();
    findings();
    open("findings", true);
  });
}
for (const button of document.querySelectorAll("[data-kind]")) {
  button.addEventListener("click", () => {
    state.kind = state.kind === button.dataset.kind ? "" : button.dataset.kind;
    remember();
    misfits();
  });
}
for (const button of document.querySelectorAll("[data-order]")) {
  button.addEventListener("click", () => {
    Object.assign(state, { order: button.dataset.order, page: 1 });
    table();
  });
}
let typing;
$("text").value = state.text;
$("text").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    Object.assign(state, { text: event.target.value.trim(), page: 1 });
    table();
  }, 200);
});
$("status").value = state.status;
$("status").addEventListener("change", (event) => {
  Object.assign(state, { status: event.target.value, page: 1 });
  table();
});
$("grid-filters").addEventListener("submit", (event) => event.preventDefault());
$("before").addEventListener("click", () => ((state.page -= 1), table()));
$("after").addEventListener("click", () => ((state.page += 1), table()));
grids.on("gridclick", ({ id }) => pick(id, false));
document.addEventListener("gridmap:show-grid", ({ detail }) => {
  pick(detail.id, null);
  map.getContainer().scrollIntoView({ block: "center" });
});
grids.on("loaded", () => note(""));
grids.on("tiles", () => note(t("这里网格很多，放大后可点选单个网格。")));
grids.on("failed", () => note(t("网格未能取回，请检查网络后移动地图重试。")));

/* begin */
let panned = state.grid === null;
grids.on("loaded", () => {
  if (panned) return;
  panned = true;
  grids.select(state.grid, { pan: true });
});
fill();
open(state.tab);
findings();
table();
