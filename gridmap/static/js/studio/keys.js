/** The sheet of keys. */

import { h } from "../dom.js";
import { t } from "../i18n.js";

const KEYS = [
  [["V", "P", "E", "R", "L", "B", "S", "M", "C"], t("移动、涂绘、擦除、框选、套索、拖边界、拆分、合并、切单元")],
  [[t("方向键")], t("在地图上移到相邻单元；按住 Shift 扩选")],
  [["Enter"], t("对光标处（或选中的单元）执行当前工具")],
  [["G", `Alt+${t("点击")}`], t("取光标或指针处的网格作为当前网格")],
  [["[", "]"], t("画笔小一些、大一些")],
  [["+", "−"], t("放大、缩小；拖边界时把边界推出、收回")],
  [[t("按住空格")], t("临时移动地图")],
  [["N"], t("新建网格（有选中单元时由它们组成）")],
  [["K"], t("锁定或解锁当前网格")],
  [["F", "Shift+F"], t("下一处、上一处问题")],
  [["H"], t("智能面板")],
  [["Ctrl+Z", "Ctrl+Y"], t("撤销、重做，不限步数")],
  [["Esc"], t("放弃手上的动作，取消选择")],
  [["?"], t("本页")],
];

export function keysSheet() {
  const dialog = h(
    "dialog",
    { class: "sheet", "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title", tabIndex: -1, autofocus: true }, t("快捷键")),
    h("table", {}, h("tbody", {}, ...KEYS.map(([keys, what]) => h("tr", {}, h("th", { scope: "row" }, ...keys.flatMap((key) => [h("kbd", {}, key), " "])), h("td", {}, what))))),
    h("p", { class: "small muted" }, t("触摸屏：一指操作，两指移动和缩放。")),
    h("form", { method: "dialog", class: "actions" }, h("button", { class: "button primary" }, t("关闭"))),
  );
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
