// Ground that changed hands between two plans: colour AND pattern say how, the tip says from where to where.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const { escape } = gm;

  Object.assign(gm.STATUS, {
    moved: { fill: "#f6d48c", ink: "#7a4d00", pattern: "stripes" },
    assigned: { fill: "#b4dfe6", ink: "#0f5c68", pattern: "cross" },
    unassigned: { fill: "#f0c4d8", ink: "#8a1f5c", pattern: "dots" },
  });

  const DifferenceLayer = gm.ServedAreas.extend({
    /** Show only what lies in a region (a code, "" for all). */
    setRegion(region) {
      this.setQuery({ region });
    },

    _show(collection) {
      const words = this._source.labels || {};
      const short = (grid) => (grid ? String(grid.code).slice(-3) : words.none ?? "—");
      const long = (grid) => (grid ? `${grid.name ? `${grid.name} ` : ""}${grid.code}` : words.none ?? "—");
      const layer = L.geoJSON(collection, {
        renderer: this._canvas,
        style: ({ properties: p }) => ({
          status: p.kind,
          label: [`${short(p.from)} → ${short(p.to)}`, String(p.households)],
          labelAt: L.latLng(p.label[1], p.label[0]),
          color: gm.STATUS[p.kind].ink,
          weight: 2,
          fill: true,
          fillOpacity: 0.78,
        }),
        onEachFeature: ({ properties: p }, polygon) => {
          polygon.bindTooltip(
            `<strong>${escape(words[p.kind])}</strong><br>${escape(long(p.from))} → ${escape(long(p.to))}<br>${escape(p.households)} ${escape(words.households ?? "户")}`,
            { sticky: true, className: "grid-tip" },
          );
          polygon.on("click", (event) => {
            L.DomEvent.stopPropagation(event);
            this.fire("areaclick", { properties: p });
          });
        },
      });
      this.addLayer(layer);
    },
  });

  gm.differenceLayer = (options) => new DifferenceLayer(options);
})();
