/** Close by: a circle with the number of cases on each grid, closer the single cases, for whoever may see them. */

import { getJson } from "../api.js";
import { h } from "../dom.js";
import { language, number, t } from "../i18n.js";

const $ = (id) => document.getElementById(id);
const Z_CIRCLES = 15;
const Z_POINTS = 17;
const LISTED_MAX = 100;
const INK = { color: "#fff", weight: 1.5, fillColor: "#5b1a8b", fillOpacity: 0.9 };

export function near(state, { raw, most }, { map, grids }) {
  const circles = L.layerGroup().addTo(map);
  const points = L.layerGroup().addTo(map);
  const canvas = L.canvas({ pane: "markerPane" });
  let counts = null;
  let refused = !raw;
  let epoch = 0;

  const inView = () => {
    const box = map.getBounds();
    return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((v) => v.toFixed(6)).join(",");
  };
  const time = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { dateStyle: "short", timeStyle: "short", timeZone: state.zone });

  async function show() {
    const mine = ++epoch;
    if (state.playing || state.wall) return;
    if (map.getZoom() < Z_POINTS || refused || state.backwards) {
      points.clearLayers();
      $("near").hidden = true;
      return drawCircles(await inViewOnly(mine));
    }
    let found;
    try {
      found = (await getJson(`/api/v1/cases/points?${state.query({ bbox: inView() }, { grid: true })}`)).items;
    } catch (error) {
      if (mine !== epoch) return undefined;
      refused = error.status === 403; // then there are only circles, however close
      points.clearLayers();
      drawCircles();
      return list(null, refused ? "" : error.status ? error.message : t("未能取回，请检查网络。"));
    }
    if (mine !== epoch) return undefined;
    circles.clearLayers();
    drawPoints(found);
    return list(found, "");
  }

  /** Of more grids than come at once those in view; null for those that came. */
  async function inViewOnly(mine) {
    if (!(counts?.grids > most) || map.getZoom() < Z_CIRCLES) return null;
    const found = await getJson(`/api/v1/plans/${state.plan}/cases?${state.query({ limit: most, bbox: inView() })}`).catch(() => null);
    return mine === epoch ? found : null;
  }

  function drawCircles(shown = null) {
    circles.clearLayers();
    if (map.getZoom() < Z_CIRCLES || !counts || !grids || state.mode !== "heat") return; // else the grids carry their numbers
    const box = map.getBounds();
    for (const one of (shown ?? counts).items) {
      const p = one.cases ? grids.feature(one.grid_id)?.properties : null;
      if (p?.label_lon == null || !box.contains([p.label_lat, p.label_lon])) continue;
      const size = Math.round(Math.min(72, 26 + 2.2 * Math.sqrt(one.cases)));
      const icon = L.divIcon({ className: `cluster${one.grid_id === state.grid ? " chosen" : ""}`, html: String(number(one.cases)), iconSize: [size, size] });
      const title = `${one.name || one.code} ${t("{n} 件", { n: number(one.cases) })}`;
      const choose = () => state.set({ grid: one.grid_id === state.grid ? null : one.grid_id });
      L.marker([p.label_lat, p.label_lon], { icon, title, riseOnHover: true })
        .on("click", choose)
        .on("keypress", ({ originalEvent }) => originalEvent.key === "Enter" && choose())
        .addTo(circles);
    }
  }

  /** Cases on the same point are one mark with their number. */
  function drawPoints(found) {
    points.clearLayers();
    const places = new Map();
    for (const one of found) {
      const key = `${one.lon} ${one.lat}`;
      places.set(key, [...(places.get(key) ?? []), one]);
    }
    for (const here of places.values()) {
      const lines = here.slice(0, 6).map((one) => h("div", {}, said(one)));
      if (here.length > 6) lines.push(h("div", {}, t("等共 {n} 件", { n: number(here.length) })));
      L.circleMarker([here[0].lat, here[0].lon], { ...INK, renderer: canvas, radius: Math.min(18, 5 + Math.sqrt(here.length)) })
        .bindTooltip(h("div", {}, lines), { className: "grid-tip" })
        .addTo(points);
    }
  }

  const said = (one) => `${time.format(new Date(one.occurred_at))} ${one.category}${one.place ? ` · ${one.place}` : ""}`;

  function list(found, problem) {
    $("near").hidden = !found && !problem;
    if ($("near").hidden) return;
    const title = h("h2", { id: "near-title" }, t("图上的事件"), " ", h("span", { class: "muted small" }, found ? t("{n} 件，新的在前", { n: number(found.length) }) : ""));
    if (!found) return $("near").replaceChildren(title, h("p", { class: "notice", role: "status" }, problem));
    const row = (one) => h("tr", {}, h("td", { class: "nowrap" }, time.format(new Date(one.occurred_at))), h("td", {}, one.category), h("td", {}, one.place ?? "—"));
    const head = h("tr", {}, [t("时间"), t("类别"), t("地点")].map((text) => h("th", { scope: "col" }, text)));
    const table = h("table", {}, h("caption", { class: "visually-hidden" }, t("图上的事件")), h("thead", {}, head), h("tbody", {}, found.slice(0, LISTED_MAX).map(row)));
    const more = found.length > LISTED_MAX ? h("p", { class: "small muted" }, t("只列出最新的 {n} 件；放大地图可看其余的。", { n: LISTED_MAX })) : null;
    return $("near").replaceChildren(title, ...(found.length ? [h("div", { class: "scroll near-list", tabIndex: 0, role: "region", "aria-label": t("图上的事件") }, table)] : [h("p", { class: "muted" }, t("没有事件。"))]), ...(more ? [more] : []));
  }

  map.on("moveend", show);
  grids?.on("loaded", drawIfCircles);
  state.on(["since", "until", "region", "category", "grid"], () => !state.playing && map.getZoom() >= Z_POINTS && show());
  state.on(["grid", "mode"], drawIfCircles);

  function drawIfCircles() {
    if (map.getZoom() < Z_POINTS || refused) counts?.grids > most ? show() : drawCircles();
  }

  show();
  return {
    /** Numbers by grid came. */
    setCounts(found) {
      counts = found;
      drawIfCircles();
    },
  };
}
