/** Stands in for what the studio's modules ask of a browser; to be imported before them. */

import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class extends Event {
  constructor(name, { detail = null } = {}) {
    super(name);
    this.detail = detail;
  }
};
globalThis.document ??= { getElementById: () => null, documentElement: { lang: "zh" } };

/** Keeps its rings as points, so that a test can measure them. */
globalThis.Path2D ??= class {
  constructor() {
    this.rings = [];
  }

  moveTo(x, y) {
    this.rings.push([[x, y]]);
  }

  lineTo(x, y) {
    this.rings.at(-1).push([x, y]);
  }

  closePath() {}
};
