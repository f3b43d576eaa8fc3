/** Hot spots and stacked addresses: lists that lead to the map; those with the chosen grid stand out. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { panelOf } from "./asking.js";

const $ = (id) => document.getElementById(id);
const KINDS = { new: ["▲", () => t("新出现")], lasting: ["■", () => t("持续")], fading: ["▽", () => t("回落")] };
const Z_CLOSE = 17;
const STACKS_MAX = 10;
/** So many stand open; the rest is a click away. */
const STACKS_OPEN = 5;

/** The panels of hot spots and stacks; `load()` asks anew. */
export function spotList(state, { map, grids }) {
  if (!state.plan) return { load() {} };
  let found = null;
  const seen = () => map.getContainer().scrollIntoView({ block: "nearest" });

  const load = panelOf($("spots-panel"), () => `/api/v1/plans/${state.plan}/hot-spots?${state.query()}`, (answer) => {
    found = answer;
    grids?.mark([]);
    $("spots-note").textContent = note(found);
    $("spots").replaceChildren(...found.items.map((spot) => item(spot, () => (grids?.mark(spot.grids.map((grid) => grid.id)), seen()))));
    const go = ([lon, lat]) => (map.setView([lat, lon], Z_CLOSE, { animate: false }), seen());
    const stacks = found.stacks.slice(0, STACKS_MAX).map((stack) => stacked(stack, () => go(stack.lonlat)));
    $("stacks").replaceChildren(...stacks.slice(0, STACKS_OPEN));
    $("stacks-more").hidden = stacks.length <= STACKS_OPEN;
    $("stacks-rest").replaceChildren(...stacks.slice(STACKS_OPEN));
    $("stacks-count").textContent = t("再列 {n} 个", { n: number(stacks.length - STACKS_OPEN) });
    $("stacks-none").textContent = stacks.length ? "" : found.raw ? t("没有这样的地点。") : t("单个地点只给事件员和管理员看。");
    chosen();
  });

  function chosen() {
    found?.items.forEach((spot, k) => {
      const mine = spot.grids.some((grid) => grid.id === state.grid);
      $("spots").children[k].classList.toggle("chosen", mine);
      $("spots").children[k].querySelector(".mine").hidden = !mine;
    });
  }

  state.on(["grid"], chosen);
  return { load };
}

function note(found) {
  if (!found.items.length) return t("这些条件下没有热点：各网格的差别不超出偶然。");
  const then = found.before ? t("与之前同样长的一段时间相比。") : t("选定开始日期后，会与之前同样长的一段时间相比。");
  return `${t("全部网格平均每千户 {n} 件。", { n: number(found.rate, 1) })}${then}`;
}

function item(spot, onclick) {
  const [sign, word] = KINDS[spot.kind] ?? ["●", () => t("偏高")];
  const show = h("button", { type: "button", class: "button small", onclick }, t("在地图上看"));
  return h(
    "li",
    { "data-kind": spot.kind ?? "" },
    h("span", { class: `badge kind ${spot.kind === "fading" ? "" : "warn"}` }, `${sign} ${word()}`),
    h("span", { class: "badge mine", hidden: true }, t("含所选网格")),
    spot.sentence,
    h("p", { class: "actions small muted" }, show, ` ${t("多出 {n} 件，误报可能不超过 {q}%", { n: number(Math.max(0, spot.excess)), q: q(spot.q) })}`),
  );
}

const q = (share) => (share < 0.001 ? "0.1" : number(100 * share, 1));

function stacked(stack, onclick) {
  const show = h("button", { type: "button", class: "row-button", onclick }, stack.place || t("未写地点"));
  const what = stack.unplaced ? t("{n} 件记在同一点，地址有 {m} 个：位置未查明，不计入热点和热力图", { n: number(stack.cases), m: number(stack.addresses) }) : t("{n} 件在同一地点", { n: number(stack.cases) });
  return h("li", {}, show, ` ${what}`);
}
