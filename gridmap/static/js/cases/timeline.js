/** The time slider on the page: its window is the span of the state; while it plays the map and the figure follow. */

import { h } from "../dom.js";
import { number, t } from "../i18n.js";

const $ = (id) => document.getElementById(id);

export function timeline(state, { slider, heat }, shown) {
  const params = () => ({ region: state.region, category: state.category, ...(state.grid ? { grid: state.grid } : {}) });
  const frame = (told) => ({ ...state.wanted(), since: told.from, until: told.to, bandwidth: state.bandwidth });

  slider.show = (told, next) => {
    if (state.mode !== "heat") return shown.frame({ since: told.from, until: told.to }, told.days);
    const drawn = heat.setParams(frame(told));
    if (next) heat.prefetch(frame(next));
    return drawn;
  };
  slider.setRange(state.since, state.until);
  const same = ({ region, category, grid }) => JSON.stringify([region, category, grid]);
  if (same(slider._params) !== same(params())) slider.setParams(params());

  slider.on("play", () => (state.playing = true));
  slider.on("pause", () => (state.playing = false));
  slider.on("frame", ({ told, cases }) => figures(told, cases));
  slider.on("change", ({ told, cases, settled }) => {
    if (settled) state.set(told.all ? { days: 0 } : { since: told.since, until: told.until });
    else figures(told, cases);
  });
  state.on(["since", "until"], () => slider.setRange(state.since, state.until));
  state.on(["region", "category", "grid"], () => slider.setParams(params()));

  /** Days and number of the window while it moves; everything else waits until it stands still. */
  function figures(told, cases) {
    $("since").value = told.since;
    $("until").value = told.until;
    $("status").replaceChildren(h("b", {}, number(cases)), ` ${t("件事件")} · ${told.since} – ${told.until}`);
  }
}
