/** The map page: filters, list and map show one state, which stands in the address. */

import { getJson } from "./api.js";
import { number, t } from "./i18n.js";

const data = JSON.parse(document.getElementById("page-data").textContent);
const { map, grids, heat, regions, ground, legend } = window.gridmap.page;
const $ = (id) => document.getElementById(id);
const PAGE = 60;

/* state <-> address */
const asked = new URLSearchParams(location.search);
const state = {
  region: asked.get("region") ?? "",
  rule: asked.get("rule") ?? "",
  status: asked.getAll("status"),
  grid: asked.get("grid") ? Number(asked.get("grid")) : null,
  order: asked.get("order") ?? "errors",
};

function remember() {
  const params = new URLSearchParams(data.date ? { date: data.date } : data.plan ? { plan: data.plan } : {});
  for (const key of ["region", "rule", "grid"]) if (state[key]) params.set(key, state[key]);
  if (state.order !== "errors") params.set("order", state.order);
  state.status.forEach((status) => params.append("status", status));
  const hidden = Object.entries({ heat, regions, ground }).filter(([name, layer]) => layer && map.hasLayer(layer) !== (name !== "heat"));
  if (hidden.length) params.set("layers", hidden.map(([name]) => name).join("."));
  const centre = map.getCenter();
  params.set("at", `${map.getZoom()}/${centre.lat.toFixed(5)}/${centre.lng.toFixed(5)}`);
  history.replaceState(null, "", `?${params}`);
}

function query() {
  return { region: state.region, rule: state.rule, status: state.status };
}

/* the list */
let shown = 0;
let listing = 0;

async function list(append = false) {
  const mine = ++listing;
  if (!append) shown = 0;
  const params = new URLSearchParams({ order: state.order, limit: PAGE, offset: shown });
  if (state.region) params.set("region", state.region);
  if (state.rule) params.set("rule", state.rule);
  state.status.forEach((status) => params.append("status", status));
  let page;
  try {
    page = await getJson(`/api/v1/plans/${data.plan}/grids?${params}`);
  } catch (error) {
    note(error.message);
    return;
  }
  if (mine !== listing) return;
  const rows = page.items.map(row);
  append ? $("list").append(...rows) : $("list").replaceChildren(...rows);
  shown += page.items.length;
  $("more").hidden = shown >= page.total;
  $("list-total").textContent = t("{n} 个网格", { n: number(page.total) });
  if (!page.total) {
    const none = document.createElement("li");
    none.className = "muted";
    none.style.padding = "8px 14px";
    none.textContent = t("没有符合筛选条件的网格。");
    $("list").replaceChildren(none);
  }
}

/** Households as they are shown: "<5" or "—" where they are withheld. */
const households = (grid) => (grid.households === null ? grid.households_text : number(grid.households));

function row(grid) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.grid = grid.id;
  button.setAttribute("aria-pressed", String(grid.id === state.grid));
  button.append(
    swatch(grid.status),
    text("span", "name", grid.name || grid.code),
    text("span", "count", `${households(grid)}${grid.estimated_households > 0 ? "≈" : ""} ${t("户")}`),
    text("span", "place", `${data.labels[grid.status]} · ${grid.region_name ?? ""} ${grid.code.slice(-3)}`),
    text("span", "faults", grid.errors ? t("{n} 个错误", { n: grid.errors }) : ""),
  );
  button.addEventListener("click", () => select(grid.id, { pan: true, bbox: grid.bbox }));
  item.append(button);
  return item;
}

function text(tag, className, content) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = content;
  return element;
}

function swatch(status) {
  const canvas = document.createElement("canvas");
  canvas.className = "swatch-canvas";
  canvas.width = 22;
  canvas.height = 14;
  canvas.setAttribute("aria-hidden", "true");
  window.gridmap.paintSwatch?.(canvas, status);
  return canvas;
}

/* one grid */
async function select(id, { pan = false, bbox = null } = {}) {
  state.grid = id;
  for (const button of $("list").querySelectorAll("button")) {
    const mine = Number(button.dataset.grid) === id;
    button.setAttribute("aria-pressed", String(mine));
    if (mine && !pan) button.scrollIntoView({ block: "nearest" });
  }
  remember();
  fault?.remove();
  if (id === null) {
    grids.select(null);
    $("card").hidden = true;
    return;
  }
  if (!grids.select(id, { pan }) && pan && bbox) {
    map.fitBounds([[bbox[1], bbox[0]], [bbox[3], bbox[2]]], { maxZoom: 17, padding: [60, 60] });
  }
  try {
    const detail = await getJson(`/api/v1/plans/${data.plan}/grids/${id}`);
    if (state.grid === id) card(detail);
  } catch (error) {
    note(error.message);
  }
}

let fault = null;

function card(grid) {
  const box = $("card");
  const head = text("h2", "", grid.name || grid.code);
  const close = text("button", "close", "×");
  close.type = "button";
  close.setAttribute("aria-label", t("关闭"));
  close.addEventListener("click", () => select(null));
  head.prepend(swatch(grid.status));
  head.append(close);
  const bound = grid.households_min === null ? t("无户数标准") : `${number(grid.households_min)}–${number(grid.households_max)}`;
  const facts = [
    [t("编码"), grid.code],
    [t("状态"), data.labels[grid.status]],
    [t("户数"), `${households(grid)}（${t("标准")} ${bound}）`],
    [t("人口"), number(grid.population)],
    [t("楼栋 / 单元"), `${number(grid.buildings)} / ${number(grid.units)}`],
    [t("面积"), grid.area_m2 >= 1e4 ? `${number(grid.area_m2 / 1e6, 2)} km²` : `${number(grid.area_m2)} m²`],
    [t("网格员"), grid.workers === null ? t("未登记") : number(grid.workers)],
  ];
  if (grid.estimated_households > 0) facts.push([t("其中估算"), `${number(grid.estimated_households)} ${t("户")} ≈`]);
  if (grid.missing_households > 0) facts.push([t("缺户数的楼栋"), number(grid.missing_households)]);
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [name, value] of facts) list.append(text("dt", "", name), text("dd", "", value));
  const results = document.createElement("ul");
  for (const result of grid.results) {
    const item = document.createElement("li");
    item.append(text("span", `badge severity-${result.severity}`, `${{ E: "✕", W: "!", I: "i" }[result.severity]} ${result.rule}`));
    const sentence = result.geometry ? document.createElement("button") : document.createElement("span");
    sentence.textContent = result.sentence;
    if (result.geometry) {
      sentence.type = "button";
      sentence.addEventListener("click", () => showFault(result.geometry));
    }
    item.append(sentence);
    results.append(item);
  }
  if (!grid.results.length) results.append(text("li", "muted", t("没有发现问题。")));
  const link = text("a", "button small", t("在方案中查看"));
  link.href = `/plans/${data.plan}?grid=${grid.id}`;
  const desk = text("a", "button small", t("在工作台中打开"));
  desk.href = `/plans/${data.plan}/studio#grid=${encodeURIComponent(grid.code)}`;
  const ways = text("p", "actions", "");
  ways.append(link, desk);
  box.replaceChildren(head, list, results, ways);
  box.hidden = false;
}

function showFault(geometry) {
  fault?.remove();
  fault = L.geoJSON(geometry, {
    style: { color: "#b3001b", weight: 4, fillColor: "#b3001b", fillOpacity: 0.35, dashArray: "6 3" },
    pointToLayer: (feature, at) => L.circleMarker(at, { radius: 9, color: "#b3001b", weight: 4 }),
  }).addTo(map);
  map.fitBounds(fault.getBounds(), { maxZoom: 18, padding: [80, 80] });
}

/* what the map says */
function note(message) {
  $("map-note").textContent = message ?? "";
  $("map-note").hidden = !message;
}

grids?.on("gridclick", ({ id }) => select(id));
grids?.on("loaded", () => note(""));
grids?.on("tiles", () => note(t("这里网格很多，放大后可点选单个网格。")));
grids?.on("failed", () => note(t("网格未能取回，请检查网络后移动地图重试。")));
map.on("click", () => grids && select(null));
heat?.on("add", () => grids?.setFilled(false)).on("remove", () => grids?.setFilled(true));
map.on("moveend layeradd layerremove", remember);

/* filters */
function apply() {
  grids?.setQuery(query());
  if (grids) list();
  remember();
}

for (const box of $("filters").querySelectorAll("[name=status]")) {
  box.checked = state.status.includes(box.value);
  box.addEventListener("change", () => {
    state.status = [...$("filters").querySelectorAll("[name=status]:checked")].map((one) => one.value);
    apply();
  });
}
$("rule").value = state.rule;
$("rule").addEventListener("change", (event) => {
  state.rule = event.target.value;
  apply();
});
$("region").value = state.region;
$("region").addEventListener("change", async (event) => {
  state.region = event.target.value;
  apply();
  const chosen = data.regions.find(({ code }) => code === state.region);
  const box = chosen?.bbox ?? data.bounds;
  if (box) map.fitBounds([[box[1], box[0]], [box[3], box[2]]]);
});
/** Open the page anew on another plan: chosen by its number, or by a day. */
function reopen(name, value) {
  const params = new URLSearchParams(location.search);
  for (const other of ["plan", "date", "grid"]) params.delete(other);
  if (value) params.set(name, value);
  location.search = params;
}
$("plan").addEventListener("change", (event) => reopen("plan", event.target.value));
$("date").addEventListener("change", (event) => event.target.validity.valid && reopen("date", event.target.value));
$("order").value = state.order;
$("order").addEventListener("change", (event) => {
  state.order = event.target.value;
  list();
  remember();
});
$("more").addEventListener("click", () => list(true));
$("filters").addEventListener("submit", (event) => event.preventDefault());
for (const canvas of document.querySelectorAll(".swatch-canvas[data-status]")) window.gridmap.paintSwatch?.(canvas, canvas.dataset.status);

/* search: a combobox */
let hits = [];
let active = -1;
let searching = 0;

async function search(text_) {
  const mine = ++searching;
  if (!text_.trim()) return closeSearch();
  try {
    const found = await getJson(`/api/v1/search?${new URLSearchParams({ text: text_, ...(data.plan && { plan: data.plan }) })}`);
    if (mine !== searching) return;
    hits = found.items;
  } catch (error) {
    return note(error.message);
  }
  active = -1;
  const items = hits.map((hit, i) => {
    const item = document.createElement("li");
    item.id = `hit-${i}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.append(text("span", "", hit.label), text("span", "muted", [data.hits[hit.kind], hit.region_name].filter(Boolean).join(" · ")));
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      go(i);
    });
    return item;
  });
  if (!items.length) items.push(text("li", "none", t("没有找到。")));
  $("found").replaceChildren(...items);
  $("found").hidden = false;
  $("search").setAttribute("aria-expanded", "true");
}

function closeSearch() {
  searching += 1;
  $("found").hidden = true;
  $("search").setAttribute("aria-expanded", "false");
  $("search").removeAttribute("aria-activedescendant");
}

function move(step) {
  if (!hits.length) return;
  active = (active + step + hits.length) % hits.length;
  [...$("found").children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
  $("search").setAttribute("aria-activedescendant", `hit-${active}`);
  $("found").children[active].scrollIntoView({ block: "nearest" });
}

function go(i) {
  const hit = hits[i];
  closeSearch();
  $("search").value = hit.label;
  if (hit.kind === "grid") select(hit.id, { pan: true, bbox: hit.bbox });
  else if (hit.bbox) map.fitBounds([[hit.bbox[1], hit.bbox[0]], [hit.bbox[3], hit.bbox[2]]], { maxZoom: 18 });
}

let typing;
$("search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => search(event.target.value), 180);
});
$("search").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Enter" && hits.length) go(Math.max(active, 0));
  else if (event.key === "Escape") return closeSearch();
  else return;
  event.preventDefault();
});
$("search").addEventListener("blur", closeSearch);

/* begin */
const view = /^(\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(asked.get("at") ?? "");
if (view) map.setView([Number(view[2]), Number(view[3])], Number(view[1]), { animate: false });
for (const name of (asked.get("layers") ?? "").split(".")) {
  const layer = { heat, regions, ground }[name];
  if (layer) map.hasLayer(layer) ? map.removeLayer(layer) : map.addLayer(layer);
}
L.control.layers(null, data.layers.reduce((all, [name, label]) => {
  const layer = window.gridmap.page[name];
  return layer ? { ...all, [label]: layer } : all;
}, {}), { position: "topright", collapsed: window.innerWidth < 1100 }).addTo(map);
if (grids) list();
else note(data.none ?? t("还没有划分方案：导入现有网格，或在“划分方案”中新建。"));
if (grids && state.grid !== null) {
  const there = grids.feature(state.grid);
  select(state.grid, { pan: there && !view });
  if (!there) grids.once("loaded", () => grids.select(state.grid, { pan: !view }));
}
