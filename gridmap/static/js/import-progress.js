/** A batch at work: asks how far it is, and shows the result when it is done. */

import { getJson } from "./api.js";
import { t } from "./i18n.js";

const box = document.getElementById("working");
const { batch, state } = box.dataset;
const bar = document.getElementById("share");
const EVERY_MS = 700;
let told = 0;
let failures = 0;

async function look() {
  try {
    const now = await getJson(`/api/v1/imports/${batch}`);
    if (now.state !== state) return location.reload();
    failures = 0;
    const percent = Math.round(now.progress * 100);
    bar.value = now.progress;
    document.getElementById("share-text").textContent = `${percent}%`;
    if (percent >= told + 10) {
      told = percent - (percent % 10);
      say(t("已完成 {percent}%", { percent: told }));
    }
  } catch (error) {
    failures += 1;
    if (failures > 2) say(t("暂时联系不上服务器，稍后自动再试。后台的工作不受影响。"));
  }
  setTimeout(look, EVERY_MS * Math.min(1 + failures, 10));
}

function say(text) {
  document.getElementById("said").textContent = text;
}

setTimeout(look, EVERY_MS / 2);
