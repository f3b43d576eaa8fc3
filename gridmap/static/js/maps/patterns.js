// Status as colour AND pattern, so that colour is never the only carrier; shared by map, legend and lists.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});

  gm.STATUS = {
    within: { fill: "#b5dcc4", ink: "#1d6b45", pattern: "plain" },
    under: { fill: "#bcd8f0", ink: "#1b5a8a", pattern: "dots" },
    over: { fill: "#f3b9ad", ink: "#a3242b", pattern: "stripes" },
    empty: { fill: "#dfe4e9", ink: "#5b6673", pattern: "cross" },
    unchecked: { fill: "#f1f3f5", ink: "#4a5866", pattern: "lines" },
  };

  // classes of a value from few to many: the darker, the denser the pattern
  Object.assign(gm.STATUS, {
    none: { fill: "#ffffff", ink: "#8a98a6", pattern: "cross" },
    v0: { fill: "#f6f7fb", ink: "#4a5866", pattern: "plain" },
    v1: { fill: "#dfe3f1", ink: "#4d5a94", pattern: "specks" },
    v2: { fill: "#c3cae6", ink: "#3f4c8c", pattern: "dots" },
    v3: { fill: "#a3a5d4", ink: "#332f7d", pattern: "lines" },
    v4: { fill: "#8a7fbf", ink: "#2a1c66", pattern: "stripes" },
    v5: { fill: "#74559f", ink: "#f1ecf8", pattern: "stripes" },
    v6: { fill: "#561c6f", ink: "#f3e6f7", pattern: "mesh" },
  });

  const SIZE = 10;
  const LABELS_FROM_ZOOM = 14.5; // farther out, the names of communities stand instead
  const INK = {
    plain() {},
    specks(ctx) {
      ctx.fillRect(4.2, 4.2, 1.6, 1.6);
    },
    mesh(ctx) {
      ctx.beginPath();
      ctx.moveTo(0, SIZE);
      ctx.lineTo(SIZE, 0);
      ctx.moveTo(0, 0);
      ctx.lineTo(SIZE, SIZE);
      ctx.stroke();
    },
    dots(ctx) {
      for (const [x, y] of [[2.5, 2.5], [7.5, 7.5]]) {
        ctx.beginPath();
        ctx.arc(x, y, 1.2, 0, 2 * Math.PI);
        ctx.fill();
      }
    },
    stripes(ctx) {
      ctx.beginPath();
      for (const x of [-SIZE, 0, SIZE]) {
        ctx.moveTo(x, SIZE);
        ctx.lineTo(x + SIZE, 0);
      }
      ctx.stroke();
    },
    cross(ctx) {
      ctx.beginPath();
      ctx.moveTo(3, 3);
      ctx.lineTo(7, 7);
      ctx.moveTo(7, 3);
      ctx.lineTo(3, 7);
      ctx.stroke();
    },
    lines(ctx) {
      ctx.beginPath();
      ctx.moveTo(0, 5);
      ctx.lineTo(SIZE, 5);
      ctx.stroke();
    },
  };

  const swatches = new Map();

  /** A 10 x 10 px canvas tile of a status. */
  gm.swatch = function (status) {
    if (!swatches.has(status)) {
      const style = gm.STATUS[status] || gm.STATUS.unchecked;
      const tile = document.createElement("canvas");
      tile.width = tile.height = SIZE;
      const ctx = tile.getContext("2d");
      ctx.fillStyle = style.fill;
      ctx.fillRect(0, 0, SIZE, SIZE);
      ctx.fillStyle = ctx.strokeStyle = style.ink;
      ctx.globalAlpha = 0.55;
      ctx.lineWidth = 1.2;
      INK[style.pattern](ctx);
      swatches.set(status, tile);
    }
    return swatches.get(status);
  };

  /** Paint an element's (a canvas's) whole ground with a status, for legends and lists. */
  gm.paintSwatch = function (canvas, status) {
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = ctx.createPattern(gm.swatch(status), "repeat");
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.strokeStyle = (gm.STATUS[status] || gm.STATUS.unchecked).ink;
    ctx.strokeRect(0.5, 0.5, canvas.width - 1, canvas.height - 1);
  };

  if (!window.L) return;

  /** Leaflet's canvas renderer, filling by status pattern and writing a label where a polygon has room for it. */
  gm.PatternCanvas = L.Canvas.extend({
    _fillStroke(ctx, layer) {
      const { status } = layer.options;
      if (!status || !layer.options.fill) return L.Canvas.prototype._fillStroke.call(this, ctx, layer);
      ctx.globalAlpha = layer.options.fillOpacity;
      ctx.fillStyle = ctx.createPattern(gm.swatch(status), "repeat");
      ctx.fill("evenodd");
      L.Canvas.prototype._fillStroke.call(this, ctx, { options: { ...layer.options, fill: false } });
    },

    _draw() {
      L.Canvas.prototype._draw.call(this);
      if (this._map.getZoom() < LABELS_FROM_ZOOM) return;
      const ctx = this._ctx;
      const bounds = this._redrawBounds;
      ctx.save();
      if (bounds) {
        const size = bounds.getSize();
        ctx.beginPath();
        ctx.rect(bounds.min.x, bounds.min.y, size.x, size.y);
        ctx.clip();
      }
      ctx.globalAlpha = 1;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.lineJoin = "round";
      const taken = []; // a label that would lie on another is left out
      for (let order = this._drawFirst; order; order = order.next) {
        const { label, labelAt, strong } = order.layer.options;
        const box = order.layer._pxBounds;
        if (!label || !labelAt || !box || box.getSize().x < 46 || box.getSize().y < 30) continue;
        const at = this._map.latLngToLayerPoint(labelAt);
        const room = L.bounds(at.subtract([24, 16]), at.add([24, 16]));
        if (taken.some((other) => other.intersects(room))) continue;
        taken.push(room);
        label.forEach((line, i) => {
          ctx.font = i === 0 || strong ? "600 13px 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif" : "12px 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif";
          const y = at.y + (i - (label.length - 1) / 2) * 15;
          ctx.strokeStyle = "rgba(255,255,255,.92)";
          ctx.lineWidth = 3;
          ctx.strokeText(line, at.x, y);
          ctx.fillStyle = "#1b2733";
          ctx.fillText(line, at.x, y);
        });
      }
      ctx.restore();
    },
  });
})();
