/** Remarks on the plan, its grids and places. */

import { h } from "../dom.js";
import { t } from "../i18n.js";

export class CommentsPanel {
  constructor(panel, model, session, desk) {
    Object.assign(this, { panel, model, session, desk });
    panel.append(h("p", { class: "muted" }, t("还没有意见。")));
  }
}
