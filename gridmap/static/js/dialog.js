/** A question in a native dialog, and short notices. */

import { t } from "./i18n.js";

/** Ask `question`; resolves to whether it was confirmed. Escape and Cancel say no. */
export function confirmed(question, { yes = t("确定"), danger = false } = {}) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const text = document.createElement("p");
  text.textContent = question;
  const buttons = document.createElement("form");
  buttons.method = "dialog";
  buttons.className = "actions";
  buttons.append(button(t("取消"), "no", "button"), button(yes, "yes", `button ${danger ? "danger" : "primary"}`));
  dialog.append(text, buttons);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** Show `text` at the top of the page; tone: info, success, error. */
export function notify(text, tone = "info") {
  const place = document.querySelector(".notices") ?? document.body;
  const notice = document.createElement("p");
  notice.className = `notice ${tone}`;
  notice.textContent = text;
  place.replaceChildren(notice);
  return notice;
}

function button(label, value, className) {
  const element = document.createElement("button");
  element.value = value;
  element.className = className;
  element.textContent = label;
  return element;
}
