/** Sending a file: drag and drop, progress, and the same file recognised before it is sent for nothing. */

import { number, t } from "./i18n.js";

const form = document.getElementById("upload");
const input = document.getElementById("file");
const drop = document.getElementById("drop");
const note = document.getElementById("upload-note");
const $ = (id) => document.getElementById(id);
/** What names of files say about their kind. */
const HINTS = [
  ["units", /单元|街坊|unit/i],
  ["grids", /网格|grid/i],
  ["buildings", /楼|建筑|房|台账|building|house/i],
  ["barriers", /路|水|河|铁|墙|小区|road|river|rail|barrier/i],
  ["cases", /事件|案件|工单|case|event/i],
  ["regions", /区划|社区|街道|边界|行政|region|border|district/i],
];
let running = null;

for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length > 1) return say(t("一次请只放一个文件；Shapefile 的几个文件请先打包成 ZIP。"), "warning");
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change"));
});

input.addEventListener("change", () => {
  say("");
  const file = input.files[0];
  if (!file) return;
  if (/\.shp$/i.test(file.name)) say(t("Shapefile 由几个文件组成，请把 .shp、.dbf、.shx、.prj 一起打包成 ZIP 再上传。"), "warning");
  const guess = HINTS.find(([, words]) => words.test(file.name));
  if (guess && !form.querySelector("[name=kind]:checked")) form.querySelector(`[name=kind][value=${guess[0]}]`).checked = true;
  explain();
});

/** What a good file of the chosen kind holds. */
function explain() {
  const chosen = form.querySelector("[name=kind]:checked");
  if (chosen) $("kind-help").textContent = chosen.parentElement.querySelector(".visually-hidden").textContent;
}
for (const radio of form.querySelectorAll("[name=kind]")) radio.addEventListener("change", explain);
explain();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = input.files[0];
  const limit = Number(form.dataset.limit);
  if (file.size > limit) return say(t("文件有 {size} MB，超过上限 {limit} MB。请按街道拆分，或用命令行 gridmap import 导入。", { size: number(file.size / 2 ** 20), limit: number(limit / 2 ** 20) }), "error");
  send(new FormData(form));
});
$("stop").addEventListener("click", () => running?.abort());

/** XMLHttpRequest, because fetch does not tell how much was sent. */
function send(body) {
  const request = (running = new XMLHttpRequest());
  request.open("POST", form.dataset.api);
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", document.querySelector('meta[name="csrf-token"]').content);
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    $("sent").value = loaded / total;
    $("sent-text").textContent = loaded < total ? t("{done} / {all} MB", { done: number(loaded / 2 ** 20, 1), all: number(total / 2 ** 20, 1) }) : t("已发送，服务器正在保存…");
  });
  request.addEventListener("load", () => {
    busy(false);
    const answer = request.response ?? {};
    if (request.status === 401) location.assign("/sign-in?next=/imports");
    else if (request.status >= 400) say([answer.message, answer.details?.hint].filter(Boolean).join(" ") || `HTTP ${request.status}`, "error");
    else if (answer.repeated) repeated(answer, body);
    else location.assign(`/imports/${answer.id}`);
  });
  request.addEventListener("error", () => {
    busy(false);
    say(t("上传中断，请检查网络后重试。服务器上没有留下半个文件。"), "error");
  });
  request.addEventListener("abort", () => {
    busy(false);
    say(t("上传已取消，服务器上没有留下任何内容。"));
  });
  say("");
  busy(true);
  request.send(body);
}

function repeated(batch, body) {
  const words = { uploaded: t("待确认列与坐标"), reading: t("正在核查"), staged: t("待接收"), accepting: t("正在接收"), accepted: t("已接收"), failed: t("读取失败") };
  const box = say(t("这个文件以前上传过：批次 {id}（{state}，{who}）。", { id: batch.id, state: words[batch.state], who: batch.login ?? t("系统") }), "warning");
  const link = document.createElement("a");
  link.className = "button small";
  link.href = `/imports/${batch.id}`;
  link.textContent = t("打开该批次");
  const again = document.createElement("button");
  again.type = "button";
  again.className = "button small";
  again.textContent = t("仍要作为新批次导入");
  again.addEventListener("click", () => {
    body.set("again", "1");
    send(body);
  });
  const buttons = document.createElement("p");
  buttons.className = "actions";
  buttons.append(link, again);
  box.append(buttons);
  link.focus();
}

function busy(on) {
  $("send").disabled = on;
  $("sending").hidden = !on;
  $("sent").value = 0;
  $("sent-text").textContent = "";
}

function say(text, tone = "") {
  const box = document.createElement("div");
  box.className = `notice ${tone}`;
  const sentence = document.createElement("p");
  sentence.textContent = text;
  box.append(sentence);
  note.replaceChildren(...(text ? [box] : []));
  return box;
}
