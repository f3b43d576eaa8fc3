/** The card beside the pointer: both grids before and after, as they would be; spoken where the keyboard works. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { SIGNS } from "./layer.js";
import { short } from "./model.js";

export const WORDS = { under: t("低于标准"), within: t("符合标准"), over: t("超出标准"), empty: t("无住户"), unchecked: t("无户数标准") };

export class Card {
  /** `host`: the map's frame; `voice`: an element with aria-live. */
  constructor(host, voice) {
    this.element = h("div", { class: "studio-card", hidden: true, "aria-hidden": "true" });
    host.append(this.element);
    this.host = host;
    this.voice = voice;
  }

  /** Show what a change would do at a point of the frame (px). */
  preview(preview, [x, y]) {
    const rows = preview.touched.slice(0, 4).map(({ grid, before, after }) => line(grid, before, after));
    if (preview.touched.length > 4) rows.push(h("p", { class: "more" }, t("另有 {n} 个网格", { n: preview.touched.length - 4 })));
    this._show([
      h("p", { class: "head" }, t("{units} 个单元 · {households} 户", { units: number(preview.units.length), households: number(preview.households) })),
      ...rows,
      preview.refused ? h("p", { class: "refused" }, `✕ ${preview.refused.text}`) : null,
    ], x, y);
  }

  /** Show the unit under the pointer and its grid. */
  unit(model, unit, [x, y]) {
    const id = model.gridOf(unit);
    const grid = id === null ? null : model.grids.get(id);
    this._show([
      h("p", { class: "head" }, model.ground.label(unit), " · ", t("{n} 户", { n: number(model.ground.households[unit]) })),
      grid ? line(grid, null, model.stats(id)) : h("p", {}, t("未分配")),
    ], x, y);
  }

  message(text, [x, y]) {
    this._show([h("p", { class: "head" }, text)], x, y);
  }

  hide() {
    this.element.hidden = true;
  }

  /** Say a sentence to a screen reader. */
  speak(text) {
    this.voice.textContent = text;
  }

  _show(children, x, y) {
    this.element.replaceChildren(...children.filter(Boolean));
    this.element.hidden = false;
    const { offsetWidth: w, offsetHeight: hh } = this.element;
    const { clientWidth, clientHeight } = this.host;
    const left = x + 18 + w > clientWidth ? x - w - 14 : x + 18;
    const top = Math.min(Math.max(6, y + 16), clientHeight - hh - 6);
    this.element.style.transform = `translate(${Math.max(6, left)}px, ${top}px)`;
  }
}

/** "003 412 → 380 户 ○ 符合标准 …" as an element. */
function line(grid, before, after) {
  const gone = after.units === 0;
  const shift = before && before.households !== after.households ? `${number(before.households)} → ` : "";
  return h(
    "div",
    { class: `grid-line is-${after.status}` },
    h("p", {}, h("b", {}, short(grid)), ` ${grid.name ?? ""}`),
    h(
      "p",
      {},
      h("span", { class: "sign" }, SIGNS[after.status]),
      gone ? t("不再有单元") : `${shift}${t("{n} 户", { n: number(after.households) })} · ${before && before.status !== after.status ? `${WORDS[before.status]} → ` : ""}${WORDS[after.status]}${deviation(after)}`,
    ),
    gone ? null : h("p", { class: "more" }, t("{people} 人 · {pieces} · 紧凑度 {c} · 沿路 {r}", figures(after))),
  );
}

const figures = (s) => ({
  people: number(s.population),
  pieces: s.pieces > 1 ? t("✕ 断成 {n} 块", { n: s.pieces }) : t("连片"),
  c: number(s.compactness, 2),
  r: s.onRoads === null ? "—" : `${number(100 * s.onRoads)}%`,
});

/** "（差 12 户）" or "（多 12 户）", empty in the band. */
export function deviation(s) {
  if (!s.deviation) return "";
  return s.deviation < 0 ? t("（差 {n} 户）", { n: number(-s.deviation) }) : t("（多 {n} 户）", { n: number(s.deviation) });
}

/** A grid's state in one sentence, for screen readers and lists. */
export function told(grid, s) {
  return t("网格 {code} {name}：{n} 户，{status}{off}，{pieces}", {
    code: short(grid),
    name: grid.name ?? "",
    n: number(s.households),
    status: WORDS[s.status],
    off: deviation(s),
    pieces: s.pieces > 1 ? t("断成 {n} 块", { n: s.pieces }) : t("连片"),
  });
}
