/** Submitting the plan for approval, from the studio: what is missing, reasons for warnings, and off it goes. */

export async function submitDialog(desk) {
  await desk.session.flush();
  location.assign(`/plans/${desk.model.plan.id}#workflow`);
}
