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
  if (data.bounds) legend.fit([[data.bounds[1], data.bounds[0]], [data.bounds[3], data.bounds[2]]], { animate: false });
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
  ["uncovered_buildings", `■ ${t("未覆盖楼栋")}`, "#5b1a8b", "10 3 2 3"],
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
  if (items.length > 1) {
    const draw = () => $("trend-chart").clientWidth && $("trend-chart").replaceChildren(chart(items, Math.min(1100, $("trend-chart").clientWidth)));
    new ResizeObserver(draw).observe($("trend-chart"));
    draw();
  } else $("trend-chart").replaceChildren(h("p", { class: "muted" }, t("到目前只有一次生效，有第二次后这里显示变化。")));
}

/** A step line for each figure from the first day to today, as wide as its box; each has its own dash and its name at the end. */
function chart(items, W) {
  const narrow = W < 600;
  const [H, left, top, bottom] = [narrow ? 200 : 260, 38, 14, 44];
  const right = narrow ? 16 : 8 + 7.5 * Math.max(...SERIES.map(([, word]) => [...word].reduce((sum, sign) => sum + (sign > "\u2fff" ? 1.75 : 1), 6)));
  const first = Date.parse(items[0].day);
  const last = Math.max(Date.now(), Date.parse(items.at(-1).day) + 864e5);
  const step = tick(Math.max(1, ...items.flatMap(({ sums }) => SERIES.map(([name]) => sums[name]))));
  const most = step * Math.ceil(Math.max(1, ...items.flatMap(({ sums }) => SERIES.map(([name]) => sums[name]))) / step);
  const x = (time) => left + ((W - left - right) * (time - first)) / (last - first);
  const y = (n) => top + (H - top - bottom) * (1 - n / most);
  const picture = svg("svg", { class: "trend-chart", viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img", "aria-label": t("历次生效方案的变化：数字见下表") });
  for (let n = 0; n <= most; n += step) {
    picture.append(svg("line", { class: "axis", x1: left, x2: W - right, y1: y(n), y2: y(n) }), svg("text", { x: left - 6, y: y(n) + 4, "text-anchor": "end" }, number(n)));
  }
  // the days on which plans began, from today backwards as far as there is room
  let free = narrow ? W - right - 34 : W - right + 8;
  picture.append(svg("text", { x: W - right, y: H - bottom + (narrow ? 18 : 34), "text-anchor": "end" }, t("今天")));
  for (const { day } of items.toReversed()) {
    const at = x(Date.parse(day));
    picture.append(svg("line", { class: "axis", x1: at, x2: at, y1: top, y2: H - bottom + 5 }));
    const begin = Math.max(left, Math.min(at - 34, W - right - 60));
    if (begin + 66 > free) continue;
    picture.append(svg("text", { x: begin, y: H - bottom + 18 }, day));
    free = begin - 8;
  }
  const ends = [];
  SERIES.forEach(([name, word, color, dash], k) => {
    const points = items.map(({ day, sums }) => [x(Date.parse(day)), y(sums[name])]);
    const path = points.map(([px, py], i) => (i ? `H${px.toFixed(1)}V${py.toFixed(1)}` : `M${px.toFixed(1)} ${py.toFixed(1)}`)).join("") + `H${(W - right).toFixed(1)}`;
    picture.append(svg("path", { d: path, stroke: color, "stroke-dasharray": dash }));
    if (narrow) { // no room beside the lines: a key below them
      const at = left + (k * (W - left)) / SERIES.length;
      picture.append(svg("path", { d: `M${at} ${H - 8}h16`, stroke: color, "stroke-dasharray": dash }), svg("text", { x: at + 19, y: H - 4 }, `${[...word][0]} ${number(items.at(-1).sums[name])}`));
      return;
    }
    ends.push([points.at(-1)[1] + 4, `${word} ${number(items.at(-1).sums[name])}`]);
  });
  // names at the ends of the lines, from the lowest upwards, a line of text apart
  let above = Infinity;
  for (const [own, text] of ends.sort(([a], [b]) => b - a)) {
    above = Math.min(own, above - 15);
    picture.append(svg("text", { x: W - right + 8, y: above }, text));
  }
  return picture;
}

/** A round step (1, 2 or 5 times a power of ten) of which some four make `most`. */
function tick(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= most / 4));
}

trend();
