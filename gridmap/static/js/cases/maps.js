/** More maps beside the page's own: the same ground and borders, another heat, the same view. */

/** A map in `box` with ground and borders (`names` of places where there is room); its property `heat` is a heat layer (with the `params` of its first image) to be added. */
export function otherMap(box, data, page, params, names = true) {
  const gm = window.gridmap;
  const map = L.map(box, { preferCanvas: true, zoomSnap: 0.5, minZoom: 6, maxZoom: 20, zoomControl: false, attributionControl: false });
  map.setView(page.map.getCenter(), page.map.getZoom(), { animate: false });
  gm.groundLayer({ url: data.tiles.ground }).addTo(map);
  map.heat = gm.heatLayer({ url: page.heat._source.url, params });
  gm.regionLayer({ url: data.tiles.regions, names }).addTo(map);
  return map;
}

/** Where one of the maps comes to rest the others go; the returned function ends it. */
export function joined(maps) {
  let leading = false;
  const follow = ({ target }) => {
    if (leading) return;
    leading = true;
    for (const map of maps) if (map !== target) map.setView(target.getCenter(), target.getZoom() + (target.behind ?? 0) - (map.behind ?? 0), { animate: false });
    leading = false;
  };
  for (const map of maps) map.on("moveend", follow);
  return () => maps.forEach((map) => map.off("moveend", follow));
}
