/** Submitting the plan for approval from the studio: what is missing, reasons for warnings, and off it goes. */

import { ApiError, getJson, postJson } from "../api.js";
import { h } from "../dom.js";
import { number, t } from "../i18n.js";

/** Show what is missing; without errors and with reasons for every warning the plan can be handed in. */
export async function submitDialog(desk) {
  const { session, model } = desk;
  const api = `/api/v1/plans/${model.plan.id}`;
  await session.flush();
  if (session.pending.length) return desk.notice(t("还有改动没有保存，连上服务器后再提交。"));
  const body = h("div", {}, h("p", { role: "status" }, t("正在核查…")));
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": "submit-title" }, h("h2", { id: "submit-title" }, t("提交审批")), body);
  document.body.append(dialog);
  let keep = () => null;
  dialog.addEventListener("close", () => {
    keep()?.catch((error) => desk.notice(error.message));
    dialog.remove();
  });
  dialog.showModal();
  const close = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("继续修改"));

  /** Hand in; where something is missing, the server says what and the dialog shows it. */
  async function send(reasons, comment) {
    desk.leaving = true; // the plan changes its state: no reload of this page may overtake the next one
    try {
      await postJson(`${api}/submit`, { reasons, comment });
      location.assign(`/plans/${model.plan.id}#workflow`);
    } catch (error) {
      desk.leaving = false;
      if (!(error instanceof ApiError)) throw error;
      show(await getJson(`${api}/workflow`), error, comment);
    }
  }

  function show(flow, error = null, said = "") {
    const wrong = flow.errors.filter((one) => one.open);
    const silent = flow.warnings.filter((one) => one.count > one.unavoidable);
    const jump = (one) => one.grids.slice(0, 8).map((code) => h("button", { type: "button", class: "row-button", onclick: () => (dialog.close(), go(code)) }, code.slice(-3)));
    const fields = silent.map((one) =>
      h(
        "div",
        { class: "field" },
        h("label", { for: `why-${one.rule}` }, t("{rule}：{n} 处", { rule: `${one.rule} ${one.title}`, n: number(one.count - one.unavoidable) })),
        h("textarea", { id: `why-${one.rule}`, rows: 2, maxLength: 1000, placeholder: t("为什么可以这样"), value: one.reason ?? "" }),
      ),
    );
    const texts = () => Object.fromEntries(silent.map((one, k) => [one.rule, fields[k].querySelector("textarea").value]));
    const known = JSON.stringify(texts());
    keep = () => (JSON.stringify(texts()) === known ? null : postJson(`${api}/reasons`, { reasons: texts() }, { method: "PUT" })); // what was typed is not lost
    const comment = h("textarea", { id: "submit-word", rows: 2, maxLength: 1000, value: said });
    const go_ = h(
      "button",
      {
        type: "button",
        class: "button primary",
        onclick: () => send(texts(), comment.value),
      },
      t("提交审批"),
    );
    body.replaceChildren(
      ...[
        error && error.code !== "WORKFLOW_REASONS" && error.code !== "WORKFLOW_ERRORS" ? h("p", { class: "notice error", role: "alert" }, error.message) : null,
        wrong.length ? h("div", {}, h("h3", {}, t("✕ 提交前要解决的错误")), h("ul", { class: "flow-list" }, ...wrong.map((one) => h("li", {}, `${t("{rule}：{n} 处", { rule: `${one.rule} ${one.title}`, n: number(one.open) })} `, ...jump(one))))) : h("p", {}, t("✓ 没有错误。")),
        silent.length ? h("h3", {}, t("! 警告须写明理由")) : null,
        ...fields,
        wrong.length ? null : h("div", { class: "field" }, h("label", { for: "submit-word" }, t("给审批人的话（可选）")), comment),
        h("div", { class: "actions" }, close, wrong.length ? null : go_),
      ].filter(Boolean),
    );
    body.querySelector("textarea, button")?.focus();
  }

  function go(code) {
    for (const grid of model.grids.values()) {
      if (grid.code !== code) continue;
      model.setActive(grid.id);
      desk.zoomTo(grid.id);
      desk.open("grids");
    }
  }

  try {
    show(await postJson(`${api}/examine`, {}));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    body.replaceChildren(h("p", { class: "notice error", role: "alert" }, error.message), h("div", { class: "actions" }, close));
  }
}
