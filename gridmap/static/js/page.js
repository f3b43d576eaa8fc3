/** What every page does: the folding navigation, questions before grave posts, copying, menus that close. */

import { confirmed } from "./dialog.js";
import { t } from "./i18n.js";

const toggle = document.querySelector(".nav-toggle");
toggle?.addEventListener("click", () => {
  const open = toggle.getAttribute("aria-expanded") !== "true";
  toggle.setAttribute("aria-expanded", String(open));
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  const danger = Boolean(form.querySelector(".danger"));
  if (await confirmed(question, { danger })) {
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
  }
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const field = copy.parentElement.querySelector("input");
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy");
    }
    copy.textContent = t("已复制");
  }
  const link = event.target.closest("[data-copy-link]"); // pages keep their state in the address
  if (link) {
    await copied(location.href);
    link.textContent = t("链接已复制");
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

/** Put `text` on the clipboard, the old way where the page is not served securely. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add-row]");
  const remove = event.target.closest("[data-remove-row]");
  if (add) {
    const template = document.getElementById(add.dataset.addRow);
    template.parentElement.insertBefore(template.content.cloneNode(true), template);
  }
  if (remove) remove.closest("[data-row]").remove();
});

/** What scrolls sideways can be reached and scrolled by the keyboard, also when it is filled later. */
function reachWide() {
  for (const box of document.querySelectorAll(".table-wrap, pre")) {
    const wide = box.scrollWidth > box.clientWidth;
    if (wide === box.hasAttribute("tabindex")) continue;
    if (!wide) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      continue;
    }
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", box.querySelector("caption")?.textContent.trim() || t("可左右滚动的内容"));
  }
}

let waiting = false;
function reachSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    reachWide();
  });
}

reachWide();
addEventListener("resize", reachSoon);
new MutationObserver(reachSoon).observe(document.getElementById("main"), { childList: true, subtree: true });
