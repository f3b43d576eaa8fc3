/** The page that compares two plans: maps, filters and table show one state, which stands in the address. */

import { getJson } from "./api.js";
import { marker, swipe, synced } from "./compare-maps.js";
import { h, pageData } from "./dom.js";
import { number, t } from "./i18n.js";

const data = pageData();
const { maps, a, b, difference } = window.gridmap.page;
const map = maps[0];
const $ = (id) => document.getElementById(id);
const PAGE = 25;
const STATUS_SIGNS = { under: "▽", within: "○", over: "▲", empty: "□", unchecked: "?" };
const CHANGE_SIGNS = { changed: ["⇄", "tone-warn"], new: ["+", "tone-good"], gone: ["−", "tone-bad"], renamed: ["✎", "tone-info"], same: ["=", "tone-neutral"] };

/* state <-> address */
const asked = new URLSearchParams(location.search);
const known = (name, values, fallback) => (values.includes(asked.get(name)) ? asked.get(name) : fallback);
const state = {
  region: asked.get("region") ?? "",
  change: known("change", [...Object.keys(data.changes), "all"], ""),
  status: known("status", Object.keys(STATUS_SIGNS), ""),
  text: asked.get("text") ?? "",
  order: known("order", ["code", "moved", "households", ...(document.querySelector("[data-order=cases]") ? ["cases"] : [])], "code"),
  page: Math.max(1, Number(asked.get("page")) || 1),
  split: Math.min(1, Math.max(0, Number(asked.get("split") ?? 0.5) || 0)),
};
let viewed = asked.get("at"); // only a view that somebody chose stands in the address

function remember() {
  const params = new URLSearchParams({ a: data.a, b: data.b });
  for (const key of ["region", "change", "status", "text"]) if (state[key]) params.set(key, state[key]);
  if (state.order !== "code") params.set("order", state.order);
  if (state.page > 1) params.set("page", state.page);
  if (data.mode === "swipe" && state.split !== 0.5) params.set("split", state.split.toFixed(2));
  if (viewed) params.set("at", viewed);
  for (const link of document.querySelectorAll("[data-mode]")) {
    link.search = new URLSearchParams([...params, ["mode", link.dataset.mode]]).toString();
  }
  params.set("mode", data.mode);
  history.replaceState(null, "", `?${params}`);
}

/* maps */
const mark = marker(maps);
synced(maps);
const place = /^([\d.]+)\/(-?[\d.]+)\/(-?[\d.]+)$/.exec(viewed ?? "");
if (place) map.setView([Number(place[2]), Number(place[3])], Number(place[1]), { animate: false });
else viewed = null;
if (data.mode === "swipe") swipe(map, $("swipe"), state.split, (share) => ((state.split = share), remember()));
for (const one of maps) {
  one.on("dragend zoomend", () => {
    const { lat, lng } = one.getCenter();
    viewed = `${one.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`;
    remember();
  });
}
for (const grids of [a, b].filter(Boolean)) {
  grids.on("gridover", ({ feature }) => mark([feature.geometry]));
  grids.on("gridout", () => mark([]));
  grids.on("gridclick", ({ properties }) => search(properties.code));
  grids.on("failed", () => note(t("网格未能取回，请检查网络后移动地图重试。")));
}
difference?.on("areaclick", ({ properties: p }) => search((p.to ?? p.from).code));
difference?.on("loaded", ({ collection }) => note(collection.features.length ? "" : t("两个方案的网格范围没有差别。")));
difference?.on("toomany", () => note(t("这里变化很多，放大后显示。")));
difference?.on("failed", () => note(t("差异图未能取回，请检查网络后移动地图重试。")));

function note(text) {
  $("map-note").textContent = text;
}

function search(code) {
  Object.assign(state, { text: code, page: 1, change: "all" });
  fill();
  table();
}

/** A row's grids in view, outlined in every map. */
function show(row) {
  const geometries = [a?.feature(row.before?.id)?.geometry, b?.feature(row.after?.id)?.geometry].filter(Boolean);
  if (!geometries.length) return note(t("这里网格很多，放大后可点选单个网格。"));
  mark(geometries);
  const bounds = geometries.map((one) => L.geoJSON(one).getBounds()).reduce((all, one) => all.extend(one));
  map.fitBounds(bounds, { maxZoom: 17, padding: [40, 40], animate: false });
  document.querySelector(".compare-maps").scrollIntoView({ block: "nearest" });
}

/* table */
let listing = 0;

async function table() {
  const mine = ++listing;
  remember();
  const query = new URLSearchParams({ a: data.a, b: data.b, order: state.order, limit: PAGE, offset: (state.page - 1) * PAGE });
  for (const key of ["region", "status", "text"]) if (state[key]) query.set(key, state[key]);
  for (const one of state.change === "all" ? Object.keys(data.changes) : [state.change].filter(Boolean)) query.append("change", one);
  let page;
  try {
    page = await getJson(`/api/v1/plans/compare/grids?${query}`);
  } catch (error) {
    $("page").textContent = error.message;
    return;
  }
  if (mine !== listing) return;
  if (!page.items.length && state.page > 1) {
    state.page = 1;
    return table();
  }
  const pages = Math.max(1, Math.ceil(page.total / PAGE));
  $("rows").replaceChildren(...page.items.map(line));
  if (!page.items.length) $("rows").append(h("tr", {}, h("td", { colSpan: 9, class: "muted" }, filtered() ? t("没有符合筛选条件的网格。") : t("两个方案的网格没有差别。"))));
  $("page").textContent = t("第 {page} / {pages} 页，共 {n} 个网格", { page: number(state.page), pages: number(pages), n: number(page.total) });
  $("earlier").disabled = state.page <= 1;
  $("later").disabled = state.page >= pages;
  for (const button of document.querySelectorAll("[data-order]")) {
    const chosen = button.dataset.order === state.order;
    button.setAttribute("aria-pressed", String(chosen));
    button.closest("th").setAttribute("aria-sort", chosen ? (state.order === "code" ? "ascending" : "descending") : "none");
  }
}

function filtered() {
  return Boolean(state.region || state.change || state.status || state.text);
}

function line(row) {
  const { before, after } = row;
  const shown = after ?? before;
  const [sign, tone] = CHANGE_SIGNS[row.change];
  const badge = (className, swatch, text) => h("span", { class: `badge ${className}` }, h("span", { class: "swatch", "aria-hidden": "true" }, swatch), text);
  const status = (one) => (one ? badge(`status-${one.status}`, STATUS_SIGNS[one.status], data.labels[one.status]) : "—");
  const arrow = () => h("span", { class: "arrow" }, " → ");
  const pair = (name, format = number) => {
    const [x, y] = [before?.[name] ?? null, after?.[name] ?? null];
    if (x === y) return h("td", { class: "number" }, format(x));
    const by = y - x;
    const difference = x === null || y === null ? null : h("span", { class: "by" }, `${by > 0 ? "+" : "−"}${format(Math.abs(by))}`);
    return h("td", { class: "number" }, format(x), arrow(), h("strong", {}, format(y)), difference);
  };
  const codes = before && after && before.code !== after.code ? `${before.code} → ${after.code}` : shown.code;
  const names = before && after && before.name !== after.name ? `${before.name ?? "—"} → ${after.name ?? "—"}` : shown.name ?? shown.code;
  const open = (plan, grid, label) => grid && h("a", { href: `/plans/${plan}?grid=${grid.id}`, "aria-label": `${label} ${grid.code}` }, label);
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      h("button", { type: "button", class: "row-button", onclick: () => show(row) }, names),
      h("span", { class: "code-text" }, codes),
      h("span", { class: "links" }, row.region_name ?? "", " ", open(data.a, before, t("前")), before && after ? " · " : null, open(data.b, after, t("后"))),
    ),
    h("td", {}, badge(tone, sign, data.changes[row.change])),
    pair("households"),
    h("td", {}, ...(before && after && before.status === after.status ? [status(after)] : [status(before), arrow(), status(after)])),
    h("td", { class: "number" }, [row.moved_in ? `+${number(row.moved_in)}` : "", row.moved_out ? `−${number(row.moved_out)}` : ""].filter(Boolean).join(" / ") || "0"),
    pair("population"),
    pair("area_m2", (m2) => number(m2 === null ? null : m2 / 1e4, 1)),
    pair("cases"),
    pair("workers"),
  );
}

/* controls */
function fill() {
  for (const name of ["text", "region", "change", "status"]) $(name).value = state[name];
  if ($("region").value !== state.region) state.region = $("region").value = "";
}

$("row-filters").addEventListener("submit", (event) => event.preventDefault());
for (const name of ["region", "change", "status"]) {
  $(name).addEventListener("change", (event) => {
    Object.assign(state, { [name]: event.target.value, page: 1 });
    if (name === "region") difference?.setRegion(state.region);
    table();
  });
}
let typing;
$("text").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    Object.assign(state, { text: event.target.value.trim(), page: 1 });
    table();
  }, 200);
});
for (const button of document.querySelectorAll("[data-order]")) {
  button.addEventListener("click", () => {
    Object.assign(state, { order: button.dataset.order, page: 1 });
    table();
  });
}
$("earlier").addEventListener("click", () => ((state.page -= 1), table()));
$("later").addEventListener("click", () => ((state.page += 1), table()));

fill();
if (state.region) difference?.setRegion(state.region);
table();
