/** The page of a region: a click on a grid leads to what was found about it. */

import { pageData } from "./dom.js";

const data = pageData();
const { grids } = window.gridmap.page;

grids?.on("gridclick", ({ id }) => location.assign(`/plans/${data.plan}?grid=${id}`));
