/** Shows how the best plan so far stands while a redraw runs; job.js follows the job. */

import { number, t } from "./i18n.js";

const waiting = !document.querySelector("[name=how][value=keep]");

document.querySelector("[data-job]")?.addEventListener("job", ({ detail: job }) => {
  if (waiting && job.state === "running") return void location.reload(); // now it can be stopped with its result
  for (const place of document.querySelectorAll("[data-live]")) {
    const value = job.result[place.dataset.live];
    if (value === undefined) continue;
    place.textContent = place.dataset.live === "grids" ? t("共 {n} 个", { n: number(value) }) : number(value, place.dataset.live === "compactness" ? 2 : 0);
  }
});
