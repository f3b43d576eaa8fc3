/** The map over the whole screen, and the wall screen that keeps itself up to date. */

import { t } from "../i18n.js";
import { heard } from "./asking.js";
import { summary } from "./filters.js";

const $ = (id) => document.getElementById(id);
const REFRESH_MS = 60_000;
const RETRY_MS = 10_000;

/** The button that fills the screen with the map, where a browser cannot do so by itself the window. */
export function fullScreen(map) {
  const box = $("map-side");
  const button = $("full");
  const show = (on) => {
    box.classList.toggle("full", on);
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? t("退出全屏") : t("全屏");
    map.invalidateSize({ animate: false });
  };
  const leave = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else show(false);
  };
  button.addEventListener("click", async () => {
    if (box.classList.contains("full")) return leave();
    show(true);
    await box.requestFullscreen?.().catch(() => {}); // refused: the window will do
    return map.invalidateSize({ animate: false });
  });
  document.addEventListener("fullscreenchange", () => show(document.fullscreenElement === box));
  document.addEventListener("keydown", (event) => event.key === "Escape" && box.classList.contains("full") && leave());
}

/** The way to the wall screen and, on it, a refresh a minute; a lost connection is told and tried again. */
export function wallScreen(state, refresh, total) {
  $("open-wall").addEventListener("click", () => {
    const params = state.address();
    params.set("wall", 1);
    location.assign(`?${params}`);
  });
  if (!state.wall) return;
  let last = null;
  let lost = false;
  let timer = 0;
  const clock = (date) => date.toLocaleTimeString("zh-CN", { hour12: false, timeZone: state.zone });

  const again = (after) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      lost = false;
      state.roll();
      refresh();
      again(REFRESH_MS);
    }, after);
  };
  heard.addEventListener("answered", () => {
    if (lost) return;
    last = new Date();
    $("wall-time").textContent = clock(last);
    $("wall-time").dateTime = last.toISOString();
    $("wall-note").hidden = true;
    $("wall-count").textContent = total();
    $("wall-summary").textContent = summary(state);
  });
  heard.addEventListener("failed", () => {
    if (lost) return;
    lost = true;
    $("wall-note").textContent = last ? t("连接中断：显示的是 {time} 的数据，正在重试。", { time: clock(last) }) : t("连接中断，正在重试。");
    $("wall-note").hidden = false;
    again(RETRY_MS);
  });
  const leave = () => {
    const params = state.address();
    params.delete("wall");
    $("wall-exit").href = `?${params}`;
  };
  state.addEventListener("change", leave);
  leave();
  $("wall-summary").textContent = summary(state);
  again(REFRESH_MS);
}
