"""What no redraw can avoid, and why: each grid that breaks a rule, with a proof where there is one.

A proof names a *core* of units and how often the grids that touch it break the band in every plan:

==================== ===============================================================================================
``locked``           the grid is closed; or its locked units alone are above the maximum
``unit_over_maximum`` the grid holds a unit that alone is above the maximum, and nothing else is too much
``pocket_total``     no whole number of grids holds the total of the pocket (or sub-pocket) the core is of
``enclosed``         no grid of the band can hold the unit that is the core
``exhaustive``       all ways to cover the core were tried, up to the ``horizon`` where there is one
==================== ===============================================================================================

Breaks of several cores add up only where one grid cannot pay for two (:class:`_Apart`); a grid is
unavoidable where the plan breaks the band around its cores exactly as often as they prove. Everything else is reported
as avoidable: not proved, perhaps not true. :mod:`geodata.redraw.verify` re-checks it all by other means.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import numpy as np

from geodata.redraw.measure import STATUS, Grids, surplus, tabulate
from geodata.redraw.model import Instance, Ints
from geodata.redraw.pockets import Pocket, pocket_of, pockets
from geodata.redraw.proof_search import Effort, GivenUpError, Terrain, breaks_of, forced
from geodata.redraw.result import Violation

WHOLE_POCKET = 30  # units up to which a pocket is searched as a whole
CORE = 40  # units up to which cores are grown


@dataclass(frozen=True, slots=True)
class Core:
    """Units that some grids breaking the band at least ``breaks`` times must touch, whatever the plan."""

    kind: str
    units: tuple[int, ...]
    breaks: int
    empty_free: bool = False
    horizon: tuple[int, ...] | None = None
    apart_by: str = "moat"
    numbers: dict[str, Any] = field(default_factory=dict, compare=False)

    def proof(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "kind": self.kind,
            "core": list(self.units),
            "breaks": self.breaks,
            "empty_free": self.empty_free,
            "horizon": None if self.horizon is None else list(self.horizon),
            "apart_by": self.apart_by,
            **self.numbers,
        }


def violations(instance: Instance, plan: Ints, *, budget_s: float = 15.0) -> list[Violation]:
    """Every grid of ``plan`` that is out of the band or in pieces, by number, with proofs found within ``budget_s``."""
    grids = tabulate(instance, plan)
    proofs = _given(instance, plan, grids)
    open_ = [slot for slot in np.flatnonzero(grids.excess > 0).tolist() if int(grids.grid[slot]) not in proofs]
    if open_:
        proofs |= _Prover(instance, plan, grids, open_, monotonic() + budget_s).proofs()
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
    cores = [core for part in pockets(instance) if (core := _pocket_total(part)) is not None]
    for unit in np.flatnonzero((pocket >= 0) & (instance.units.households > 0)).tolist():
        if monotonic() > effort.deadline:
            break
        with suppress(GivenUpError):
            if forced(terrain, [unit], 1, effort):
                cores.append(Core("enclosed", (unit,), 1))
    apart = _Apart(terrain)
    for core in sorted(cores, key=lambda core: len(core.units)):
        if not apart.clashes(core):
            apart.add(core)
    bound = np.zeros(int(pocket.max(initial=-1)) + 1, dtype=np.int64)
    for core in apart.cores:
        bound[pocket[core.units[0]]] += core.breaks
    return bound


class _Apart:
    """Cores whose breaks add up: each has ground of its own, its moat (:meth:`Terrain.moat`) or all within its horizon.

    What a grid breaks within a horizon is proved by its parts there, and the parts of one grid are together at most as
    often over the maximum as the grid is.
    """

    def __init__(self, terrain: Terrain) -> None:
        self.terrain = terrain
        self.grounds: dict[Core, dict[int, int]] = {}

    @property
    def cores(self) -> list[Core]:
        """In the order they were added."""
        return list(self.grounds)

    def clashes(self, core: Core) -> list[Core]:
        """Cores that want the same households, or lie in each other's ground."""
        ground = self._ground(core)
        taken: dict[int, int] = {}
        for other in self.grounds.values():
            for unit, households in other.items():
                taken[unit] = taken.get(unit, 0) + households
        tight = {unit for unit, more in ground.items() if taken.get(unit, 0) + more > self.terrain.counts[unit][2]}
        return [
            other
            for other, own in self.grounds.items()
            if not (own.keys().isdisjoint(tight | set(core.units)) and ground.keys().isdisjoint(other.units))
        ]

    def _ground(self, core: Core) -> dict[int, int]:
        if core.apart_by == "horizon" and core.horizon is not None:
            return {unit: self.terrain.counts[unit][2] for unit in core.horizon}
        return self.terrain.moat(list(core.units), core.breaks)

    def add(self, core: Core) -> None:
        """Keep ``core``."""
        self.grounds[core] = self._ground(core)

    def remove(self, core: Core) -> None:
        """Forget ``core``."""
        del self.grounds[core]


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


def _pocket_total(pocket: Pocket) -> Core | None:
    if pocket.served:
        return None
    band, households = pocket.band, pocket.households
    few = households // band.households_max
    numbers = {
        "households": households,
        "population": pocket.population,
        "grids_by_households": list(pocket.by_households),
        "grids_by_population": list(pocket.by_population),
        "fewer": {"grids": few, "households_over": households - few * band.households_max} if few else None,
        "more": {"grids": few + 1, "households_under": max((few + 1) * band.households_min - households, 0)},
    }
    return Core("pocket_total", tuple(pocket.bound.tolist()), 1, numbers=numbers)


class _Prover:
    """Looks for cores around the grids of one plan that break the band, and puts together those that add up."""

    def __init__(self, instance: Instance, plan: Ints, grids: Grids, open_: list[int], deadline: float) -> None:
        self.instance, self.plan = instance, plan
        self.broken = {int(grids.grid[slot]): int(grids.excess[slot]) for slot in open_}
        self.terrain, self.walked_over = Terrain(instance), Terrain(instance, empty_free=True)
        self.apart = _Apart(self.terrain)
        self.members: dict[int, list[int]] = {}
        for unit, grid in enumerate(plan.tolist()):
            self.members.setdefault(grid, []).append(unit)
        self.deadline = deadline
        self.totals: dict[int, Core] = {}
        for pocket in pockets(instance):
            core = _pocket_total(pocket)
            if core is not None:
                self.totals |= dict.fromkeys(core.units, core)

    def proofs(self) -> dict[int, dict[str, Any]]:
        """Proofs by grid, of those grids that are proved to be unavoidable: cheap ones first, for all grids."""
        pocket = pocket_of(self.instance)
        by_pocket: dict[int, list[int]] = {}
        for grid in sorted(self.broken, key=lambda grid: (len(self.members[grid]), grid)):
            by_pocket.setdefault(int(pocket[self.members[grid][0]]), []).append(grid)
        for where, broken in by_pocket.items():
            units = np.flatnonzero(pocket == where).tolist()
            self._add(self._whole(units, sum(self.broken[grid] for grid in broken)))
        for look in (self._plain, self._grown):
            for grid in (grid for broken in by_pocket.values() for grid in broken):
                if not self._settled(grid):
                    self._add(look(grid))
        return {grid: proof for grid in self.broken if (proof := self._settled(grid))}

    def _add(self, core: Core | None) -> None:
        """Keep ``core`` if its breaks add up with those found before, else join it with those, if that is proved."""
        if core is None or core in self.apart.cores:
            return
        clash = self.apart.clashes(core)
        if clash and core.horizon is not None:
            within = replace(core, apart_by="horizon")
            if not (clashing := self.apart.clashes(within)):
                core, clash = within, clashing
        if not clash:
            self.apart.add(core)
            return
        units = sorted({unit for other in clash for unit in other.units} | set(core.units))
        if len(units) <= CORE and (joined := self._prove(units, core.breaks + sum(other.breaks for other in clash))):
            for other in clash:
                self.apart.remove(other)
            self._add(joined)

    def _settled(self, grid: int) -> dict[str, Any] | None:
        """The proof of ``grid`` if the plan breaks the band around its cores exactly as often as they prove.

        Cores and grids that touch are counted together: all that hang on ``grid``, one through the other.
        """
        linked: list[Core] = []
        grids = {grid}
        while more := [
            core for core in self.apart.cores if core not in linked and not grids.isdisjoint(self._touching(core.units))
        ]:
            linked += more
            grids |= {one for core in more for one in self._touching(core.units)}
        if not linked or sum(self.broken[one] for one in grids) != sum(core.breaks for core in linked):
            return None
        own = [core.proof() for core in linked if grid in self._touching(core.units)]
        return own[0] | ({"also": own[1:]} if own[1:] else {})

    def _touching(self, units: tuple[int, ...] | list[int]) -> set[int]:
        """Grids that break the band and touch ``units``."""
        return {grid for grid in self.plan[list(units)].tolist() if grid in self.broken}

    def _whole(self, units: list[int], breaks: int) -> Core | None:
        """A small pocket as a whole, all its breaks at once; a total that says it all is the simpler proof."""
        total = self.totals.get(units[0])
        if len(units) > WHOLE_POCKET or (total is not None and breaks == 1):
            return None
        return self._prove(units, breaks)

    def _plain(self, grid: int) -> Core | None:
        """The simplest reasons for the breaks of ``grid``: locks, the total of its pocket, a unit that has no place."""
        members = self.members[grid]
        core = self._by_locks(grid)
        if core is not None:
            return core
        total = next((self.totals[unit] for unit in members if unit in self.totals), None)
        if total is not None and self._breaks_at(total.units) == 1:
            return total
        for unit in sorted(members, key=lambda unit: -int(self.instance.units.households[unit])):
            core = self._prove([unit], self.broken[grid])
            if core is not None:
                return core
        return total

    def _by_locks(self, grid: int) -> Core | None:
        terrain = self.terrain
        units = terrain.locked.get(grid, [])
        if not units:
            return None
        sums = [sum(terrain.counts[unit][at] for unit in units) for at in range(4)]
        band = terrain.bands[units[0]]
        breaks = breaks_of(max(sums[0], band.households_min), max(sums[1], band.population_min), sums[2], sums[3], band)
        return Core("locked", tuple(units), breaks) if breaks else None

    def _grown(self, grid: int) -> Core | None:
        """The grid as a core, then cores that grow from it ring by ring, over large units first, then smaller ones.

        What the rings leave out (units above the maximum aside) lies beyond the horizon.
        """
        own = sorted(self.members[grid])
        found = self._prove(own, self._breaks_at(own), sets=30_000)
        if found is not None:
            return found
        households = self.instance.units.households
        band = self.terrain.bands[own[0]]
        for least in (band.households_max // 15, band.households_max // 30, 1):
            for terrain in (self.terrain, self.walked_over):
                core = [unit for unit in own if not self.terrain.empty[unit]]
                ring = set(core)
                while ring and len(core) <= CORE:
                    found = self._prove_within(terrain, core)
                    if found is not None:
                        return found
                    beside = {other for unit in core for other in terrain.near[unit]} - set(core)
                    ring = {unit for unit in beside if max(least, 1) <= households[unit] <= band.households_max}
                    core = sorted({*core, *ring})
        return None

    def _breaks_at(self, units: tuple[int, ...] | list[int]) -> int:
        return sum(self.broken[grid] for grid in self._touching(units))

    def _prove(self, units: list[int], breaks: int, sets: int = 120_000) -> Core | None:
        """Search once exactly; where that is too much, once with empty units free for all."""
        if not breaks or monotonic() > self.deadline:
            return None
        effort = Effort(sets=sets, deadline=self.deadline)
        try:
            needed = forced(self.terrain, units, breaks, effort)
        except GivenUpError:
            filled = [unit for unit in units if not self.walked_over.empty[unit]]
            if not filled or not any(self.walked_over.empty):
                return None
            with suppress(GivenUpError):
                return self._searched(forced(self.walked_over, filled, breaks, effort), breaks, empty_free=True)
            return None
        return self._searched(needed, breaks)

    def _prove_within(self, terrain: Terrain, core: list[int]) -> Core | None:
        """Search no further than the core and the units above the maximum around it."""
        breaks = self._breaks_at(core)
        if not breaks or monotonic() > self.deadline:
            return None
        most = terrain.bands[core[0]].households_max
        beside = {other for unit in core for other in terrain.near[unit]}
        horizon = sorted({*core, *(unit for unit in beside if terrain.counts[unit][0] > most)})
        with suppress(GivenUpError):
            needed = forced(terrain, self._far_first(core), breaks, Effort(deadline=self.deadline), horizon=horizon)
            return self._searched(needed, breaks, empty_free=terrain is self.walked_over, horizon=tuple(horizon))
        return None

    def _far_first(self, units: list[int]) -> list[int]:
        """``units``, those near other cores last, so that they are left out first and the cores' moats stay apart."""
        others = [unit for core in self.apart.cores for unit in core.units]
        away = 10 * self.terrain.bands[units[0]].households_max
        far = self.terrain.ball(others, away)
        return sorted(units, key=lambda unit: (-far.get(unit, away), unit))

    def _searched(
        self, needed: list[int], breaks: int, *, empty_free: bool = False, horizon: tuple[int, ...] | None = None
    ) -> Core | None:
        if not needed:
            return None
        kind = "enclosed" if len(needed) == 1 else "exhaustive"
        return Core(kind, tuple(sorted(needed)), breaks, empty_free, horizon)
