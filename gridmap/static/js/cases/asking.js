/** Asking for what a panel shows: the last question wins, a panel says that it is busy, errors are told in place. */

import { getJson } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";

/** Whoever wants to know how questions end (the wall's clock): "answered", "failed" with `detail.error`. */
export const heard = new EventTarget();

/**
 * A function that asks `address()` and gives the answer to `show`; an answer that came too late is dropped. `panel`: the
 * element that is busy meanwhile and says what went wrong, with a way to try again.
 */
export function panelOf(panel, address, show) {
  let epoch = 0;
  let abort = null;
  return async function load() {
    const mine = ++epoch;
    abort?.abort();
    abort = new AbortController();
    const url = address();
    if (!url) return panel.removeAttribute("aria-busy"); // nothing to ask: what was asked before is dropped
    panel.setAttribute("aria-busy", "true");
    try {
      const found = await getJson(url, { signal: abort.signal });
      if (mine !== epoch) return;
      panel.querySelector(":scope > .panel-error")?.remove();
      await show(found);
      heard.dispatchEvent(new CustomEvent("answered"));
    } catch (error) {
      if (mine !== epoch || error.name === "AbortError") return;
      panel.querySelector(":scope > .panel-error")?.remove();
      panel.append(failure(error, load));
      heard.dispatchEvent(new CustomEvent("failed", { detail: { error } }));
    } finally {
      if (mine === epoch) panel.removeAttribute("aria-busy");
    }
  };
}

function failure(error, again) {
  const text = error.status ? error.message : t("未能取回，请检查网络。");
  return h("p", { class: "panel-error notice error", role: "alert" }, text, " ", h("button", { type: "button", class: "button small", onclick: again }, t("重试")));
}
