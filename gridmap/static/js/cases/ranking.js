/** Grids by number or rate of cases; choosing one narrows all panels to it, and there is a way back. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";

const $ = (id) => document.getElementById(id);
const ROWS_MAX = 200;

/** The table of grids: `show(counts, total)` fills it, `ranked.counts` are the last that came. */
export function ranking(state, grids) {
  const ranked = { counts: null, total: 0, show };

  function show(counts, total) {
    Object.assign(ranked, { counts, total });
    draw();
  }

  function draw() {
    if (!ranked.counts) return;
    const rows = [...ranked.counts.items];
    rows.sort((a, b) => (b[state.order] ?? -1) - (a[state.order] ?? -1) || b.cases - a.cases || (a.code < b.code ? -1 : 1));
    const outside = ranked.total - ranked.counts.cases;
    $("rank-note").textContent = state.grid || !ranked.total ? "" : outside > 0 ? t("{n} 件不在任何网格内。", { n: number(outside) }) : t("每件事件都在某个网格内。");
    $("rank").replaceChildren(...rows.slice(0, ROWS_MAX).map(row));
    for (const button of document.querySelectorAll("#rank-table .sort")) button.setAttribute("aria-pressed", String(button.dataset.sort === state.order));
    told();
  }

  function row(one, i) {
    const mine = one.grid_id === state.grid;
    const rate = (value) => h("td", { class: "number", title: value === null ? t("网格内没有住户") : "" }, number(value, 1));
    return h(
      "tr",
      { "data-grid": one.grid_id, class: mine ? "chosen" : "" },
      h("td", { class: "number" }, number(i + 1)),
      h(
        "td",
        {},
        h("button", { type: "button", class: "row-button", "aria-pressed": String(mine), onclick: () => choose(mine ? null : one.grid_id, true) }, one.name || one.code),
        h("span", { class: "place" }, `${one.region_name ?? ""} ${one.code}`),
        one.unplaced ? h("span", { class: "place doubt" }, t("其中 {n} 件位置未查明", { n: number(one.unplaced) })) : "",
      ),
      h("td", { class: "number" }, number(one.cases)),
      rate(one.per_1000_households),
      rate(one.smoothed),
    );
  }

  /** What is chosen, above all panels. */
  function told() {
    const one = ranked.counts?.items.find((item) => item.grid_id === state.grid) ?? grids?.feature(state.grid)?.properties;
    $("chosen").hidden = !state.grid;
    if (state.grid) {
      const name = one ? [one.region_name, one.name || one.code].filter(Boolean).join(" ") : `#${state.grid}`;
      const homes = one ? ` · ${t("{n} 户", { n: number(one.households) })}` : "";
      $("chosen-name").textContent = `${t("只看网格：{name}", { name })}${homes}`;
    }
  }

  let pan = false;

  function choose(id, into) {
    pan = into;
    state.set({ grid: id });
  }

  /** Row and polygon of the chosen grid. */
  function mark() {
    for (const line of $("rank").rows) {
      const mine = Number(line.dataset.grid) === state.grid;
      line.className = mine ? "chosen" : "";
      line.querySelector("button").setAttribute("aria-pressed", String(mine));
      if (mine && !pan) line.scrollIntoView({ block: "nearest" });
    }
    grids?.select(state.grid, { pan: pan && state.grid !== null });
    told();
  }

  for (const button of document.querySelectorAll("#rank-table .sort")) button.addEventListener("click", () => state.set({ order: button.dataset.sort }));
  $("chosen-show").addEventListener("click", () => grids?.select(state.grid, { pan: true }));
  $("chosen-clear").addEventListener("click", () => {
    choose(null, false);
    document.querySelector(".map-frame .folium-map")?.focus();
  });
  grids?.on("gridclick", ({ id }) => choose(id === state.grid ? null : id, false));
  grids?.on("loaded", () => state.grid && grids.select(state.grid, { pan: false }));
  state.on(["order"], draw);
  state.on(["grid"], () => {
    mark();
    pan = false;
  });
  told();
  return ranked;
}
