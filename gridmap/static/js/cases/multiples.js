/** Categories side by side: small maps of one category each, with its number, on the one legend, all in the same view. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { joined, otherMap } from "./maps.js";

const $ = (id) => document.getElementById(id);
const MAPS_MAX = 6;
/** So much farther out a small map shows the ground of the page's own. */
const behind = (map, box) => Math.max(0, Math.round(2 * Math.log2(map.getSize().x / box.clientWidth)) / 2);

export function multiples(state, data, page) {
  let counts = new Map();
  let maps = [];
  let part = () => {};

  const names = () => (state.category.length ? state.category : [...counts.keys()]).slice(0, MAPS_MAX);
  const params = (name) => ({ ...state.wanted(), category: [name], bandwidth: state.bandwidth });

  function close() {
    part();
    maps.forEach(({ map }) => map.remove());
    maps = [];
    part = () => {};
    $("multiples").replaceChildren();
  }

  function open() {
    close();
    const figures = names().map((name) => {
      const box = h("div", { class: "small-map" });
      const said = h("b", {});
      return { name, box, said, figure: h("figure", {}, h("figcaption", {}, `${name} `, said), box) };
    });
    const more = (state.category.length || counts.size) > MAPS_MAX ? t("最多 {n} 个类别；在筛选中选择要看的。", { n: MAPS_MAX }) : t("图例同上，不随类别变化。");
    $("multiples").replaceChildren(
      h("h2", { id: "multiples-title" }, t("类别并排"), " ", h("span", { class: "muted small" }, more)),
      h("div", { class: "small-maps" }, figures.map(({ figure }) => figure)),
    );
    maps = figures.map((one) => {
      const map = otherMap(one.box, data, page, params(one.name), false);
      map.behind = behind(page.map, one.box);
      map.setView(page.map.getCenter(), page.map.getZoom() - map.behind, { animate: false });
      map.heat.addTo(map);
      one.box.setAttribute("role", "img");
      return { ...one, map };
    });
    part = joined([page.map, ...maps.map(({ map }) => map)]);
    told();
  }

  function told() {
    for (const { name, said, box } of maps) {
      const text = state.grid ? t("所选网格 {n} 件", { n: number(counts.get(name) ?? 0) }) : t("{n} 件", { n: number(counts.get(name) ?? 0) });
      said.textContent = text;
      box.setAttribute("aria-label", t("{name}的密度地图，{n}", { name, n: text }));
    }
  }

  function show() {
    $("split").setAttribute("aria-pressed", String(state.split));
    $("multiples").hidden = !state.split;
    if (!state.split) return close();
    const same = maps.length && maps.map(({ name }) => name).join() === names().join();
    if (!same && counts.size) open();
    else told();
  }

  $("split").addEventListener("click", () => {
    state.set({ split: !state.split });
    if (state.split) $("multiples").scrollIntoView({ block: "nearest" });
  });
  state.on(["split", "category"], show);
  state.on(["since", "until", "region", "bandwidth"], () => maps.forEach(({ name, map }) => map.heat.setParams(params(name))));
  return {
    /** Categories and their cases came. */
    setCounts(categories) {
      counts = new Map(categories.map(({ name, cases }) => [name, cases]));
      show();
    },
  };
}
