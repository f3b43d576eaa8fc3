// Coverage: child regions by a share, or grids by status, people, estimates or age; classes are colour AND pattern.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const { escape } = gm;

  const PATTERNS = ["plain", "dots", "lines", "stripes", "cross"];
  const RAMP = ["#f4f1ea", "#f6dfb4", "#f0b77c", "#dd8352", "#b9492f"];
  RAMP.forEach((fill, i) => {
    gm.STATUS[`class-${i}`] = { fill, ink: i === 4 ? "#4a1206" : "#6d2a12", pattern: PATTERNS[i] };
  });
  const SHARES = [0, 0.1, 0.25, 0.5];
  const PEOPLE = [1000, 1500, 2000, 3000];
  const YEARS = [1, 2, 3, 5];
  const classOf = (value, breaks) => `class-${breaks.findIndex((most) => value <= most) === -1 ? 4 : breaks.findIndex((most) => value <= most)}`;
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const years = (day) => (Date.now() - Date.parse(day)) / (365.25 * 864e5);
  const byAge = (p) => (p.oldest ? classOf(years(p.oldest), YEARS) : "unchecked");
  const aged = (p) => p.oldest ?? "—";

  // [class of a feature, figure of a feature, breaks told in the legend]
  const MODES = {
    regions: {
      status: { of: (p) => (p.grids ? classOf(p.share_out, SHARES) : "unchecked"), figure: (p) => percent(p.share_out), breaks: "shares" },
      people: { of: (p) => (p.population ? classOf(p.crowded_share, SHARES) : "unchecked"), figure: (p) => percent(p.crowded_share), breaks: "shares" },
      estimated: { of: (p) => (p.households ? classOf(p.estimated_share, SHARES) : "unchecked"), figure: (p) => percent(p.estimated_share), breaks: "shares" },
      age: { of: byAge, figure: aged, breaks: "years" },
    },
    grids: {
      status: { of: (p) => p.status, figure: (p) => p.households ?? "—", breaks: "statuses" },
      people: { of: (p) => classOf(p.population, PEOPLE), figure: (p) => p.population, breaks: "people" },
      estimated: {
        of: (p) => (p.households ? classOf(p.estimated_share, SHARES) : "unchecked"),
        figure: (p) => percent(p.estimated_share ?? 0),
        breaks: "shares",
      },
      age: { of: byAge, figure: aged, breaks: "years" },
    },
  };

  // figures of the load of plans: given by the page for each area, with breaks of their own
  for (const name of ["cases", "rate"]) {
    MODES.grids[name] = MODES.regions[name] = {
      of: (p, layer) => (layer.value(p, name) == null ? "unchecked" : classOf(layer.value(p, name), layer._breaks[name])),
      figure: (p, layer) => layer.value(p, name) ?? "—",
      breaks: name,
    };
  }

  const CoverageLayer = gm.ServedAreas.extend({
    initialize(options) {
      gm.ServedAreas.prototype.initialize.call(this, options);
      this._byId = new Map();
      this._mode = options.mode || "status";
      this._marked = null;
    },

    of() {
      return this._query.of === "grids" ? "grids" : "regions";
    },

    /** Colour by "status" (share out of standard for regions), "people", "estimated" or "age". */
    setMode(mode) {
      this._mode = mode;
      for (const polygon of this._byId.values()) {
        polygon.setStyle(this._style(polygon.feature));
        polygon.setTooltipContent(this._tip(polygon.feature));
      }
    },

    /** Figures of grids, [id, cases, rate] each, and the breaks of both. */
    setValues(values, breaks) {
      this._values = new Map(values.map(([id, cases, rate]) => [id, { cases, rate }]));
      this._breaks = breaks;
      this.setMode(this._mode);
    },

    value(p, name) {
      return this._values?.get(p.id)?.[name];
    },

    /** Rows [swatch, words] of the legend of what is shown; `words` has a list for each kind of breaks. */
    legendRows(words) {
      const kind = MODES[this.of()][this._mode].breaks;
      if (kind === "statuses") return words.statuses.map(([status, text]) => [status, text, null]);
      return words[kind].map((text, i) => [i < 5 ? `class-${i}` : "unchecked", text, null]);
    },

    /** Mark the area `id` (null: none). */
    mark(id) {
      const before = this._byId.get(this._marked);
      if (before) before.setStyle(this._style(before.feature));
      this._marked = id;
      const polygon = this._byId.get(id);
      if (polygon) polygon.setStyle({ weight: 4, color: "#14212e", fillOpacity: 0.92 }).bringToFront();
    },

    _clear() {
      this.clearLayers();
      this._byId.clear();
    },

    _show(collection) {
      this.addLayer(
        L.geoJSON(collection, {
          renderer: this._canvas,
          style: (feature) => this._style(feature),
          onEachFeature: (feature, polygon) => {
            const id = String(feature.id);
            this._byId.set(id, polygon);
            polygon.bindTooltip(this._tip(feature), { sticky: true, className: "grid-tip" });
            polygon.on({
              mouseover: () => this.fire("areaover", { id }),
              mouseout: () => this.fire("areaout", { id }),
              click: (event) => {
                L.DomEvent.stopPropagation(event);
                this.fire("areaclick", { id, properties: feature.properties });
              },
            });
          },
        }),
      );
      if (this._marked !== null) this.mark(this._marked);
    },

    _tip(feature) {
      const p = { id: feature.id, ...feature.properties };
      const words = this._source.labels || {};
      const figure = `${escape(words[this._mode] ?? "")} ${escape(MODES[this.of()][this._mode].figure(p, this))}`;
      const more = this.of() === "regions" ? `${escape(p.grids)} ${escape(words.grids ?? "")}` : `${escape(p.households ?? "—")} ${escape(words.households ?? "")} · ${escape(words[p.status] ?? "")}`;
      return `<strong>${escape(p.name || p.code)}</strong><br>${more}<br>${figure}`;
    },

    _style(feature) {
      const p = { id: feature.id, ...feature.properties };
      const status = MODES[this.of()][this._mode].of(p, this);
      return {
        status,
        label: this.of() === "grids" ? [String(p.code).slice(-3), String(MODES.grids[this._mode].figure(p, this))] : null,
        labelAt: p.label_lon == null ? null : L.latLng(p.label_lat, p.label_lon),
        color: (gm.STATUS[status] || gm.STATUS.unchecked).ink,
        weight: 1.5,
        fill: true,
        fillOpacity: 0.72,
      };
    },

    _showNone() {
      this._clear();
      this.fire("toomany", {});
      if (!this._source.tiles) return;
      const rules = ["within", "under", "over", "empty", "unchecked"].map((status) => ({
        dataLayer: "grids",
        filter: (z, f) => f.props.status === status,
        symbolizer: new protomapsL.PolygonSymbolizer({ fill: gm.STATUS[status].fill, stroke: gm.STATUS[status].ink, width: 0.8, opacity: 0.75 }),
      }));
      this.addLayer(protomapsL.leafletLayer({ url: this._source.tiles, paintRules: rules, labelRules: [], maxDataZoom: 16 }));
    },
  });

  gm.coverageLayer = (options) => new CoverageLayer(options);
})();
