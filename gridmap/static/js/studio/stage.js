/**
 * Pointer, touch and keyboard of the map, handed to the tool at hand.
 *
 * A tool has `start`, `move`, `end`, `hover`, `cancel` and `key`, each with a point `{x, y, radius(px), unit, px, alt, shift}`
 * in relative coordinates. One finger or the main button works, two fingers, the middle button, or the space bar pan.
 */

import { t } from "../i18n.js";
import { told } from "./card.js";
import { Refused } from "./model.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
export const BRUSHES = [0, 14, 28, 56, 112]; // px

export class Stage extends EventTarget {
  constructor({ map, model, picker, layer, overlay, card, tools }) {
    super();
    Object.assign(this, { map, model, picker, layer, overlay, card });
    this.brush = 0;
    this.spaced = false;
    this.pointers = new Map();
    this.tools = Object.fromEntries(tools.map((tool) => [tool.name, tool]));
    this.box = map.getContainer();
    map.keyboard.disable();
    map.boxZoom.disable();
    map.doubleClickZoom.disable();
    const on = (name, handler, options) => this.box.addEventListener(name, handler.bind(this), options);
    on("pointerdown", this._down, true);
    on("pointermove", this._move);
    on("pointerup", this._up);
    on("pointercancel", this._lost);
    on("pointerleave", this._leave);
    on("keydown", this._key);
    on("keyup", this._keyUp);
    on("blur", () => this._space(false));
    on("contextmenu", (event) => event.preventDefault());
    model.addEventListener("tool", () => this._changed());
    this._changed();
  }

  get tool() {
    return this.tools[this.model.tool];
  }

  /** Say why something was not done, at the pointer and aloud. */
  refuse(error) {
    if (!(error instanceof Refused)) throw error;
    this.card.speak(error.message);
    this.dispatchEvent(new CustomEvent("refused", { detail: error }));
  }

  /** Do what may be refused. */
  attempt(work) {
    try {
      return work();
    } catch (error) {
      this.refuse(error);
      return null;
    }
  }

  /** A point of the map's frame (px) in relative coordinates, with the unit there. */
  point(event) {
    const box = this.box.getBoundingClientRect();
    const px = [event.clientX - box.left, event.clientY - box.top];
    return this.at(px, event);
  }

  at(px, event = {}) {
    const world = this.map.getPixelOrigin().add(this.map.containerPointToLayerPoint(px));
    const { origin, step } = this.model.ground;
    const size = 256 * 2 ** this.map.getZoom();
    const x = (world.x / size - origin[0]) / step;
    const y = (world.y / size - origin[1]) / step;
    return { x, y, px, unit: this.picker.unitAt(x, y), alt: Boolean(event.altKey), shift: Boolean(event.shiftKey), radius: (r) => r / (size * step) };
  }

  /** The point of the frame where a unit's inner point is. */
  pixelOf(unit) {
    const [lon, lat] = this.model.ground.lonLat(this.model.ground.x[unit], this.model.ground.y[unit]);
    const { x, y } = this.map.latLngToContainerPoint([lat, lon]);
    return [x, y];
  }

  setBrush(size) {
    this.brush = Math.min(BRUSHES.length - 1, Math.max(0, size));
    this.dispatchEvent(new CustomEvent("brush"));
  }

  /** Move the keyboard's cursor to a unit and say what is there. */
  goTo(unit, { pan = true } = {}) {
    this.overlay.set({ cursor: unit });
    if (unit < 0) return;
    const px = this.pixelOf(unit);
    const { clientWidth: w, clientHeight: h } = this.box;
    if (pan && (px[0] < 40 || px[1] < 40 || px[0] > w - 40 || px[1] > h - 40)) {
      const [lon, lat] = this.model.ground.lonLat(this.model.ground.x[unit], this.model.ground.y[unit]);
      this.map.panTo([lat, lon], { animate: false });
    }
    const id = this.model.gridOf(unit);
    const name = `${this.model.ground.label(unit)}${t("，{n} 户", { n: this.model.ground.households[unit] })}`;
    this.card.speak(`${name}；${id === null ? t("未分配") : told(this.model.grids.get(id), this.model.stats(id))}`);
    this.card.unit(this.model, unit, this.pixelOf(unit));
  }

  cancel() {
    this.pressed = false;
    this.tool.cancel?.(this);
    this.overlay.set({ preview: null, shape: null, border: null });
    this.card.hide();
  }

  get panning() {
    return this.spaced || this.model.tool === "pan";
  }

  _changed() {
    for (const tool of Object.values(this.tools)) if (tool !== this.tool) tool.leave?.(this);
    this.overlay.set({ preview: null, shape: null, border: null });
    this.pressed = false;
    this._dragging();
    this.tool.enter?.(this);
  }

  _dragging() {
    this.map.dragging[this.panning ? "enable" : "disable"]();
    this.box.dataset.tool = this.panning ? "pan" : this.model.tool;
  }

  _ours(event) {
    return event.target.closest(".leaflet-control") === null;
  }

  _down(event) {
    if (!this._ours(event)) return;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size > 1) {
      if (this.pressed) this.cancel(); // the second finger pans and zooms
      return;
    }
    if (this.panning || event.button === 1) {
      this.from = [event.clientX, event.clientY];
      if (event.button === 1) this._space(true);
      return;
    }
    if (event.button !== 0) return;
    event.stopPropagation();
    this.box.setPointerCapture(event.pointerId);
    this.box.focus({ preventScroll: true });
    this.overlay.cursor = -1;
    this.pressed = true;
    this.attempt(() => this.tool.start?.(this, this.point(event)));
  }

  _move(event) {
    if (this.pointers.size > 1 || (event.buttons && !this.pressed)) return;
    const point = this.point(event);
    if (this.pressed) return void this.attempt(() => this.tool.move?.(this, point));
    if (!this._ours(event)) return this._leave();
    this.overlay.set({ hover: point.unit });
    if (this.tool.hover?.(this, point)) return;
    if (point.unit >= 0) this.card.unit(this.model, point.unit, point.px);
    else this.card.hide();
    this.model.dispatchEvent(new CustomEvent("hover", { detail: { unit: point.unit, preview: null, point: point.px } }));
  }

  _up(event) {
    this.pointers.delete(event.pointerId);
    if (event.button === 1) this._space(false);
    const point = this.point(event);
    if (!this.pressed) {
      const still = this.from && Math.hypot(event.clientX - this.from[0], event.clientY - this.from[1]) < 5;
      if (this.panning && still && !this.spaced && this._ours(event)) this.tool.click?.(this, point);
      this.from = null;
      return;
    }
    this.pressed = false;
    this.attempt(() => this.tool.end?.(this, point));
    this.overlay.set({ preview: null, shape: null });
    if (event.pointerType !== "mouse") this.card.hide();
  }

  _lost(event) {
    this.pointers.delete(event.pointerId);
    if (this.pressed) this.cancel();
  }

  _leave() {
    if (this.pressed) return;
    this.overlay.set({ hover: -1, border: null, preview: null });
    this.card.hide();
  }

  _space(on) {
    this.spaced = on;
    this._dragging();
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, button")) return;
    if (event.key === " ") {
      event.preventDefault();
      if (!event.repeat) this._space(true);
      return;
    }
    if (this.tool.key?.(this, event)) return void event.preventDefault();
    const arrow = ARROWS[event.key];
    if (arrow) {
      event.preventDefault();
      return this._step(arrow, event.shiftKey);
    }
    const { cursor } = this.overlay;
    if (event.key === "Escape") this._escape();
    else if (event.key === "Enter") cursor >= 0 && this.attempt(() => this._perform(cursor));
    else if (event.key === "[" || event.key === "]") this.setBrush(this.brush + (event.key === "]" ? 1 : -1));
    else if (event.key === "+" || event.key === "=") this.map.zoomIn();
    else if (event.key === "-") this.map.zoomOut();
    else if (event.key.toLowerCase() === "g") this._pick(cursor >= 0 ? cursor : this.overlay.hover);
    else return;
    event.preventDefault();
  }

  _keyUp(event) {
    if (event.key === " ") this._space(false);
  }

  _escape() {
    this.cancel();
    this.overlay.set({ cursor: -1, marks: [] });
    if (this.model.selection.size) this.model.select([]);
  }

  /** The tool's work at the keyboard's cursor. */
  _perform(cursor) {
    if (this.tool.perform) this.tool.perform(this, cursor);
    else this._pick(cursor);
    this.goTo(cursor, { pan: false });
  }

  /** The grid of a unit becomes the one that is painted with. */
  _pick(unit) {
    if (unit >= 0) this.model.setActive(this.model.gridOf(unit));
  }

  _step([dx, dy], extend) {
    let { cursor } = this.overlay;
    if (cursor < 0) cursor = this._first();
    else {
      if (extend && !this.model.selection.size) this.model.select([cursor]);
      const { limit, ground } = this.model;
      const next = this.picker.towards(cursor, dx, dy, (unit) => limit === null || ground.region[unit] === limit);
      if (next >= 0) cursor = next;
      if (extend) this.model.select([cursor], "add");
    }
    this.goTo(cursor);
  }

  /** Where the cursor begins: the active grid, else the middle of the map. */
  _first() {
    if (this.model.active !== null) {
      const units = this.model.unitsOf(this.model.active);
      if (units.length) return units[0];
    }
    const { clientWidth: w, clientHeight: h } = this.box;
    const middle = this.at([w / 2, h / 2]);
    if (middle.unit >= 0) return middle.unit;
    const { x, y, n } = this.model.ground;
    let [best, least] = [-1, Infinity];
    for (let u = 0; u < n; u++) {
      const d = (x[u] - middle.x) ** 2 + (y[u] - middle.y) ** 2;
      if (d < least) [best, least] = [u, d];
    }
    return best;
  }
}
