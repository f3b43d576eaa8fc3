/** The map: heat, rate or count by grid, each with a fixed legend; where it looks is part of the state. */

import { getJson } from "../api.js";
import { latLngBox } from "../dom.js";
import { number, t } from "../i18n.js";
import { areasOf } from "./areas.js";
import { panelOf } from "./asking.js";

const $ = (id) => document.getElementById(id);
/** Lower ends of the classes v0 to v6. Rates are per 1,000 households and year, so that any span fits the same colours. */
const RATES = [0, 20, 50, 100, 200, 500, 1000];
const COUNTS = [0, 1, 5, 20, 50, 200, 500];
const YEAR = 365.25;
const DAY_MS = 86_400_000;

const classOf = (value, breaks) => `v${breaks.findLastIndex((low) => value >= low)}`;

function rows(breaks, whole) {
  return breaks.map((low, k) => {
    const next = breaks[k + 1];
    const text = next === undefined ? `≥ ${number(low)}` : whole && next - low === 1 ? number(low) : `${number(low)}–${number(whole ? next - 1 : next)}`;
    return [`v${k}`, text, null];
  });
}

/** Days of the span that is shown, up to the ends of what there is (`domain`) where it is open. */
export function lengthDays(state, domain) {
  const at = (day) => Date.parse(`${day}T00:00:00Z`) / DAY_MS;
  const first = state.since || domain?.day(0);
  const last = state.until || domain?.day(domain.length - 1);
  return first && last ? Math.max(1, at(last) - at(first) + 1) : null;
}

/** What of a grid's cases need not have happened there. */
const doubt = (one) => (one.unplaced ? ` · ${t("其中 {n} 件位置未查明", { n: number(one.unplaced) })}` : "");

/** What a grid layer shows of counts by grid over so many days, in the mode "rate" or "count". */
export function gridValues(mode, items, days) {
  return new Map(items.map((one) => [one.grid_id, mode === "rate" ? rated(one, days) : counted(one)]));
}

function rated(one, days) {
  if (!days) return { status: "none", label: [one.code.slice(-3), ""], words: t("{n} 件", { n: number(one.cases) }) }; // not known yet
  if (one.smoothed === null) return { status: "none", label: [one.code.slice(-3), "—"], words: t("{n} 件 · 没有住户", { n: number(one.cases) }) };
  const rate = (one.smoothed * YEAR) / days;
  return { status: classOf(rate, RATES), label: [one.code.slice(-3), number(rate)], words: t("{n} 件 · 每千户每年 {r} 件（平滑）", { n: number(one.cases), r: number(rate, 1) }) + doubt(one) };
}

function counted(one) {
  return { status: classOf(one.cases, COUNTS), label: [one.code.slice(-3), number(one.cases)], words: t("{n} 件", { n: number(one.cases) }) + doubt(one) };
}

/** The same of a community: its rate, or how many cases its grids have in the mean. */
function areaValue(mode, one, days) {
  if (mode === "rate") return rated({ ...one, code: one.code }, days);
  const mean = one.cases / one.grids;
  return { status: classOf(mean, COUNTS), words: t("{n} 件 · 平均每个网格 {m} 件", { n: number(one.cases), m: number(mean, 1) }) };
}

export function mapMode(state, data, { map, grids, heat, legend, slider }) {
  let counts = null;
  let domain = slider._span ?? null; // the slider may have its days before this script runs
  const heatLegend = legend._content;
  const areas = areasOf(state, { map }, (one, days) => areaValue(state.mode, one, days ?? lengthDays(state, domain)));
  let crowded = false; // more grids in view than are drawn one by one

  /* where it looks */
  const look = () => {
    const { lat, lng } = map.getCenter();
    state.set({ lat: Number(lat.toFixed(5)), lon: Number(lng.toFixed(5)), zoom: map.getZoom() });
  };
  let fitted = null;
  const region = (animate) => {
    map.once("moveend", () => (fitted = { center: map.getCenter(), zoom: map.getZoom() }));
    legend.fit(latLngBox(data.regions.find(({ code }) => code === state.region)?.bbox ?? data.bounds), { animate });
  };
  // whole regions stay whole where the map gets another size, as long as nobody moved it
  map.on("resize", () => {
    const same = fitted && fitted.zoom === map.getZoom() && map.project(fitted.center).distanceTo(map.project(map.getCenter())) < 4;
    if (same) region(false);
  });
  const there = () => map.setView([state.lat, state.lon], state.zoom, { animate: false });
  if (state.lat !== null) there();
  else region(false);
  map.on("moveend", look);
  state.addEventListener("restored", () => (state.lat === null ? region(false) : there()));

  /* what it shows */
  function show() {
    for (const button of document.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
    const isHeat = state.mode === "heat";
    if (isHeat !== map.hasLayer(heat)) isHeat ? heat.addTo(map) : heat.remove();
    $("map-note").hidden = true;
    areas.show(!isHeat && crowded);
    if (isHeat) {
      grids?.setValues(null);
      legend.setContent(heatLegend);
      return;
    }
    legend.setContent(
      state.mode === "rate"
        ? { title: t("发生率（件/千户·年）"), rows: rows(RATES, false), note: t("经验贝叶斯平滑；图例不随缩放和时间变化") }
        : { title: t("网格事件数（件）"), rows: rows(COUNTS, true), note: t("所选时间内的件数；图例不随缩放变化") },
    );
    colour();
  }

  function colour() {
    if (state.mode === "heat" || !counts) return;
    areas.show(crowded);
    $("map-note").textContent = t("这里的网格太多：按社区着色，放大后按网格着色。");
    $("map-note").hidden = !crowded;
    if (crowded) return;
    if (counts.grids > data.most) return inView();
    put(counts.items);
  }

  function put(items, days = lengthDays(state, domain)) {
    grids.setValues(gridValues(state.mode, items, days));
  }

  /** More grids than are sent at once: those in view, once few enough are. */
  const viewAddress = (span = {}) => {
    const box = map.getBounds();
    const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((v) => v.toFixed(6)).join(",");
    return `/api/v1/plans/${state.plan}/cases?${state.query({ limit: data.most, bbox, ...span })}`;
  };
  const inView = panelOf($("map-side"), () => viewAddress(), (found) => put(found.items));
  map.on("moveend", () => state.mode !== "heat" && !crowded && counts?.grids > data.most && inView());
  const crowd = (many) => () => {
    crowded = many;
    colour();
  };
  grids?.on("tiles", crowd(true));
  grids?.on("loaded", crowd(false));

  const drawHeat = () => (state.backwards ? Promise.resolve() : heat.setParams({ ...state.wanted(), bandwidth: state.bandwidth }));
  heat.on("failed", () => {
    $("map-note").textContent = t("热力图未能取回，请检查网络后移动地图重试。");
    $("map-note").hidden = false;
  });
  heat.on("loaded", () => ($("map-note").hidden = true));
  slider.on("loaded", ({ span }) => {
    domain = span ?? domain;
    colour();
  });

  state.on(["since", "until", "category", "region", "bandwidth"], () => !state.playing && drawHeat());
  state.on(["region"], () => {
    region(true);
    grids?.setQuery({ region: state.region });
  });
  state.on(["mode"], show);
  for (const button of document.querySelectorAll("[data-mode]")) button.addEventListener("click", () => state.set({ mode: button.dataset.mode }));
  drawHeat();
  show();
  look();
  return {
    /** Numbers by grid came. */
    setCounts(found) {
      counts = found;
      colour();
    },
    drawHeat,
    /** A window of the playback by grid; resolves when it is on the map. */
    async frame(span, days) {
      if (crowded && state.mode !== "heat") return areas.frame(span, days);
      const address = counts?.grids > data.most ? viewAddress(span) : `/api/v1/plans/${state.plan}/cases?${state.query({ limit: data.most, ...span })}`;
      const found = await getJson(address).catch(() => null);
      if (found && state.mode !== "heat") put(found.items, days);
    },
  };
}
