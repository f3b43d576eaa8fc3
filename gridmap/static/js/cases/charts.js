/** Bars by category and month, hours by weekday; numbers always stand beside colour and length. */

import { h, svg } from "../dom.js";
import { number, t } from "../i18n.js";

export const none = () => h("p", { class: "muted" }, t("没有事件。"));

/** Categories with their cases; `sums` as the server gives them. */
export function categoryTable({ categories, total }) {
  if (!categories.length) return [none()];
  const most = Math.max(1, ...categories.map((one) => one.cases));
  const rows = categories.map(({ name, cases }) => {
    const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(svg("rect", { width: (100 * cases) / most, height: 10, fill: "#4f81b0" }));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", { class: "bar" }, bar),
      h("td", { class: "number" }, number(cases)),
      h("td", { class: "number muted" }, `${number((100 * cases) / total, 1)}%`),
    );
  });
  return [h("table", { class: "bars" }, h("tbody", {}, rows))];
}

const [HEIGHT, LEFT, FOOT] = [220, 8, 36];
/** A month alone is a bar, not a wall. */
const WIDEST = 90;

/** A bar for each month, as wide as its box, and the same as a table for who does not see. */
export function monthChart(months, box = 620) {
  const WIDTH = Math.max(280, Math.min(box, 620));
  if (!months.length) return [none()];
  const all = filled(months);
  const most = Math.max(...all.map((one) => one.cases), 1);
  const step = Math.min(WIDEST, (WIDTH - LEFT) / all.length);
  const thin = Math.max(1, Math.ceil((all.length * 48) / WIDTH));
  const chart = svg("svg", { class: "months", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("每月事件数柱状图，数值见下表") });
  all.forEach(({ name, cases }, i) => {
    const tall = ((HEIGHT - FOOT - 18) * cases) / most;
    const x = LEFT + i * step;
    const bar = svg("rect", { x: x + step * 0.14, y: HEIGHT - FOOT - tall, width: step * 0.72, height: tall });
    bar.append(svg("title", {}, `${name} ${number(cases)}`));
    chart.append(bar);
    if (i % thin) return;
    const say = (y, text) => chart.append(svg("text", { x: x + step / 2, y, "text-anchor": "middle" }, text));
    say(HEIGHT - FOOT - tall - 5, number(cases));
    say(HEIGHT - FOOT + 15, name.slice(5));
    if (i === 0 || name.slice(0, 4) !== all[i - thin]?.name.slice(0, 4)) say(HEIGHT - FOOT + 30, name.slice(0, 4));
  });
  chart.append(svg("line", { x1: LEFT, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }));
  const rows = all.map(({ name, cases }) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, number(cases))));
  // a table cannot be made a pixel high, what holds it can
  return [chart, h("div", { class: "visually-hidden" }, h("table", {}, h("caption", {}, t("每月事件数")), h("tbody", {}, rows)))];
}

/** Months without a case stand as noughts. */
function filled(months) {
  const counts = new Map(months.map(({ name, cases }) => [name, cases]));
  const all = [];
  for (let [year, month] = months[0].name.split("-").map(Number); ; month === 12 ? ((year += 1), (month = 1)) : (month += 1)) {
    const name = `${year}-${String(month).padStart(2, "0")}`;
    all.push({ name, cases: counts.get(name) ?? 0 });
    if (name >= months.at(-1).name || all.length > 1200) return all;
  }
}

/** Cases by weekday (7 rows from Monday) and hour (24). */
export function weekTable(week, weekdays) {
  const most = Math.max(1, ...week.flat());
  const level = (count) => (count === 0 ? 0 : Math.min(5, 1 + Math.floor((5 * count) / (most + 1))));
  const hours = [...Array(24).keys()];
  const head = h("tr", {}, h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("星期"))), hours.map((hour) => h("th", { scope: "col", abbr: t("{n} 时", { n: hour }) }, String(hour))));
  const rows = week.map((counts, i) => h("tr", {}, h("th", { scope: "row" }, weekdays[i]), counts.map((count) => h("td", { class: `w${level(count)}` }, number(count)))));
  const caption = h("caption", { class: "visually-hidden" }, t("每个星期几、每个小时的事件数"));
  return [h("table", { class: "week" }, caption, h("thead", {}, head), h("tbody", {}, rows))];
}
