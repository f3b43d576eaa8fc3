/** The panel of the engine's help. */

import { h } from "../dom.js";
import { t } from "../i18n.js";

export class AssistPanel {
  constructor(panel, model, session, desk) {
    Object.assign(this, { panel, model, session, desk });
    panel.append(h("p", { class: "muted" }, t("请先选择一个网格。")));
  }
}
