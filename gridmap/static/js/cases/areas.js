/** Communities by number or rate of cases, for a view that holds more grids than are drawn one by one. */

import { getJson } from "../api.js";
import { number, t } from "../i18n.js";
import { panelOf } from "./asking.js";

const $ = (id) => document.getElementById(id);

/** `value(one, days)` gives {status, words} of an area; a click on one narrows everything to it. */
export function areasOf(state, { map }, value) {
  let layer = null;
  let known = { address: null, found: null };
  let shown = false;

  const address = (span = {}) => `/api/v1/plans/${state.plan}/cases.geojson?${state.query(span)}`;
  const load = panelOf($("map-side"), () => (known.address === address() ? null : address()), (found) => {
    known = { address: address(), found };
    if (shown) draw(found);
  });

  function draw(found, days) {
    layer?.remove();
    layer = L.geoJSON(found, {
      renderer: renderer(),
      style: (feature) => ({ status: value(feature.properties, days).status, color: "#33475b", weight: 0.5, fill: true, fillOpacity: 0.8 }),
      onEachFeature: (feature, polygon) => {
        const one = feature.properties;
        polygon.bindTooltip(() => `<strong>${window.gridmap.escape(one.name)}</strong><br>${window.gridmap.escape(value(one, days).words)}<br>${window.gridmap.escape(t("{n} 个网格", { n: number(one.grids) }))}`, { sticky: true, className: "grid-tip" });
        polygon.on("click", (event) => {
          L.DomEvent.stopPropagation(event);
          state.set({ region: one.code });
        });
      },
    }).addTo(map);
  }

  let canvas = null;
  const renderer = () => (canvas ??= new window.gridmap.PatternCanvas({ padding: 0.3 }));

  return {
    get shown() {
      return shown;
    },
    /** Draw them, or take them away. */
    show(wanted) {
      shown = wanted;
      if (!wanted) {
        layer?.remove();
        layer = null;
      } else if (known.address === address()) draw(known.found);
      else load();
    },
    /** A window of the playback; resolves when it is on the map. */
    async frame(span, days) {
      const found = await getJson(address(span)).catch(() => null);
      if (found && shown) draw(found, days);
    },
  };
}
