/** The comments on a plan's page: about the plan, the grid that is chosen, or a place picked on the map. */

import { Comments } from "./comments.js";
import { pageData } from "./dom.js";
import { t } from "./i18n.js";

const data = pageData();
const { map } = window.gridmap.page;
const root = document.getElementById("comments");
const pick = document.getElementById("comment-place");
let mark = null;

const comments = new Comments(root, {
  plan: data.plan,
  mayWrite: data.may_comment,
  onGrid: (id) => document.dispatchEvent(new CustomEvent("gridmap:show-grid", { detail: { id } })),
  onPoint: ([lon, lat]) => {
    point([lon, lat]);
    map.setView([lat, lon], Math.max(map.getZoom(), 17));
    map.getContainer().scrollIntoView({ block: "center" });
  },
});

function point([lon, lat]) {
  mark?.remove();
  mark = L.circleMarker([lat, lon], { radius: 9, color: "#7a4d00", fillColor: "#e8b44a", fillOpacity: 0.9, weight: 3 }).addTo(map);
}

document.addEventListener("gridmap:picked", ({ detail }) => {
  comments.setSubject(detail.id === null ? null : { grid: detail.id, label: t("网格 {code}", { code: detail.name ?? detail.id }) });
});

/* A place: the next click on the map, or with the keyboard its middle. */
pick?.addEventListener("click", () => {
  const taking = pick.getAttribute("aria-pressed") !== "true";
  pick.setAttribute("aria-pressed", String(taking));
  map.getContainer().classList.toggle("picking", taking);
  if (taking) {
    map.getContainer().scrollIntoView({ block: "center" });
    map.getContainer().focus();
  }
});

function take(latlng) {
  if (pick.getAttribute("aria-pressed") !== "true") return false;
  pick.setAttribute("aria-pressed", "false");
  map.getContainer().classList.remove("picking");
  const place = [Number(latlng.lng.toFixed(7)), Number(latlng.lat.toFixed(7))];
  point(place);
  comments.setSubject({ point: place, label: `${place[1].toFixed(5)}, ${place[0].toFixed(5)}` });
  comments.text.focus();
  return true;
}

map.getContainer().addEventListener("click", (event) => {
  // before any layer hears of it: a grid under the pointer is not chosen
  if (pick?.getAttribute("aria-pressed") === "true" && !event.target.closest(".leaflet-control") && take(map.mouseEventToLatLng(event))) event.stopPropagation();
}, true);
map.getContainer().addEventListener("keydown", (event) => {
  if (event.key === "Enter" && pick && take(map.getCenter())) event.preventDefault();
  if (event.key === "Escape" && pick?.getAttribute("aria-pressed") === "true") pick.click();
});
