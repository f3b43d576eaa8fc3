// The base map from the project's own layers: vector tiles drawn on canvas by protomaps-leaflet.
(function () {
  "use strict";
  // Leaflet speaks English only
  if (!document.documentElement.lang.startsWith("en")) L.Control.Zoom.mergeOptions({ zoomInTitle: "放大", zoomOutTitle: "缩小" });

  const gm = (window.gridmap = window.gridmap || {});
  const { LineSymbolizer, PolygonSymbolizer, LineLabelSymbolizer, CenteredTextSymbolizer } = protomapsL;
  const FONT = "'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif";

  /** Width in px at a zoom, doubling from `base` px at zoom 15. */
  const width = (base) => (z) => Math.max(0.6, base * 2 ** ((z - 15) * 0.75));
  const kind = (...kinds) => (z, f) => kinds.includes(f.props.kind);
  const road = (...classes) => (z, f) => f.props.kind === "road" && !f.props.tunnel && classes.includes(f.props.class);
  const BIG = ["motorway", "trunk", "primary"];
  const MIDDLE = ["secondary", "tertiary"];
  const line = (filter, color, base, more = {}) => ({
    dataLayer: "barriers",
    filter,
    symbolizer: new LineSymbolizer({ color, width: width(base), lineCap: "round", lineJoin: "round", ...more }),
  });

  const groundRules = () => [
    { dataLayer: "barriers", filter: (z, f) => f.props.kind === "water" && f.geomType === 3, symbolizer: new PolygonSymbolizer({ fill: "#bcd9ea", stroke: "#8fbcd6", width: 1 }) },
    line((z, f) => f.props.kind === "water" && f.geomType === 2, "#9cc7de", 3),
    { dataLayer: "buildings", symbolizer: new PolygonSymbolizer({ fill: "#dcd7cf", stroke: "#bdb5a8", width: 0.6 }) },
    line((z, f) => f.props.kind === "road" && !BIG.includes(f.props.class) && !MIDDLE.includes(f.props.class), "#d5d3cc", 3),
    line((z, f) => f.props.kind === "road" && !BIG.includes(f.props.class) && !MIDDLE.includes(f.props.class), "#ffffff", 2),
    line(road(...MIDDLE), "#c9c4b8", 6.5),
    line(road(...MIDDLE), "#ffffff", 5),
    line(road(...BIG), "#d8b27a", 9.5),
    line(road(...BIG), "#fdecc8", 7.5),
    line((z, f) => f.props.kind === "road" && f.props.tunnel, "#c9c4b8", 4, { dash: [4, 4] }),
    line(kind("rail"), "#8a8f98", 2.2),
    line(kind("rail"), "#ffffff", 1.2, { dash: [6, 6] }),
    line(kind("wall"), "#a58f7a", 1, { dash: [2, 2] }),
  ];

  const groundLabels = () => [
    {
      dataLayer: "barriers",
      minzoom: 14,
      filter: (z, f) => f.geomType === 2 && Boolean(f.props.name) && (z >= 16 || BIG.includes(f.props.class) || MIDDLE.includes(f.props.class)),
      symbolizer: new LineLabelSymbolizer({ labelProps: ["name"], fill: "#5c5648", stroke: "#ffffff", width: 3, font: `12px ${FONT}` }),
    },
    {
      dataLayer: "barriers",
      filter: (z, f) => f.geomType === 3 && Boolean(f.props.name),
      symbolizer: new CenteredTextSymbolizer({ labelProps: ["name"], fill: "#3d6d88", stroke: "#e6f1f7", width: 2, font: `italic 13px ${FONT}` }),
    },
  ];

  const REGION = {
    county: { color: "#4b3f72", width: 3 },
    subdistrict: { color: "#5d4c8f", width: 2.4, dash: [8, 4] },
    community: { color: "#7a6bab", width: 1.4, dash: [4, 3] },
  };

  gm.groundLayer = ({ url }) =>
    protomapsL.leafletLayer({ url, attribution: "", paintRules: groundRules(), labelRules: groundLabels(), maxDataZoom: 16, backgroundColor: "#f6f4ef" });

  /** Borders and names lie above the grids and let every pointer through. */
  gm.regionLayer = ({ url, names = true }) => {
    const layer = protomapsL.leafletLayer({
      url,
      attribution: "",
      maxDataZoom: 15,
      pane: "regions",
      paintRules: Object.entries(REGION).map(([level, style]) => ({
        dataLayer: "regions",
        filter: (z, f) => f.props.level === level,
        symbolizer: new PolygonSymbolizer({ fill: "rgba(0,0,0,0)", stroke: style.color, width: style.width }),
      })),
      labelRules: !names ? [] : [
        {
          dataLayer: "names",
          maxzoom: 14, // closer, the grids carry labels of their own
          filter: (z, f) => f.props.level === (z < 12 ? "subdistrict" : "community"),
          symbolizer: new CenteredTextSymbolizer({ labelProps: ["name"], fill: "#43376b", stroke: "#ffffff", width: 3, font: `600 13px ${FONT}` }),
        },
      ],
    });
    const add = layer.onAdd;
    layer.onAdd = function (map) {
      if (!map.getPane("regions")) {
        const pane = map.createPane("regions");
        pane.style.zIndex = 450;
        pane.style.pointerEvents = "none";
      }
      return add.call(this, map);
    };
    return layer;
  };
})();
