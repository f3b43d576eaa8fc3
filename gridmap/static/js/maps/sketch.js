// Water, roads and borders from shapes that are given: the ground of a map that fetches nothing.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const NAMES_FROM_ZOOM = 13;
  const NAMES_TO_ZOOM = 14.5; // closer, the grids carry labels of their own

  const SketchLayer = L.LayerGroup.extend({
    initialize({ water, roads, borders }) {
      L.LayerGroup.prototype.initialize.call(this, [], {});
      const style = (options) => ({ interactive: false, style: () => ({ interactive: false, ...options }) });
      this.addLayer(L.geoJSON(water, style({ stroke: false, fillColor: "#bcd9ea", fillOpacity: 1 })));
      this.addLayer(L.geoJSON(roads, style({ color: "#c9b48c", weight: 2 })));
      this._names = L.layerGroup();
      this.addLayer(L.geoJSON(borders, style({ color: "#5d4c8f", weight: 2, dashArray: "8 4", fill: false })));
      for (const { properties } of borders.features) {
        const icon = L.divIcon({ className: "region-name", html: `<span>${gm.escape(properties.name)}</span>`, iconSize: [0, 0] });
        this._names.addLayer(L.marker(properties.at, { icon, interactive: false, keyboard: false }));
      }
    },

    onAdd(map) {
      L.LayerGroup.prototype.onAdd.call(this, map);
      map.on("zoomend", this._name, this);
      this._name();
    },

    onRemove(map) {
      map.off("zoomend", this._name, this);
      this._names.remove();
      L.LayerGroup.prototype.onRemove.call(this, map);
    },

    /** Names only where there is room for them; where grids carry numbers of their own, they give way. */
    _name() {
      const zoom = this._map.getZoom();
      if (zoom >= NAMES_FROM_ZOOM && zoom < NAMES_TO_ZOOM) this._names.addTo(this._map);
      else this._names.remove();
    },
  });

  gm.sketchLayer = (options) => new SketchLayer(options);
})();
