/** Remarks on the plan, its grids and places: the list of the plan's page, and a pin on the map for each that is open. */

import { Comments } from "../comments.js";
import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { short } from "./model.js";

const CLOSE_ZOOM = 16;

export class CommentsPanel {
  constructor(panel, model, session, desk) {
    Object.assign(this, { panel, model, desk, seen: null });
    this.about = h("select", { id: "comment-about", onchange: () => this._subject() });
    const box = h("div", { class: "panel-comments" });
    panel.append(h("div", { class: "field" }, h("label", { for: "comment-about" }, t("意见针对")), this.about), box);
    this.pins = L.layerGroup().addTo(desk.map);
    this.comments = new Comments(box, {
      plan: model.plan.id,
      onGrid: (id) => {
        model.setActive(id);
        desk.zoomTo(id);
      },
      onPoint: ([lon, lat]) => desk.map.setView([lat, lon], Math.max(CLOSE_ZOOM, desk.map.getZoom()), { animate: false }),
      onCount: (open) => this._count(open),
      onItems: (items) => this._pins(items),
    });
    model.addEventListener("active", () => this._choices());
    desk.map.on("moveend", () => this.about.value === "point" && this._subject());
    session.addEventListener("present", ({ detail }) => {
      if (this.seen !== null && detail.comments !== this.seen) this.comments.load();
      this.seen = detail.comments;
    });
    this._choices();
  }

  shown() {
    this.comments.load();
  }

  _choices() {
    const { model } = this;
    const grid = model.active === null ? null : model.grids.get(model.active);
    this.about.replaceChildren(
      ...(grid ? [h("option", { value: "grid" }, t("网格 {code} {name}", { code: short(grid), name: grid.name ?? "" }))] : []),
      h("option", { value: "plan" }, t("整个方案")),
      h("option", { value: "point" }, t("地图中心的位置")),
    );
    this._subject();
  }

  /** What the next remark is about, as chosen. */
  _subject() {
    const grid = this.model.grids.get(this.model.active);
    const { lat, lng } = this.desk.map.getCenter();
    const subjects = {
      grid: grid && { grid: grid.id, label: t("网格 {code} {name}", { code: short(grid), name: grid.name ?? "" }) },
      point: { point: [lng, lat], label: `${lat.toFixed(5)}, ${lng.toFixed(5)}` },
    };
    this.comments.setSubject(subjects[this.about.value] ?? null);
  }

  _count(open) {
    const tab = document.querySelector(`[role=tab][aria-controls="${this.panel.id}"]`);
    tab.textContent = open ? `${t("意见")} ${number(open)}` : t("意见");
  }

  /** A pin for each open remark on a place or (above its label) a grid; reading and answering is done in the list. */
  _pins(items) {
    this._subject(); // writing has taken it away
    this.pins.clearLayers();
    for (const one of items) {
      const at = one.reply_to === null && !one.resolved_at ? this._placeOf(one) : null;
      if (at) L.marker(at, { icon: L.divIcon({ className: "comment-pin", html: "!", iconSize: [20, 20], iconAnchor: [10, one.point ? 22 : 42] }), interactive: false, keyboard: false }).addTo(this.pins);
    }
  }

  _placeOf(one) {
    if (one.point) return [one.point[1], one.point[0]];
    const label = this.desk.layer.shapes.get(one.grid_id)?.label;
    if (one.grid_id === null || !label) return null;
    const [lon, lat] = this.model.ground.lonLat(...label);
    return [lat, lon];
  }
}
