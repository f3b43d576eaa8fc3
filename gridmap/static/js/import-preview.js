/** Columns and coordinates: other readings are tried at once, and a wrong datum is seen on the map. */

import { getJson, send } from "./api.js";
import { number, t } from "./i18n.js";

const data = JSON.parse(document.getElementById("page-data").textContent);
const form = document.getElementById("configure");
const map = window.gridmap?.page?.map;
const address = (what, more = {}) => {
  const given = Object.entries({ encoding: data.encoding, layer: data.layer, ...more }).filter(([, value]) => value);
  return `/api/v1/imports/${data.batch}/${what}?${new URLSearchParams(given)}`;
};

/* encoding and layer: previewed again at once */
document.getElementById("again").hidden = true;
for (const select of document.querySelectorAll("[data-preview]")) {
  select.addEventListener("change", () => document.getElementById("reading").requestSubmit());
}

/* samples follow the chosen column */
for (const select of form.querySelectorAll("[data-column]")) {
  select.addEventListener("change", () => {
    select.closest("tr").querySelector(".sample").textContent = data.samples[select.value] ?? "";
  });
}

/* coordinates */
const other = document.getElementById("crs_other");
const crs = () => {
  const chosen = form.querySelector("[name=crs]:checked")?.value;
  return chosen === "other" ? other.value.trim() : chosen;
};
const datum = () => form.querySelector("[name=datum]:checked")?.value;
let asked = 0;
let drawing = 0;
let shown = null;

/** The detective's table for the chosen CRS; its advice is taken where the person has not chosen. */
async function detect() {
  const mine = ++asked;
  const said = document.getElementById("datum-said");
  said.textContent = t("正在与已有数据比较…");
  said.className = "";
  let report;
  try {
    report = await getJson(address("datum", { crs: crs() }));
  } catch (error) {
    if (mine === asked) said.textContent = [error.message, error.details?.hint].filter(Boolean).join(" ");
    return;
  }
  if (mine !== asked) return;
  for (const row of document.querySelectorAll("tr[data-datum]")) {
    const found = report.hypotheses.find((one) => one.datum === row.dataset.datum);
    const best = report.confident && report.best === row.dataset.datum;
    row.classList.toggle("best", best);
    row.querySelector(".median").textContent = metres(found?.median_offset_m, found?.compared);
    row.querySelector(".p90").textContent = metres(found?.p90_m, found?.compared);
    row.querySelector(".outside").textContent = found ? number(found.outside) : "—";
    row.querySelector(".advice").replaceChildren(...(best ? [badge(t("建议"))] : []));
  }
  const nothing = !report.against;
  said.className = `notice ${report.confident ? "success" : nothing ? "" : "warning"}`;
  const more = nothing ? t("如果数据来自高德、腾讯或百度，请选相应的一项。") : report.confident ? "" : t("请您选择。");
  said.replaceChildren(
    ...[report.sentence, more].filter(Boolean).map((text) => {
      const line = document.createElement("span");
      line.className = "line";
      line.textContent = text;
      return line;
    }),
  );
  if (!datum() && (report.confident || nothing)) form.querySelector(`[name=datum][value=${report.best}]`).checked = true;
  draw();
}

function metres(value, compared) {
  return compared && value !== null && value !== undefined ? `${number(value, 1)} m` : "—";
}

function badge(text) {
  const element = document.createElement("span");
  element.className = "badge tone-good";
  element.textContent = `✓ ${text}`;
  return element;
}

async function draw() {
  if (!map) return;
  const mine = ++drawing;
  let features;
  try {
    features = await getJson(address("sample", { crs: crs(), datum: datum() }));
  } catch (error) {
    if (mine === drawing) note([error.message, error.details?.hint].filter(Boolean).join(" "));
    return;
  }
  if (mine !== drawing) return;
  const first = shown === null;
  shown?.remove();
  shown = L.geoJSON(features, {
    style: { color: "#c2500a", weight: 2, dashArray: "5 3", fillColor: "#c2500a", fillOpacity: 0.06 },
    pointToLayer: (feature, at) => L.circleMarker(at, { radius: 4, color: "#c2500a", weight: 2, fillOpacity: 0.4 }),
    interactive: false,
  }).addTo(map);
  window.gridmap.sample = shown;
  note(features.features.length ? "" : t("文件的前几行没有位置。"));
  const bounds = shown.getBounds();
  if (bounds.isValid() && (first || !map.getBounds().intersects(bounds))) map.fitBounds(bounds, { animate: false, padding: [20, 20], maxZoom: 17 });
}

function note(text) {
  const box = document.getElementById("map-note");
  box.textContent = text;
  box.hidden = !text;
}

if (document.getElementById("datum-said")) {
  for (const radio of form.querySelectorAll("[name=crs]")) radio.addEventListener("change", () => crs() && detect());
  for (const radio of form.querySelectorAll("[name=datum]")) radio.addEventListener("change", draw);
  other.addEventListener("input", () => (form.querySelector("[name=crs][value=other]").checked = true));
  other.addEventListener("change", () => crs() && detect());
  detect();
}

/* one step on: what speaks against it is said here, and nothing that was chosen is lost */
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = document.getElementById("go");
  button.disabled = true;
  try {
    const answer = await send(form.action, { method: "POST", body: new FormData(form) });
    location.assign(answer.url);
  } catch (error) {
    button.disabled = false;
    const box = document.createElement("div");
    box.className = "notice error";
    const sentence = document.createElement("p");
    sentence.textContent = [error.message, error.details?.hint].filter(Boolean).join(" ");
    box.append(sentence);
    if (error.status === 409) {
      const link = document.createElement("a");
      link.href = location.pathname;
      link.textContent = t("重新载入，看最新的状态");
      box.append(link);
    }
    document.getElementById("form-note").replaceChildren(box);
    box.scrollIntoView({ block: "center" });
  }
});
