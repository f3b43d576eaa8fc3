/** What surrounds the map and is no panel: legend, first-run hint, the phone's sheet, tools while a past state is shown. */

const $ = (id) => document.getElementById(id);
const HINTED = "gridmap-studio-hinted";
const PHONE = matchMedia("(max-width: 860px)");

/** Put the parts to work; `session` tells of visits, `model` of what was done. */
export function shell({ map, model, session, layer }) {
  legend(layer);
  hint(model);
  sheet();
  visits(model, session);
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(map.getContainer());
}

function legend(layer) {
  const box = $("legend-box");
  if (PHONE.matches) box.open = false;
  for (const canvas of document.querySelectorAll("#legend canvas")) {
    if (canvas.dataset.status === "free") hatch(canvas.getContext("2d"));
    else window.gridmap.paintSwatch(canvas, canvas.dataset.status);
  }
  $("colour").addEventListener("change", (event) => {
    layer.setMode(event.target.value);
    box.dataset.mode = event.target.value; // the statuses are not shown by colour then
  });
}

/** The crossed hatch of ground in no grid. */
function hatch(ctx) {
  ctx.fillStyle = "#fff6f6";
  ctx.fillRect(0, 0, 22, 14);
  ctx.strokeStyle = "#b3001b";
  for (let x = -14; x < 36; x += 6) {
    ctx.beginPath();
    ctx.moveTo(x, 14);
    ctx.lineTo(x + 14, 0);
    ctx.moveTo(x, 0);
    ctx.lineTo(x + 14, 14);
    ctx.stroke();
  }
}

/** Three sentences for who is here for the first time; gone after the first change, for good. */
function hint(model) {
  const box = $("hint");
  if (!model.mayEdit || localStorage.getItem(HINTED)) return;
  const leave = () => {
    box.hidden = true;
    localStorage.setItem(HINTED, "yes");
  };
  box.hidden = false;
  box.querySelector("button").addEventListener("click", leave);
  model.addEventListener("operation", leave, { once: true });
}

/** On a phone the panel is a sheet: its handle folds it to the tabs, and a tab brings it back. */
function sheet() {
  const [handle, studio] = [$("sheet"), $("studio")];
  const set = (open) => {
    handle.setAttribute("aria-expanded", String(open));
    studio.classList.toggle("folded", !open);
  };
  handle.addEventListener("click", () => set(handle.getAttribute("aria-expanded") !== "true"));
  for (const tab of document.querySelectorAll(".studio-panel [role=tab]")) tab.addEventListener("click", () => set(true));
  if (PHONE.matches && innerHeight < 640) set(false); // a phone on its side: the map first
}

/** While the plan of the past is shown, only the hand is of use. */
function visits(model, session) {
  session.addEventListener("visit", () => {
    if (session.visiting) model.setTool("pan");
    for (const button of document.querySelectorAll(".tool:not([data-tool=pan]), .brush button, #submit")) button.disabled = Boolean(session.visiting);
  });
}
