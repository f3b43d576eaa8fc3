/** The page of coverage: map and table mark each other; a click on an area goes down; the course over time. */

import { getJson } from "./api.js";
import { h, pageData, svg } from "./dom.js";
import { number, t } from "./i18n.js";

const data = pageData();
const layer = window.coverage_layer;
const { map, legend } = window.gridmap.page ?? {};
const $ = (id) => document.getElementById(id);
const rows = new Map([...document.querySelectorAll("#areas tr[data-area]")].map((row) => [row.dataset.area, row]));

/* map */
if (layer) {
  document.querySelector(".map-tools").hidden = false;
  const redraw = () => legend.setRows(layer.legendRows(data.words), data.titles[data.mode]);
  redraw();
  layer.on("areaclick", ({ id }) => {
    if (layer.of() === "grids") location.assign(`/map?plan=${data.plan}&grid=${id}`);
    else if (id !== data.region) location.assign(address({ region: id }));
  });
  layer.on("areaover", ({ id }) => mark(id));
  layer.on("areaout", () => mark(null));
  layer.on("toomany", () => {
    $("map-note").textContent = t("网格太多：按达标情况显示，放大后可看其他指标。");
    $("map-note").hidden = false;
  });
  layer.on("loaded", () => ($("map-note").hidden = true));
  layer.on("failed", () => {
    $("map-note").textContent = t("地图数据未能读取，请稍后重试。");
    $("map-note").hidden = false;
  });
  choose("modes", "mode", (mode) => {
    data.mode = data.kept.mode = mode;
    layer.setMode(mode);
    redraw();
    history.replaceState(null, "", address({ region: new URLSearchParams(location.search).get("region") }));
    for (const link of document.querySelectorAll("#areas a[href*='/coverage'], .crumbs a[href*='/coverage']")) {
      const to = new URL(link.href);
      to.searchParams.set("mode", mode);
      link.href = to;
    }
  });
  choose("of", "of", (of) => location.assign(address({ region: new URLSearchParams(location.search).get("region"), of })));
}

function choose(id, name, then) {
  const group = $(id);
  group?.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    for (const one of group.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
    then(button.dataset[name]);
  });
}

function address(more) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...data.kept, ...more })) if (value) params.set(name, value);
  return `/coverage?${params}`;
}

function mark(id) {
  for (const [area, row] of rows) row.classList.toggle("chosen", area === id);
}

for (const [area, row] of rows) {
  for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => layer?.mark(area));
  for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => layer?.mark(null));
}

/* what is not covered */
const places = [...document.querySelectorAll("a.place")];
if (map && places.length) {
  const marks = L.layerGroup(
    places.map((link) =>
      L.circleMarker([link.dataset.lat, link.dataset.lon], { radius: 7, weight: 3, color: "#5b1a8b", fillColor: "#fff", fillOpacity: 0.9 }).bindTooltip(link.textContent),
    ),
  );
  const button = $("show-places");
  button.hidden = false;
  const show = (on) => {
    on ? marks.addTo(map) : marks.remove();
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? t("从地图上移去") : t("在地图上显示");
  };
  button.addEventListener("click", () => {
    const on = !map.hasLayer(marks);
    show(on);
    if (on) {
      map.fitBounds(L.latLngBounds(places.map((link) => [link.dataset.lat, link.dataset.lon])).pad(0.2), { maxZoom: 16, animate: false });
      document.querySelector(".map-frame").scrollIntoView({ block: "nearest" });
    }
  });
  for (const link of places) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      show(true);
      map.setView([link.dataset.lat, link.dataset.lon], 17, { animate: false });
      document.querySelector(".map-frame").scrollIntoView({ block: "nearest" });
    });
  }
}

/* the course over time */
const SERIES = [
  ["within", t("○ 符合标准"), "#1d6b45", ""],
  ["over", t("▲ 超出标准"), "#a3242b", "8 4"],
  ["under", t("▽ 低于标准"), "#1b5a8a", "2 4"],
  ["uncovered_buildings", t("未覆盖楼栋"), "#5b1a8b", "10 3 2 3"],
];

async function trend() {
  let items;
  try {
    ({ items } = await getJson(`/api/v1/coverage/trend${data.region ? `?region=${data.region}` : ""}`));
  } catch {
    return;
  }
  if (!items.length) return;
  $("trend").hidden = false;
  $("trend-table").tBodies[0].replaceChildren(
    ...items.toReversed().map(({ day, plans, sums }) =>
      h("tr", {},
        h("th", { scope: "row", class: "nowrap" }, h("a", { href: `/coverage?${new URLSearchParams({ ...(data.region ? { region: data.region } : {}), date: day })}` }, day)),
        h("td", {}, plans.join("、")),
        ...[sums.grids, sums.within, sums.over, sums.under, sums.uncovered_buildings].map((n) => h("td", { class: "number" }, number(n))),
      ),
    ),
  );
  if (items.length > 1) $("trend-chart").replaceChildren(chart(items));
  else $("trend-chart").replaceChildren(h("p", { class: "muted" }, t("到目前只有一次生效，有第二次后这里显示变化。")));
}

/** A step line for each figure from the first day to today; each has its own dash and its name at the end. */
function chart(items) {
  const [W, H, left, right, top, bottom] = [900, 260, 46, 150, 14, 28];
  const first = Date.parse(items[0].day);
  const last = Math.max(Date.now(), Date.parse(items.at(-1).day) + 864e5);
  const most = Math.max(1, ...items.flatMap(({ sums }) => SERIES.map(([name]) => sums[name])));
  const x = (time) => left + ((W - left - right) * (time - first)) / (last - first);
  const y = (n) => top + (H - top - bottom) * (1 - n / most);
  const picture = svg("svg", { class: "trend-chart", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": t("历次生效方案的变化：数字见下表") });
  for (const share of [0, 0.5, 1]) {
    const at = y(most * share);
    picture.append(svg("line", { class: "axis", x1: left, x2: W - right, y1: at, y2: at }), svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, number(Math.round(most * share))));
  }
  picture.append(svg("text", { x: left, y: H - 8 }, items[0].day), svg("text", { x: W - right, y: H - 8, "text-anchor": "end" }, t("今天")));
  const taken = [];
  for (const [name, word, color, dash] of SERIES) {
    const points = items.map(({ day, sums }) => [x(Date.parse(day)), y(sums[name])]);
    const path = points.map(([px, py], i) => (i ? `H${px.toFixed(1)}V${py.toFixed(1)}` : `M${px.toFixed(1)} ${py.toFixed(1)}`)).join("") + `H${W - right}`;
    picture.append(svg("path", { d: path, stroke: color, "stroke-dasharray": dash }));
    let at = points.at(-1)[1] + 4;
    while (taken.some((other) => Math.abs(other - at) < 15)) at += at > H / 2 ? -15 : 15;
    taken.push(at);
    picture.append(svg("text", { x: W - right + 8, y: at }, `${word} ${number(items.at(-1).sums[name])}`));
  }
  return picture;
}

trend();
