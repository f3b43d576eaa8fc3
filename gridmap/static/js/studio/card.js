/** The card beside the pointer: both grids before and after, as they would be; spoken where the keyboard works. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { SIGNS } from "./layer.js";
import { short } from "./model.js";

export const WORDS = { under: t("低于标准"), within: t("符合标准"), over: t("超出标准"), empty: t("无住户"), unchecked: t("无户数标准") };

const MOST_LINES = 4;

/**
 * The card's elements are made once and only their text changes, its place is set without asking for its size, and it is
 * a layer of its own: so a frame of the pointer costs neither a layout of the page nor a repaint of the map.
 */
export class Card {
  /** `host`: the map's frame; `voice`: an element with aria-live. */
  constructor(host, voice) {
    this.head = text("p", "head");
    this.lines = Array.from({ length: MOST_LINES }, () => new Line());
    this.more = text("p", "more");
    this.refused = text("p", "refused");
    this.element = h("div", { class: "studio-card", hidden: true, "aria-hidden": "true" }, this.head, this.lines.map((one) => one.element), this.more, this.refused);
    host.append(this.element);
    this.voice = voice;
    this.size = [host.clientWidth, host.clientHeight];
    new ResizeObserver(([entry]) => (this.size = [entry.contentRect.width, entry.contentRect.height])).observe(host);
  }

  /** Show what a change would do at a point of the frame (px). */
  preview(preview, at) {
    write(this.head, t("{units} 个单元 · {households} 户", { units: number(preview.units.length), households: number(preview.households) }));
    this.lines.forEach((line, k) => line.show(preview.touched[k]));
    write(this.more, preview.touched.length > MOST_LINES ? t("另有 {n} 个网格", { n: preview.touched.length - MOST_LINES }) : "");
    write(this.refused, preview.refused ? `✕ ${preview.refused.text}` : "");
    this._show(at);
  }

  /** Show the unit under the pointer and its grid. */
  unit(model, unit, at) {
    const id = model.gridOf(unit);
    this._only(`${model.ground.label(unit)} · ${t("{n} 户", { n: number(model.ground.households[unit]) })}`);
    if (id === null) write(this.more, t("未分配"));
    else this.lines[0].show({ grid: model.grids.get(id), before: null, after: model.stats(id) });
    this._show(at);
  }

  message(sentence, at) {
    this._only(sentence);
    this._show(at);
  }

  hide() {
    if (!this.element.hidden) this.element.hidden = true;
  }

  /** Say a sentence to a screen reader. */
  speak(sentence) {
    this.voice.textContent = sentence;
  }

  _only(head) {
    write(this.head, head);
    for (const line of this.lines) line.show(undefined);
    write(this.more, "");
    write(this.refused, "");
  }

  /** Beside the pointer, on the side where there is room: by its own width and height, which nobody has to know. */
  _show([x, y]) {
    const [width, height] = this.size;
    const across = x < width - 310 || x < width / 2 ? `${Math.max(6, Math.min(x + 18, width - 300))}px` : `max(6px, ${x - 14}px - 100%)`;
    const down = y < height / 2 ? `${Math.max(6, y + 16)}px` : `max(6px, ${y - 12}px - 100%)`;
    this.element.style.transform = `translate(${across}, ${down})`;
    if (this.element.hidden) this.element.hidden = false;
  }
}

/** An element with one text that `write` changes; hidden while it is empty. */
function text(tag, className) {
  return h(tag, { class: className, hidden: true }, document.createTextNode(""));
}

/** Change a text in place, so that nothing is made and nobody who watches the page's elements wakes. */
function write(element, sentence) {
  if (element.firstChild.data === sentence) return;
  element.firstChild.data = sentence;
  element.hidden = sentence === "";
}

/** "003 412 → 380 户 ○ 符合标准 …" as elements. */
class Line {
  constructor() {
    [this.code, this.name, this.sign, this.state, this.more] = [text("b", ""), text("span", ""), text("span", "sign"), text("span", ""), text("p", "more")];
    this.element = h("div", { hidden: true }, h("p", {}, this.code, " ", this.name), h("p", {}, this.sign, this.state), this.more);
  }

  /** `{grid, before, after}`, undefined to hide. */
  show(touched) {
    if (this.element.hidden === Boolean(touched)) this.element.hidden = !touched;
    if (!touched) return;
    const { grid, before, after } = touched;
    const gone = after.units === 0;
    const shift = before && before.households !== after.households ? `${number(before.households)} → ` : "";
    const change = before && before.status !== after.status ? `${WORDS[before.status]} → ` : "";
    const name = `grid-line is-${after.status}`;
    if (this.element.className !== name) this.element.className = name;
    write(this.code, short(grid));
    write(this.name, grid.name ?? "");
    write(this.sign, SIGNS[after.status]);
    write(this.state, gone ? t("不再有单元") : `${shift}${t("{n} 户", { n: number(after.households) })} · ${change}${WORDS[after.status]}${deviation(after)}`);
    write(this.more, gone ? "" : t("{people} 人 · {pieces} · 紧凑度 {c} · 沿路 {r}", figures(after)));
  }
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
