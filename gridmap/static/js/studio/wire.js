/** Between the model (unit indices, region indices) and what goes over the wire (ids). */

/** A key that nobody else has; `crypto.randomUUID` is missing where the page comes over plain HTTP. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const SENT = ["code", "name", "kind", "workers", "locked", "parent_id"];

/** An operation of the model as the server takes it. */
export function sent(model, op) {
  if (op.undoes_key) return { key: op.key, tool: op.tool, undoes_key: op.undoes_key };
  return {
    key: op.key,
    tool: op.tool,
    why: op.why ?? null,
    moves: joined(op.moves).map(({ to, units }) => ({ to, units: units.map((u) => model.ground.id[u]) })),
    grids: op.grids.map(({ id, before, after }) => {
      if (after === null) return { id, gone: true };
      if (before === null) return { id, after: { ...only(after), region_id: model.regions[after.region]?.id ?? null } };
      return { id, ...Object.fromEntries(SENT.filter((name) => after[name] !== before[name]).map((name) => [name, after[name]])) };
    }),
  };
}

/** An operation of the server as the model takes it; units that this ground does not have are left out. */
export function received(model, op) {
  const region = new Map(model.regions.map((one, k) => [one.id, k]));
  const attributes = (one) => one && { ...only(one), region: region.get(one.region_id) ?? -1 };
  return {
    ...op,
    moves: op.moves.map(({ from, to, units }) => ({ from, to, units: units.map((id) => model.ground.indexOf(id)).filter((u) => u !== undefined) })),
    grids: op.grids.map(({ id, before, after }) => ({ id, before: attributes(before), after: attributes(after) })),
  };
}

/** An operation that was kept (with ids) as the model takes it: made against the plan as it stands now. */
export function kept(model, wire) {
  const region = new Map(model.regions.map((one, k) => [one.id, k]));
  const moves = [];
  for (const { to, units } of wire.moves ?? []) {
    for (const id of units) {
      const unit = model.ground.indexOf(id);
      if (unit === undefined) continue;
      const from = model.gridOf(unit);
      const last = moves.at(-1);
      if (last && last.from === from && last.to === to) last.units.push(unit);
      else moves.push({ from, to, units: [unit] });
    }
  }
  const grids = (wire.grids ?? []).map(({ id, gone, after, ...fields }) => {
    const now = model.grids.get(id);
    const before = now ? { ...only(now), region: now.region } : null;
    if (gone) return { id, before, after: null };
    if (after) return { id, before, after: { ...only(after), region: region.get(after.region_id) ?? -1 } };
    return { id, before, after: before && { ...before, ...fields } };
  });
  return { key: wire.key, tool: wire.tool, why: wire.why ?? null, undoes_key: wire.undoes_key, moves, grids: grids.filter((change) => change.before || change.after) };
}

const only = (grid) => Object.fromEntries(SENT.map((name) => [name, grid[name] ?? (name === "locked" ? false : null)]));

/** Moves to one grid as one, in the order in which the grids come first. */
function joined(moves) {
  const by = new Map();
  for (const { to, units } of moves) by.set(to, [...(by.get(to) ?? []), ...units]);
  return [...by].map(([to, units]) => ({ to, units }));
}
