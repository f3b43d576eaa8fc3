/** Maps of two plans that move as one, light up the same ground, or are swiped one over the other. */

import { t } from "./i18n.js";

const MARK = { color: "#b3001b", weight: 4, fill: false, interactive: false };

/** Panning or zooming any of the maps moves the others. */
export function synced(maps) {
  let leading = false;
  for (const one of maps) {
    one.on("move zoomend", () => {
      if (leading) return;
      leading = true;
      for (const other of maps) if (other !== one) other.setView(one.getCenter(), one.getZoom(), { animate: false });
      leading = false;
    });
  }
}

/** The same ground in every map: `set(geometries)` draws them in all, in place of those before. */
export function marker(maps) {
  let drawn = [];
  // a canvas of its own that lets pointers through: it lies over the grids that are hovered
  const renderers = maps.map((map) => {
    Object.assign(map.createPane("mark").style, { zIndex: 460, pointerEvents: "none" });
    return L.canvas({ pane: "mark" });
  });
  return (geometries) => {
    drawn.forEach((layer) => layer.remove());
    drawn = geometries
      .filter(Boolean)
      .flatMap((geometry) => maps.map((map, k) => L.geoJSON(geometry, { style: MARK, interactive: false, renderer: renderers[k], pane: "mark" }).addTo(map)));
  };
}

/**
 * A divider over one map: left of it the pane "plan-a" is seen, right of it "plan-b". Dragged by pointer or touch, moved by
 * arrows (2 %), Page Up and Down (10 %), Home and End. `share` is where it stands, 0 to 1; `moved(share)` hears of it.
 */
export function swipe(map, handle, share, moved) {
  const panes = ["plan-a", "plan-b"].map((name) => map.getPane(name));

  function clip() {
    const size = map.getSize();
    const from = map.containerPointToLayerPoint([0, 0]);
    const to = map.containerPointToLayerPoint(size);
    const x = from.x + share * size.x;
    panes[0].style.clip = `rect(${from.y}px, ${x}px, ${to.y}px, ${from.x}px)`;
    panes[1].style.clip = `rect(${from.y}px, ${to.x}px, ${to.y}px, ${x}px)`;
  }

  function place(next, told = true) {
    share = Math.min(1, Math.max(0, next));
    handle.style.left = `clamp(16px, ${share * 100}%, calc(100% - 16px))`; // at either end it can still be grasped
    const percent = Math.round(share * 100);
    handle.setAttribute("aria-valuenow", String(percent));
    handle.setAttribute("aria-valuetext", t("左边 {n}% 是“前”", { n: percent }));
    clip();
    if (told) moved(share);
  }

  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = map.getContainer().getBoundingClientRect();
    place((event.clientX - box.left) / box.width);
  });
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1 }[event.key];
    const end = { Home: 0, End: 1 }[event.key];
    if (step === undefined && end === undefined) return;
    event.preventDefault();
    place(end ?? share + step);
  });
  map.on("move zoomend resize viewreset", clip);
  place(share, false);
}
