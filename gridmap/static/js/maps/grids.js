// Grids of a plan: polygons by fetch while the server serves them at once, vector tiles beyond that.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const { escape } = gm;
  const OUTLINES_FROM_ZOOM = 13;

  const GridLayer = gm.ServedAreas.extend({
    initialize(options) {
      gm.ServedAreas.prototype.initialize.call(this, options);
      this._byId = new Map();
      this._selected = null;
    },

    onAdd(map) {
      const { pane, order = 400, quiet } = this._source;
      if (pane && !map.getPane(pane)) Object.assign(map.createPane(pane).style, { zIndex: order, ...(quiet ? { pointerEvents: "none" } : {}) });
      gm.ServedAreas.prototype.onAdd.call(this, map);
    },

    /** Fill the polygons, or draw outlines only (beneath a heatmap). */
    setFilled(filled) {
      this._filled = filled;
      for (const [id, layer] of this._byId) if (id !== this._selected) layer.setStyle(this._style(layer.feature));
    },

    /**
     * Colour and label by values: `values` maps ids to {status, label, words}, status one of gm.STATUS ("v0" few to "v6" many),
     * label the lines written into a grid, words for its tip. Without `values` the layer shows what it is for.
     */
    setValues(values) {
      this._values = values;
      for (const [id, layer] of this._byId) if (id !== this._selected) layer.setStyle(this._style(layer.feature));
      if (this._selected !== null) this.select(this._selected);
    },

    /** Mark the grid `id` and, if wished, bring it into view; false where it is not drawn. */
    select(id, { pan = false } = {}) {
      const before = this._byId.get(this._selected);
      if (before) before.setStyle(this._style(before.feature));
      this._selected = id;
      const layer = this._byId.get(id);
      if (!layer) return false;
      layer.setStyle({ weight: 4, color: "#14212e", ...(this._source.outline ? {} : { fillOpacity: 0.9 }) }).bringToFront();
      if (pan) this._map.fitBounds(layer.getBounds(), { maxZoom: 17, padding: [60, 60] });
      return true;
    },

    /** Mark several grids (a hot spot) and bring them into view; [] for none. */
    mark(ids) {
      for (const id of this._marked || []) {
        const layer = this._byId.get(id);
        if (layer) layer.setStyle({ dashArray: null, ...this._style(layer.feature) });
      }
      this._marked = ids;
      const layers = ids.map((id) => this._byId.get(id)).filter(Boolean);
      for (const layer of layers) layer.setStyle({ weight: 4, color: "#5b1a8b", dashArray: "8 5" }).bringToFront();
      if (layers.length) this._map.fitBounds(L.featureGroup(layers).getBounds(), { maxZoom: 16, padding: [60, 60], animate: false }); // a zoom on its way would undo the next one
    },

    feature(id) {
      return this._byId.get(id)?.feature;
    },

    _clear() {
      this.clearLayers();
      this._byId.clear();
    },

    _show(collection) {
      const layer = L.geoJSON(collection, {
        renderer: this._canvas,
        interactive: !this._source.quiet,
        style: (feature) => this._style(feature),
        onEachFeature: (feature, polygon) => this._bind(feature, polygon),
      });
      this.addLayer(layer);
      if (this._selected !== null) this.select(this._selected);
    },

    _bind(feature, polygon) {
      const p = feature.properties;
      this._byId.set(feature.id, polygon);
      if (this._source.quiet) return;
      const words = this._source.labels || {};
      polygon.bindTooltip(
        () => `<strong>${escape(p.name || p.code)}</strong><br>${escape(p.code)}<br>${escape(p.households_text ?? p.households)} ${escape(words.households ?? "户")} · ${escape(this._values ? this._values.get(feature.id)?.words ?? "—" : words[p.status] ?? p.status)}`,
        { sticky: true, className: "grid-tip" },
      );
      polygon.on({
        mouseover: () => {
          this.fire("gridover", { feature });
          if (feature.id !== this._selected) polygon.setStyle({ weight: 3, ...(this._source.outline ? {} : { fillOpacity: 0.85 }) });
        },
        mouseout: () => {
          this.fire("gridout", { feature });
          if (feature.id !== this._selected) polygon.setStyle(this._style(feature));
        },
        click: (event) => {
          L.DomEvent.stopPropagation(event);
          this.fire("gridclick", { id: feature.id, properties: p });
        },
      });
    },

    _style(feature) {
      const p = feature.properties;
      if (this._values) {
        const value = this._values.get(feature.id);
        const labelAt = p.label_lon == null ? null : L.latLng(p.label_lat, p.label_lon);
        return { status: value?.status ?? "none", label: value?.label ?? ["—"], labelAt, strong: true, color: "#33475b", weight: 1, dashArray: null, fill: true, fillOpacity: 0.85 };
      }
      if (this._source.outline) return { status: null, label: null, color: "#33475b", weight: 1, fill: true, fillOpacity: 0, ...this._source.line };
      const ink = (gm.STATUS[p.status] || gm.STATUS.unchecked).ink;
      return {
        status: p.status,
        label: [String(p.code).slice(-3), String(p.households_text ?? p.households) + (p.estimated_households > 0 ? "≈" : "")],
        labelAt: p.label_lon == null ? null : L.latLng(p.label_lat, p.label_lon),
        color: ink,
        weight: 1.5,
        fill: true,
        fillOpacity: this._filled === false ? 0.08 : 0.62,
      };
    },

    _showNone() {
      this._clear();
      this.fire("tiles", {});
      if (!this._source.tiles) return;
      const { line = {}, pane } = this._source;
      const stroke = { color: line.color || "#33475b", width: line.weight || 0.8, ...(line.dashArray ? { dash: line.dashArray } : {}) };
      const rules = Object.entries(gm.STATUS).map(([status, style]) => ({
        dataLayer: "grids",
        filter: (z, f) => f.props.status === status,
        symbolizer: this._source.outline ? new protomapsL.LineSymbolizer(stroke) : new protomapsL.PolygonSymbolizer({ fill: style.fill, stroke: style.ink, width: 0.8, opacity: 0.75 }),
      }));
      // outlines of a whole city are one black square of megabytes
      const nearer = this._source.outline ? { minZoom: OUTLINES_FROM_ZOOM } : {};
      this.addLayer(protomapsL.leafletLayer({ url: this._source.tiles, paintRules: rules, labelRules: [], maxDataZoom: 16, ...nearer, ...(pane ? { pane } : {}) }));
    },
  });

  gm.gridLayer = (options) => new GridLayer(options);
})();
