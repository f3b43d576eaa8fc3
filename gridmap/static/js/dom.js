/** Building elements: text is always text, never markup. */

/** An element with properties (`class`, `data-*`, `aria-*`, `on…` listeners, others as properties) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

/** One of the page's icons (icons.svg), silent to screen readers. */
export function icon(name) {
  const sheet = document.querySelector("svg.icon use").getAttribute("href").split("#")[0];
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `${sheet}#${name}` }));
}

/** The data that the server wrote into the page. */
export function pageData() {
  return JSON.parse(document.getElementById("page-data").textContent);
}

/** Leaflet bounds of west, south, east, north. */
export const latLngBox = ([west, south, east, north]) => [[south, west], [north, east]];
