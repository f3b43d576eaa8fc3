/** The page of cases: filters, map, ranking, hot spots and charts show one state, which stands in the address. */

import { pageData } from "../dom.js";
import { number, t } from "../i18n.js";
import { panelOf } from "./asking.js";
import { categoryTable, monthChart, weekTable } from "./charts.js";
import { comparison } from "./compare.js";
import { filters, status } from "./filters.js";
import { mapMode } from "./mapmode.js";
import { multiples } from "./multiples.js";
import { near } from "./near.js";
import { ranking } from "./ranking.js";
import { fullScreen, wallScreen } from "./screen.js";
import { spotList } from "./spots.js";
import { FILTER, State } from "./state.js";
import { timeline } from "./timeline.js";
import { savedViews } from "./views.js";

const data = pageData();
const page = window.gridmap.page;
const $ = (id) => document.getElementById(id);

const state = new State(data, location.search);
page.state = state;
filters(state, data);
const shown = mapMode(state, data, page);
const ranked = ranking(state, page.grids);
const spots = spotList(state, page);
timeline(state, page, shown);
const small = multiples(state, data, page);
const close = near(state, data, page);
comparison(state, data, page);
savedViews(state);
fullScreen(page.map);

/* what is counted */
let sums = null;
const loadSums = panelOf($("sums"), () => !state.backwards && `/api/v1/cases/sums?${state.query({}, { grid: true })}`, (found) => {
  sums = found;
  [state.first, state.last] = found.known ?? ["", ""];
  status($("status"), sums, state);
  $("by-category").replaceChildren(...categoryTable(sums));
  $("by-month").replaceChildren(...monthChart(sums.months, $("by-month").clientWidth));
  $("by-week").replaceChildren(...weekTable(sums.week, data.weekdays));
  if (ranked.counts) ranked.show(ranked.counts, sums.total);
  small.setCounts(sums.categories);
});
const loadCounts = panelOf($("rank-panel"), () => !state.backwards && state.plan && `/api/v1/plans/${state.plan}/cases?${state.query({ limit: data.most, order: state.order })}`, (counts) => {
  ranked.show(counts, sums?.total ?? counts.cases);
  shown.setCounts(counts);
  close.setCounts(counts);
});

function load(keys) {
  if (state.playing) return;
  if (state.backwards) {
    loadSums(); // an answer that is on its way must not come after the sentence
    loadCounts();
    $("status").textContent = t("开始日期晚于结束日期，请改正。");
    return;
  }
  loadSums();
  if (keys && FILTER.every((key) => !keys.has(key))) return; // another grid: the others count all of them
  loadCounts();
  spots.load();
}

state.on([...FILTER, "grid"], load);
addEventListener("popstate", () => {
  if (Number(new URLSearchParams(location.search).get("plan") ?? state.plan) === state.plan) state.restore(location.search);
  else location.reload(); // another plan's grids come with the page
});
state.on(["order"], () => ranked.counts?.grids > data.most && loadCounts()); // else all of them are here
addEventListener("pagehide", () => state.write());
document.addEventListener("click", (event) => event.target.closest("[data-copy-link], [data-with-view]") && state.write(), true);
wallScreen(state, () => (shown.drawHeat(), load()), () => number(sums?.total));
$("status").textContent = t("正在统计…");
load();
