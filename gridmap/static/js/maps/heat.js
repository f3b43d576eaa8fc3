// Case density of the view as one image; what a colour means does not change with the zoom.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});

  const HeatLayer = L.Layer.extend({
    initialize(options) {
      this._source = options;
      this._params = options.params || {};
    },

    onAdd(map) {
      map.on("moveend", this.load, this);
      this.load();
    },

    onRemove(map) {
      map.off("moveend", this.load, this);
      this._abort?.abort();
      this._image?.remove();
      this._image = null;
    },

    setParams(params) {
      this._params = params;
      if (this._map) this.load();
    },

    async load() {
      this._abort?.abort();
      this._abort = new AbortController();
      const map = this._map;
      const size = map.getSize();
      if (!size.x || !size.y) return;
      const box = map.getBounds();
      const url = new URL(this._source.url, window.location.href);
      for (const [key, value] of Object.entries(this._params)) {
        for (const one of [value].flat()) if (one !== "" && one != null) url.searchParams.append(key, one);
      }
      url.searchParams.set("bbox", [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((v) => v.toFixed(6)).join(","));
      url.searchParams.set("width", Math.min(1024, Math.ceil(size.x / 2)));
      url.searchParams.set("height", Math.min(1024, Math.ceil(size.y / 2)));
      let blob;
      try {
        const answer = await fetch(url, { signal: this._abort.signal });
        if (!answer.ok) return void this.fire("failed", { status: answer.status });
        blob = await answer.blob();
        this.fire("loaded", { cases: Number(answer.headers.get("X-Cases")) });
      } catch (error) {
        if (error.name !== "AbortError") this.fire("failed", { error });
        return;
      }
      if (!this._map) return;
      const address = URL.createObjectURL(blob);
      const image = L.imageOverlay(address, box, { opacity: 0.75, interactive: false, alt: "" });
      image.once("load", () => {
        URL.revokeObjectURL(address);
        before?.remove();
      });
      const before = this._image;
      this._image = image.addTo(map);
    },
  });

  gm.heatLayer = (options) => new HeatLayer(options);
})();
