/** Findings in list and map: each shows the other. */

import { getJson } from "./api.js";
import { t } from "./i18n.js";

const data = JSON.parse(document.getElementById("page-data").textContent);
const { map } = window.gridmap.page;
const list = document.getElementById("problems");
const INK = { E: "#b3001b", W: "#7a4d00", I: "#1b5a8a" };
const places = new Map();
let chosen = null;
let wished = null;

const marker = (radius) => (feature, at) => L.circleMarker(at, { radius });

/** The text as an element: Leaflet would take a string for HTML, and sentences hold what stood in the file. */
function plain(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

async function rows() {
  const features = await getJson(`/api/v1/imports/${data.batch}/features`);
  const layer = L.geoJSON(features, {
    style: ({ properties }) =>
      properties.bad
        ? { color: "#b3001b", weight: 2, dashArray: "5 3", fillOpacity: 0.12 }
        : { color: "#1b5a8a", weight: 1.2, fillOpacity: 0.08 },
    pointToLayer: marker(3.5),
    interactive: false,
  }).addTo(map);
  layer.bringToBack();
  const bounds = layer.getBounds();
  if (bounds.isValid() && !chosen) map.fitBounds(bounds, { animate: false, padding: [15, 15], maxZoom: 17 });
}

async function findings() {
  if (!list) return;
  const given = Object.entries(data.query).filter(([, value]) => value);
  const page = await getJson(`/api/v1/imports/${data.batch}/problems?${new URLSearchParams(given)}`);
  for (const one of page.items) {
    if (!one.geometry) continue;
    const layer = L.geoJSON(one.geometry, { style: { color: INK[one.severity], weight: 2, fillOpacity: 0.15 }, pointToLayer: marker(6) });
    layer.on("click", () => choose(one.id, { fromMap: true }));
    layer.bindTooltip(plain(one.sentence), { sticky: true, className: "grid-tip" });
    places.set(one.id, { layer: layer.addTo(map), ink: INK[one.severity] });
  }
  if (wished !== null) choose(wished);
}

function choose(id, { fromMap = false } = {}) {
  const place = places.get(id);
  if (!place) {
    wished = places.size ? null : id; // pressed before the places are here
    return;
  }
  const before = places.get(chosen);
  before?.layer.setStyle({ weight: 2, color: before.ink, fillOpacity: 0.15 });
  list.querySelector("li.chosen")?.classList.remove("chosen");
  chosen = id;
  place.layer.setStyle({ weight: 5, color: place.ink, fillOpacity: 0.35 });
  place.layer.bringToFront();
  const item = document.getElementById(`problem-${id}`);
  item.classList.add("chosen");
  for (const button of list.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(Number(button.dataset.show) === id));
  if (fromMap) item.scrollIntoView({ block: "nearest" });
  else map.fitBounds(place.layer.getBounds(), { maxZoom: 18, padding: [60, 60] });
}

list?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  choose(Number(button.dataset.show));
  if (window.innerWidth <= 860) map.getContainer().scrollIntoView({ block: "center" });
});

try {
  await Promise.all([rows(), findings()]);
} catch (error) {
  const box = document.getElementById("map-note");
  box.textContent = error.message ?? t("未能取回位置，请刷新页面重试。");
  box.hidden = false;
}
