"""The search for cores around the grids of one plan that break the band."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np

from geodata.redraw.measure import Grids
from geodata.redraw.model import Instance, Ints
from geodata.redraw.pockets import pocket_of, pockets
from geodata.redraw.proof_cores import Apart, Core, pocket_total
from geodata.redraw.proof_search import Effort, GivenUpError, forced
from geodata.redraw.proof_terrain import Terrain, breaks_of

WHOLE_POCKET = 30  # units up to which a pocket is searched as a whole
CORE = 40  # units up to which cores are grown


class Prover:
    """Looks for cores around the grids of one plan that break the band, and puts together those that add up."""

    def __init__(self, instance: Instance, plan: Ints, grids: Grids, open_: list[int], deadline: float) -> None:
        self.instance, self.plan = instance, plan
        self.broken = {int(grids.grid[slot]): int(grids.excess[slot]) for slot in open_}
        self.terrain, self.walked_over = Terrain(instance), Terrain(instance, empty_free=True)
        self.apart = Apart(self.terrain)
        self.members: dict[int, list[int]] = {}
        for unit, grid in enumerate(plan.tolist()):
            self.members.setdefault(grid, []).append(unit)
        self.deadline = deadline
        self.totals: dict[int, Core] = {}
        for pocket in pockets(instance):
            core = pocket_total(pocket)
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
                if monotonic() < self.deadline and not self._settled(grid):
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
