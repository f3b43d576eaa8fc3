// Areas that the server gives as GeoJSON: all of them where it does so at once, else those in view.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});

  /** The text with what HTML would read as its own. */
  gm.escape = (text) => String(text ?? "").replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

  /** `options`: `url`, `query` (plain request parameters), or the collection itself as `data`; who extends it gives `_show(collection)`. */
  gm.ServedAreas = L.LayerGroup.extend({
    initialize(options) {
      L.LayerGroup.prototype.initialize.call(this, [], {});
      this._source = options;
      this._query = options.query || {};
      this._whole = false;
      this._epoch = 0;
    },

    onAdd(map) {
      const { pane } = this._source;
      this._canvas = this._canvas || new gm.PatternCanvas({ padding: 0.3, ...(pane ? { pane } : {}) });
      L.LayerGroup.prototype.onAdd.call(this, map);
      map.on("moveend", this._moved, this);
      this.load();
    },

    onRemove(map) {
      map.off("moveend", this._moved, this);
      this._epoch += 1;
      this._abort?.abort();
      this._clear();
      L.LayerGroup.prototype.onRemove.call(this, map);
    },

    /** Show only what fits `query`. */
    setQuery(query) {
      this._query = query;
      if (this._map) this.load();
    },

    async load() {
      if (this._source.data) {
        this._whole = true;
        this._clear();
        this._show(this._source.data);
        return void this.fire("loaded", { collection: this._source.data });
      }
      const epoch = ++this._epoch;
      this._whole = null; // not known yet: a map that moves meanwhile asks for nothing
      const whole = (await this._fetch(epoch, {})) === "shown";
      if (epoch !== this._epoch) return;
      this._whole = whole;
      if (!whole) await this._loadView(epoch);
    },

    _moved() {
      if (this._whole === false) this._loadView(++this._epoch);
    },

    async _loadView(epoch) {
      const box = this._map.getBounds().pad(0.1);
      const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((v) => v.toFixed(6)).join(",");
      const outcome = await this._fetch(epoch, { bbox });
      if (outcome === "too many" && epoch === this._epoch) this._showNone();
    },

    /** "shown", "too many" for one answer, "failed", or "stale" where something else was asked for meanwhile. */
    async _fetch(epoch, more) {
      const url = new URL(this._source.url, window.location.href);
      for (const [key, value] of Object.entries({ ...this._query, ...more })) {
        for (const one of [value].flat()) if (one !== "" && one != null) url.searchParams.append(key, one);
      }
      this._abort?.abort(); // what was asked for before is of no use any more
      this._abort = new AbortController();
      let answer, collection;
      try {
        answer = await fetch(url, { headers: { Accept: "application/json" }, signal: this._abort.signal, priority: this._source.outline ? "low" : "auto" });
        // a body that nobody reads keeps the line open: the page would never come to rest
        if (answer.ok) collection = await answer.json();
        else await answer.body?.cancel();
      } catch (error) {
        if (epoch !== this._epoch || !this._map) return "stale";
        this.fire("failed", { error });
        return "failed";
      }
      if (epoch !== this._epoch || !this._map) return "stale";
      if (answer.status === 413) return "too many";
      if (!answer.ok) {
        this.fire("failed", { status: answer.status });
        return "failed";
      }
      this._clear();
      this._show(collection);
      this.fire("loaded", { collection });
      return "shown";
    },

    _clear() {
      this.clearLayers();
    },

    /** What stands there where even the view holds too many. */
    _showNone() {
      this._clear();
      this.fire("toomany");
    },
  });
})();
