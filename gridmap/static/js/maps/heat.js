// Case density of the view as one image, or as the one that is given; what a colour means does not change with the zoom.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});

  const HeatLayer = L.Layer.extend({
    initialize(options) {
      this._source = options;
      this._params = options.params || {};
      this._asked = new Map();
      this._epoch = 0;
    },

    onAdd(map) {
      const { image, bounds } = this._source;
      if (image) {
        this._image = L.imageOverlay(image, bounds, { opacity: 0.75, interactive: false, alt: "" }).addTo(map);
        return;
      }
      map.on("moveend", this.load, this);
      this.load();
    },

    onRemove(map) {
      map.off("moveend", this.load, this);
      this._epoch += 1;
      this._forget();
      this._image?.remove();
      this._image = null;
    },

    /** Show what fits `params`; resolves when it is on the map, or when something else was asked for meanwhile. */
    setParams(params) {
      this._params = params;
      return this._map ? this.load() : Promise.resolve();
    },

    /** Fetch what `setParams` will ask for next, so that it stands at once. */
    prefetch(params) {
      if (!this._source.image && this._map && this._map.getSize().x) this._ask(this._address(params));
    },

    /** The image of the view as it is now. Whatever is asked for later is shown later, never the other way round. */
    async load() {
      if (this._source.image) return;
      const epoch = ++this._epoch;
      const map = this._map;
      const size = map.getSize();
      if (!size.x || !size.y) return;
      const box = map.getBounds();
      const address = this._address(this._params);
      this._forget(address);
      let got;
      try {
        got = await this._ask(address);
      } catch (error) {
        if (error.name !== "AbortError" && epoch === this._epoch) this.fire("failed", { error, status: error.status });
        return;
      }
      if (epoch !== this._epoch || !this._map) return;
      this._asked.delete(address);
      await this._put(got.blob, box);
      if (epoch === this._epoch) this.fire("loaded", { cases: got.cases });
    },

    _address(params) {
      const map = this._map;
      const size = map.getSize();
      const box = map.getBounds();
      const url = new URL(this._source.url, window.location.href);
      for (const [key, value] of Object.entries(params)) {
        for (const one of [value].flat()) if (one !== "" && one != null) url.searchParams.append(key, one);
      }
      url.searchParams.set("bbox", [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((v) => v.toFixed(6)).join(","));
      url.searchParams.set("width", Math.max(16, Math.min(1024, Math.ceil(size.x / 2))));
      url.searchParams.set("height", Math.max(16, Math.min(1024, Math.ceil(size.y / 2))));
      return url.href;
    },

    /** The answer at an address, asked for once. */
    _ask(address) {
      if (!this._asked.has(address)) {
        const abort = new AbortController();
        const answer = fetch(address, { signal: abort.signal }).then(async (got) => {
          if (!got.ok) {
            await got.body?.cancel();
            throw Object.assign(new Error(`HTTP ${got.status}`), { status: got.status });
          }
          return { blob: await got.blob(), cases: Number(got.headers.get("X-Cases")) };
        });
        answer.catch(() => this._asked.delete(address)); // the next one to ask tries again
        this._asked.set(address, { abort, answer });
      }
      return this._asked.get(address).answer;
    },

    /** Give up all that was asked for but `kept`. */
    _forget(kept) {
      for (const [address, { abort }] of this._asked) {
        if (address === kept) continue;
        this._asked.delete(address);
        abort.abort();
      }
    },

    /** Lay an image over `box`; the one before goes when it is drawn. */
    _put(blob, box) {
      const address = URL.createObjectURL(blob);
      const image = L.imageOverlay(address, box, { opacity: 0.75, interactive: false, alt: "" });
      const before = this._image;
      this._image = image;
      return new Promise((resolve) => {
        const done = () => {
          URL.revokeObjectURL(address);
          before?.remove();
          resolve();
        };
        image.once("load", done);
        image.once("error", done);
        image.once("remove", () => (before?.remove(), resolve()));
        image.addTo(this._map);
      });
    },
  });

  gm.heatLayer = (options) => new HeatLayer(options);
})();
