/** Links that lead to what the page shows now: the address's parameters are added when they are followed. */

for (const link of document.querySelectorAll("a[data-with-view]")) {
  const path = link.getAttribute("href");
  const take = () => link.setAttribute("href", path + location.search);
  for (const event of ["pointerdown", "focus", "click"]) link.addEventListener(event, take);
  const menu = link.closest("details");
  if (menu) link.addEventListener("click", () => (menu.open = false));
}
