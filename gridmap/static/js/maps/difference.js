// Ground that changed hands between two plans: colour AND pattern say how, the tip says from where to where.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const escape = (text) => String(text ?? "").replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

  Object.assign(gm.STATUS, {
    moved: { fill: "#f6d48c", ink: "#7a4d00", pattern: "stripes" },
    assigned: { fill: "#b4dfe6", ink: "#0f5c68", pattern: "cross" },
    unassigned: { fill: "#f0c4d8", ink: "#8a1f5c", pattern: "dots" },
  });

  const DifferenceLayer = L.LayerGroup.extend({
    initialize(options) {
      L.LayerGroup.prototype.initialize.call(this, [], {});
      this._source = options;
      this._region = "";
      this._whole = false;
      this._epoch = 0;
    },

    onAdd(map) {
      this._canvas = this._canvas || new gm.PatternCanvas({ padding: 0.3 });
      L.LayerGroup.prototype.onAdd.call(this, map);
      map.on("moveend", this._moved, this);
      this.load();
    },

    onRemove(map) {
      map.off("moveend", this._moved, this);
      this._epoch += 1;
      this.clearLayers();
      L.LayerGroup.prototype.onRemove.call(this, map);
    },

    /** Show only what lies in a region (a code, "" for all). */
    setRegion(region) {
      this._region = region;
      if (this._map) this.load();
    },

    async load() {
      const epoch = ++this._epoch;
      this._whole = (await this._fetch(epoch)) === "shown";
      if (!this._whole && epoch === this._epoch) this._moved();
    },

    /** Where there are too many areas for one answer, those in view. */
    async _moved() {
      if (this._whole) return;
      const box = this._map.getBounds().pad(0.1);
      const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((v) => v.toFixed(6)).join(",");
      if ((await this._fetch(++this._epoch, bbox)) === "too many") this.fire("toomany");
    },

    async _fetch(epoch, bbox = null) {
      const url = new URL(this._source.url, window.location.href);
      if (this._region) url.searchParams.set("region", this._region);
      if (bbox) url.searchParams.set("bbox", bbox);
      let answer;
      try {
        answer = await fetch(url, { headers: { Accept: "application/json" } });
      } catch (error) {
        this.fire("failed", { error });
        return "failed";
      }
      if (epoch !== this._epoch || !this._map) return "stale";
      if (answer.status === 413) {
        this.clearLayers();
        return "too many";
      }
      if (!answer.ok) {
        this.fire("failed", { status: answer.status });
        return "failed";
      }
      const collection = await answer.json();
      if (epoch !== this._epoch || !this._map) return "stale";
      this._show(collection);
      return "shown";
    },

    _show(collection) {
      this.clearLayers();
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
      this.fire("loaded", { collection });
    },
  });

  gm.differenceLayer = (options) => new DifferenceLayer(options);
})();
