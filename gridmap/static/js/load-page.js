/** Load under another plan: two maps that move as one, coloured by the same classes; a row marks its grid in both. */

import { getJson } from "./api.js";
import { synced } from "./compare-maps.js";
import { pageData } from "./dom.js";
import { number, t } from "./i18n.js";

const data = pageData();
const { maps, layers, legend } = window.gridmap.page;
const $ = (id) => document.getElementById(id);
const sides = data.single ? ["after"] : ["before", "after"];
const breaks = {
  cases: [0.25, 0.5, 0.75, 1].map((share) => Math.round(share * data.limit)),
  rate: [0.5, 1, 1.5, 2].map((times) => times * data.rate),
};

synced(maps);
document.querySelector(".map-tools").hidden = false;

function redraw(mode) {
  const [digits, told] = mode === "cases" ? [0, breaks.cases] : [1, breaks.rate];
  const words = [...told.map((most) => `≤ ${number(most, digits)}`), `> ${number(told[3], digits)}`];
  legend.setRows(words.map((text, i) => [`class-${i}`, text, null]), data.titles[mode]);
  layers.forEach((layer) => layer.setMode(mode));
}

$("modes").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  for (const one of $("modes").children) one.setAttribute("aria-pressed", String(one === button));
  redraw(button.dataset.mode);
});

try {
  const values = await getJson(data.values);
  layers.forEach((layer, k) => layer.setValues(values[sides[k]], breaks));
} catch (error) {
  $("map-note").textContent = error.message;
}
redraw("cases");
if (data.regions) $("map-note").textContent = t("网格太多：按区划着色，件数为平均每个网格。下面的表按网格。");

/* rows and grids mark each other */
const rows = [...document.querySelectorAll("#rows tbody tr")];
for (const row of rows) {
  const ids = sides.map((side) => row.dataset[side] || null);
  for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => layers.forEach((layer, k) => layer.mark(ids[k])));
  for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => layers.forEach((layer) => layer.mark(null)));
}
layers.forEach((layer, k) => {
  layer.on("areaover", ({ id }) => rows.forEach((row) => row.classList.toggle("chosen", row.dataset[sides[k]] === id)));
  layer.on("areaout", () => rows.forEach((row) => row.classList.remove("chosen")));
  layer.on("areaclick", ({ id }) => rows.find((row) => row.dataset[sides[k]] === id)?.scrollIntoView({ block: "center" }));
  layer.on("toomany", () => ($("map-note").textContent = t("网格太多：按达标情况显示，放大后可看其他指标。")));
});
