/** The studio's page: opens a plan, puts map, tools, panels and session together. */

import { ApiError, getBuffer, getJson } from "../api.js";
import { pageData } from "../dom.js";
import { t } from "../i18n.js";
import { Card } from "./card.js";
import { Desk } from "./desk.js";
import { Ground } from "./ground.js";
import { PlanLayer } from "./layer.js";
import { Model } from "./model.js";
import { Outbox, tabName } from "./outbox.js";
import { Overlay } from "./overlay.js";
import { unpack } from "./packed.js";
import { Picker } from "./pick.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { newKey } from "./wire.js";
import { border } from "./tools/border.js";
import { cut, split } from "./tools/lines.js";
import { merge, pan } from "./tools/merge.js";
import { erase, paint } from "./tools/paint.js";
import { lasso, rectangle } from "./tools/select.js";

const TOOLS = [pan, paint, erase, rectangle, lasso, border, split, merge, cut];
const data = pageData();
const loading = document.getElementById("loading");

/** The plan and its ground; a ground that is no more is asked for once again. */
async function fetched() {
  for (let tries = 0; ; tries++) {
    const state = await getJson(`/api/v1/plans/${data.plan}/studio`);
    try {
      return { state, packed: unpack(await getBuffer(state.ground)) };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404 || tries) throw error;
    }
  }
}

async function open() {
  performance.mark("studio-begin");
  const { state, packed } = await fetched();
  const ground = new Ground(packed);
  const model = new Model(state, ground);
  const map = window.gridmap.page.map;
  const picker = new Picker(ground);
  const layer = new PlanLayer(model, picker).add(map);
  const overlay = new Overlay(model, layer).add(map);
  requestAnimationFrame(() => setTimeout(() => performance.mark("studio-painted")));
  const box = map.getContainer();
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", t("方案地图：方向键移到相邻单元，回车执行当前工具，字母键选工具，问号看全部快捷键"));
  const card = new Card(document.querySelector("#studio-map .map-frame"), document.getElementById("voice"));
  const stage = new Stage({ map, model, picker, layer, overlay, card, tools: TOOLS });
  const outbox = await Outbox.open(`${state.user.id}:${state.plan.id}`, tabName(newKey));
  const session = new Session(model, outbox, state.user);
  const desk = new Desk({ map, model, layer, overlay, stage, session, card, data });
  loading.hidden = true;
  if (!ground.n) {
    loading.hidden = false;
    loading.textContent = t("此方案没有单元。请先划分单元，再新建方案。");
  }
  await session.start();
  performance.mark("studio-ready");
  layer.between(map, window.gridmap.page.ground, window.gridmap.page.regions); // the plan first: tiles would hold it up
  window.gridmap.studio = { model, session, stage, layer, overlay, desk }; // for tests and the console
}

open().catch((error) => {
  loading.hidden = false;
  loading.setAttribute("role", "alert");
  loading.textContent = error instanceof ApiError ? error.message : t("方案未能打开：{reason}。请重新载入页面。", { reason: String(error.message ?? error) });
  if (!(error instanceof ApiError)) throw error;
});

