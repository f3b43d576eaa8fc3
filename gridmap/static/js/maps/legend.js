// A legend with numbers in the map's corner; collapsible, readable by a screen reader as a list.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});

  const Legend = L.Control.extend({
    options: { position: "bottomright" },

    initialize(content) {
      this._content = content;
    },

    onAdd() {
      const box = L.DomUtil.create("details", "map-legend");
      box.open = window.innerWidth > 640;
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
      this._box = box;
      this._draw();
      return box;
    },

    /** Replace the rows: [swatch, text, number or null] each. */
    setRows(rows, title = this._content.title) {
      this._content = { ...this._content, rows, title };
      if (this._box) this._draw();
    },

    /** Another title, rows and note. */
    setContent(content) {
      this._content = content;
      if (this._box) this._draw();
    },

    /** Show `bounds` beside or above the legend, whichever leaves them larger; behind it where that costs too much. */
    fit(bounds, options = {}) {
      const map = this._map;
      const size = map.getSize();
      const plain = map.getBoundsZoom(bounds, false);
      const choices = [[this._box.offsetWidth + 14, 0], [0, this._box.offsetHeight + 24]]
        .filter(([x, y]) => this._box.open && x < 0.6 * size.x && y < 0.6 * size.y)
        .map((padding) => [map.getBoundsZoom(bounds, false, L.point(padding)), padding])
        .sort(([a], [b]) => b - a);
      const [zoom, paddingBottomRight] = choices[0] ?? [-Infinity];
      map.fitBounds(bounds, { ...options, ...(zoom >= plain - 0.5 ? { paddingBottomRight } : {}) });
    },

    _draw() {
      const { title, rows, note } = this._content;
      this._box.replaceChildren();
      L.DomUtil.create("summary", "", this._box).textContent = title;
      const list = L.DomUtil.create("ul", "", this._box);
      for (const [swatch, text, number] of rows) {
        const row = L.DomUtil.create("li", "", list);
        const mark = L.DomUtil.create("canvas", "", row);
        mark.width = 22;
        mark.height = 14;
        mark.setAttribute("aria-hidden", "true");
        const ctx = mark.getContext("2d");
        const [, kind, colour] = /^(line|dash) (.+)$/.exec(swatch) || [];
        if (gm.STATUS[swatch]) gm.paintSwatch(mark, swatch);
        else if (kind) {
          ctx.strokeStyle = colour;
          ctx.lineWidth = 2.5;
          if (kind === "dash") ctx.setLineDash([5, 3]);
          ctx.beginPath();
          ctx.moveTo(0, 7);
          ctx.lineTo(22, 7);
          ctx.stroke();
        } else {
          ctx.fillStyle = swatch;
          ctx.fillRect(0, 0, 22, 14);
        }
        L.DomUtil.create("span", "", row).textContent = text;
        if (number != null) L.DomUtil.create("b", "", row).textContent = Number(number).toLocaleString();
      }
      if (note) L.DomUtil.create("p", "", this._box).textContent = note;
    },
  });

  gm.legend = (content) => new Legend(content);
})();
