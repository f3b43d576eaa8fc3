/** Follows the job of the page until it ends, then opens the page anew with what came of it. */

import { getJson } from "./api.js";
import { t } from "./i18n.js";

const box = document.querySelector("[data-job]");
const EVERY_MS = 800;

async function follow() {
  let job;
  try {
    job = await getJson(`/api/v1/jobs/${box.dataset.job}`);
  } catch (error) {
    box.querySelector("[data-job-doing]").textContent = error.message;
    return void setTimeout(follow, 5 * EVERY_MS);
  }
  if (job.state === "done" || job.state === "failed") return location.replace(`${box.dataset.done}?job=${job.id}`);
  box.querySelector("[data-job-title]").textContent = job.state === "waiting" ? t("排队中…") : t("进行中…");
  box.querySelector("[data-job-doing]").textContent = job.doing;
  box.dispatchEvent(new CustomEvent("job", { detail: job }));
  if (job.state === "running") box.querySelector("progress").value = job.progress;
  setTimeout(follow, EVERY_MS);
}

if (box) setTimeout(follow, EVERY_MS / 2);
