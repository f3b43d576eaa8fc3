"""What no redraw can avoid, and why: each grid that breaks a rule, with a proof where there is one.

A proof names a *core* of units and how often the grids that touch it break the band in every plan:

==================== ===============================================================================================
``locked``           the grid is closed; or its locked units alone are above the maximum
``unit_over_maximum`` the grid holds a unit that alone is above the maximum, and nothing else is too much
``pocket_total``     no whole number of grids holds the total of the pocket (or sub-pocket) the core is of
``enclosed``         no grid of the band can hold the unit that is the core
``exhaustive``       all ways to cover the core were tried, up to the ``horizon`` where there is one
==================== ===============================================================================================

Breaks of several cores add up only where one grid cannot pay for two (:class:`proof_cores.Apart`); a grid is
unavoidable where the plan breaks the band around its cores exactly as often as they prove. Everything else is reported
as avoidable: not proved, perhaps not true. :mod:`geodata.redraw.verify` re-checks it all by other means.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import Any

import numpy as np

from geodata.redraw.measure import STATUS, Grids, surplus, tabulate
from geodata.redraw.model import Instance, Ints
from geodata.redraw.pockets import pocket_of, pockets
from geodata.redraw.proof_cores import Apart, Core, pocket_total
from geodata.redraw.proof_search import Effort, GivenUpError, forced
from geodata.redraw.proof_terrain import Terrain
from geodata.redraw.prover import Prover
from geodata.redraw.result import Violation


def violations(instance: Instance, plan: Ints, *, budget_s: float = 15.0) -> list[Violation]:
    """Every grid of ``plan`` that is out of the band or in pieces, by number, with proofs found within ``budget_s``."""
    grids = tabulate(instance, plan)
    proofs = _given(instance, plan, grids)
    open_ = [slot for slot in np.flatnonzero(grids.excess > 0).tolist() if int(grids.grid[slot]) not in proofs]
    if open_:
        proofs |= Prover(instance, plan, grids, open_, monotonic() + budget_s).proofs()
    found = []
    for slot in np.flatnonzero((grids.status > 0) | (grids.pieces > 1)).tolist():
        grid = int(grids.grid[slot])
        counts = (int(grids.households[slot]), int(grids.population[slot]))
        if grids.status[slot] > 0:
            proof = proofs.get(grid)
            found.append(Violation(grid, STATUS[int(grids.status[slot])], proof is None, *counts, proof))
        if grids.pieces[slot] > 1:
            proof = proofs[grid] if grid in instance.closed else None
            found.append(Violation(grid, "pieces", proof is None, *counts, proof))
    return found


def lower_bound(instance: Instance, *, budget_s: float = 1.0) -> Ints:
    """Breaks of the band (n_pockets,) proved for every plan, by pocket (``pockets.pocket_of``), closed grids aside.

    Only what is cheap to find: totals of sub-pockets, and units that no grid of the band can hold.
    """
    pocket = pocket_of(instance)
    terrain, effort = Terrain(instance), Effort(sets=2_000, steps=2_000, deadline=monotonic() + budget_s)
    cores = [core for part in pockets(instance) if (core := pocket_total(part)) is not None]
    for unit in np.flatnonzero((pocket >= 0) & (instance.units.households > 0)).tolist():
        if monotonic() > effort.deadline:
            break
        with suppress(GivenUpError):
            if forced(terrain, [unit], 1, effort):
                cores.append(Core("enclosed", (unit,), 1))
    apart = Apart(terrain)
    for core in sorted(cores, key=lambda core: len(core.units)):
        if not apart.clashes(core):
            apart.add(core)
    bound = np.zeros(int(pocket.max(initial=-1)) + 1, dtype=np.int64)
    for core in apart.cores:
        bound[pocket[core.units[0]]] += core.breaks
    return bound


def _given(instance: Instance, plan: Ints, grids: Grids) -> dict[int, dict[str, Any]]:
    """Proofs that need no search, by grid: closed grids, and units above the maximum where nothing else is too much."""
    over_h, over_p = surplus(instance)
    proofs: dict[int, dict[str, Any]] = {}
    for slot in np.flatnonzero((grids.status > 0) | (grids.pieces > 1)).tolist():
        grid = int(grids.grid[slot])
        if grid in instance.closed:
            proofs[grid] = {"kind": "locked", "closed": True}
        elif grids.status[slot] > 0 and grids.excess[slot] == 0:
            alone = np.flatnonzero((plan == grid) & ((over_h > 0) | (over_p > 0)))
            proofs[grid] = {
                "kind": "unit_over_maximum",
                "units": alone.tolist(),
                "households": instance.units.households[alone].tolist(),
                "population": instance.units.population[alone].tolist(),
            }
    return proofs
