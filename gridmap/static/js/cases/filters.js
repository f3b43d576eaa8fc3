/** The form of filters: shows the state and changes it; a line says in words what is shown. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { shiftDay } from "../zoned.js";
import { SPANS } from "./state.js";

const $ = (id) => document.getElementById(id);
const PHONE = window.matchMedia("(max-width: 860px)");

export function filters(state, { whole }) {
  const form = $("filters");
  const fold = $("filter-fold");
  fold.open = !PHONE.matches;
  PHONE.addEventListener("change", () => (fold.open = !PHONE.matches));

  function show() {
    $("since").value = state.since;
    $("until").value = state.until;
    $("region").value = state.region;
    $("bandwidth").value = state.bandwidth;
    $("compare").value = state.compare;
    $("before-own").hidden = state.compare !== "own";
    $("before_since").value = state.beforeSince;
    $("before_until").value = state.beforeUntil;
    for (const box of form.querySelectorAll("[name=category]")) box.checked = state.category.includes(box.value);
    for (const button of form.querySelectorAll("[data-days]")) button.setAttribute("aria-pressed", String(state.days === Number(button.dataset.days)));
    const said = summary(state);
    $("summary").textContent = said;
    $("fold-summary").textContent = said;
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", ({ target }) => {
    if (target.dataset?.days !== undefined && SPANS.includes(Number(target.dataset.days))) state.set({ days: Number(target.dataset.days) });
  });
  form.addEventListener("change", ({ target: { name, value, id } }) => {
    if (name === "plan") {
      state.plan = Number(value);
      state.grid = null; // grids belong to their plan
      state.write();
      location.reload();
    } else if (name === "category") {
      state.set({ category: [...form.querySelectorAll("[name=category]:checked")].map((box) => box.value) });
    } else if (name === "bandwidth") state.set({ bandwidth: Number(value) });
    else if (name === "compare") compare(state, value);
    else if (id === "before_since") state.set({ beforeSince: value });
    else if (id === "before_until") state.set({ beforeUntil: value });
    else if (name === "region") {
      state.set({ region: value, lat: null, lon: null, zoom: null });
      if (value || whole) return;
      state.write(); // exact figures of all are not theirs: another page shows what is released
      location.reload();
    } else if (["since", "until"].includes(name)) state.set({ [name]: value });
  });
  state.addEventListener("change", show);
  show();
}

/** Periods have two ends: without them the last year is taken. */
function compare(state, value) {
  const open = value && !(state.since && state.until);
  state.set({ compare: value, ...(open ? { days: 365 } : {}) });
}

/** The filter as somebody would read it out. */
export function summary(state) {
  const presets = { 7: t("近7天"), 30: t("近30天"), 365: t("近一年"), 0: t("全部时间") };
  const days = state.since || state.until ? `${state.since || "…"} – ${state.until || "…"}` : "";
  const span = state.days === null ? days : [presets[state.days], days].filter(Boolean).join(" · ");
  const region = state.region ? $("region").selectedOptions[0]?.textContent.trim() : t("全部区划");
  const kinds = state.category.length > 3 ? t("{n} 个类别", { n: number(state.category.length) }) : state.category.join("、") || t("全部类别");
  return [span, region, kinds].join(" · ");
}

/** The line above the panels: how many cases, what is left out, and of which days nothing is known. */
export function status(place, sums, state) {
  const ends = state.last ? ` · ${t("数据到 {day}", { day: state.last })}` : "";
  const missing = lacking([state.since, state.until], state).map((text) => h("span", { class: "badge tone-warn" }, text));
  if (!sums.total) return place.replaceChildren(t("这些条件下没有事件，请放宽时间、类别或区划。"), ends, " ", ...missing);
  const parts = [h("b", {}, number(sums.total)), ` ${t("件事件")}`, ` · ${sums.open === sums.total ? t("都没有办结时间") : t("未结 {n}", { n: number(sums.open) })}`];
  const unplaced = sums.total - sums.located;
  if (unplaced) parts.push(` · ${t("{n} 件没有位置，不在图上", { n: number(unplaced) })}`);
  return place.replaceChildren(...parts, ends, " ", ...missing);
}

/** Which of the days from `since` to `until` (both included, "" where open) lie where nothing is known, in words. */
export function lacking([since, until], { first, last }) {
  if (!last) return [];
  const days = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 864e5) + 1;
  const told = [];
  if (since && since < first) {
    const to = until && until < first ? until : shiftDay(first, -1);
    told.push(t("{a} 至 {b} 的 {n} 天没有数据", { a: since, b: to, n: number(days(since, to)) }));
  }
  if (until && until > last) {
    const from = since > last ? since : shiftDay(last, 1);
    told.push(t("{a} 至 {b} 的 {n} 天没有数据", { a: from, b: until, n: number(days(from, until)) }));
  }
  return told;
}
