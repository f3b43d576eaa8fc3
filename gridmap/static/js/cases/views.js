/** Saved views of this page: the address under a name, each person's own; what was deleted can be brought back. */

import { getJson, postJson, send } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";

const $ = (id) => document.getElementById(id);
const PAGE = "cases";

export function savedViews(state) {
  let views = null;

  const say = (...parts) => $("view-note").replaceChildren(...parts);
  const failed = (error) => say(error.status ? error.message : t("未能取回，请检查网络。"));

  async function load() {
    try {
      views = (await getJson(`/api/v1/views?page=${PAGE}`)).items;
      draw();
    } catch (error) {
      failed(error);
    }
  }

  function draw() {
    views.sort((a, b) => a.name.localeCompare(b.name, "zh"));
    $("view-list").replaceChildren(...views.map(line));
    if (!views.length) $("view-list").append(h("li", { class: "muted small" }, t("还没有保存的视图。")));
  }

  function line(view) {
    const act = (text, name, onclick) => h("button", { type: "button", class: "button small", "aria-label": `${text} ${name}`, onclick }, text);
    const row = h(
      "li",
      { class: "view-row" },
      h("a", { href: `?${view.query}` }, view.name),
      act(t("改名"), view.name, () => row.replaceWith(renaming(view))),
      act(t("删除"), view.name, () => remove(view)),
    );
    return row;
  }

  function renaming(view) {
    const name = h("input", { type: "text", value: view.name, maxLength: 60, required: true, "aria-label": t("新名字") });
    const onsubmit = async (event) => {
      event.preventDefault();
      try {
        const headers = { "Content-Type": "application/json" };
        const answer = await send(`/api/v1/views/${view.id}`, { method: "PUT", headers, body: JSON.stringify({ name: name.value }) });
        Object.assign(view, await answer.json());
        say(t("已改名。"));
        draw();
      } catch (error) {
        failed(error);
      }
    };
    const onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      draw();
    };
    const form = h("form", { class: "view-row", onsubmit, onkeydown }, name, h("button", { class: "button small primary" }, t("保存")));
    queueMicrotask(() => name.select());
    return h("li", {}, form);
  }

  async function keep(name, query) {
    const view = await postJson("/api/v1/views", { page: PAGE, name, query });
    views.push(view);
    draw();
    return view;
  }

  async function remove(view) {
    try {
      await send(`/api/v1/views/${view.id}`, { method: "DELETE" });
    } catch (error) {
      return failed(error);
    }
    views = views.filter((one) => one.id !== view.id);
    draw();
    const undo = async () => {
      try {
        await keep(view.name, view.query);
        say(t("已恢复。"));
      } catch (error) {
        failed(error);
      }
    };
    const button = h("button", { type: "button", class: "button small", onclick: undo }, t("撤销"));
    say(t("已删除“{name}”。", { name: view.name }), " ", button);
    return button.focus();
  }

  $("view-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const view = await keep($("view-name").value, String(state.address()));
      $("view-name").value = "";
      say(t("已保存“{name}”。", { name: view.name }));
    } catch (error) {
      failed(error);
    }
  });
  $("views").addEventListener("toggle", () => $("views").open && load());
  // a click that redraws the list would look like one outside of the menu, which closes it
  $("views").addEventListener("click", (event) => event.composedPath().includes($("view-list").parentElement) && event.stopPropagation());
}
