"""The books of :mod:`geodata.redraw.fill`: sums of each grid as it is filled, and what a unit would do to a grid."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from geodata.adjacency import components
from geodata.redraw.ground import COMPACTNESS, COMPOUNDS, lay_out
from geodata.redraw.measure import households_per_person
from geodata.redraw.model import Band, Instance, Ints


class Candidate(NamedTuple):
    """A unit into a grid; the smallest is the best. ``over``: the grid is then above its maximum, or was and gets more.

    ``excess``, ``outside``, ``cost``: changes of the score, as far as they depend on where the unit goes.
    """

    over: bool
    excess: int
    outside: float
    cost: float
    unit: int
    grid: int


class _Sums(NamedTuple):
    """What a grid holds; the outline is that of the union."""

    households: int
    population: int
    over_h: int
    over_p: int
    area_m2: float
    perimeter_m: float


class Filling:
    """A plan being filled. ``i``, ``j``, ``open`` (m,): borders inside groups, and whether units may join over them."""

    def __init__(self, instance: Instance, plan: Ints) -> None:
        ground = lay_out(instance)
        self.instance = instance
        self.plan = plan.copy()
        self.empty = instance.units.households + instance.units.population == 0
        self.person = households_per_person(instance)
        weights = instance.weights.array()
        self.shape, self.apart = float(weights[COMPACTNESS]), float(weights[COMPOUNDS])
        shut = np.isin(plan, list(instance.closed))
        ends = np.repeat(np.arange(len(plan)), np.diff(ground.indptr))
        once = ends < ground.other
        free = ground.open & ~shut[ends] & ~shut[ground.other]
        self.i, self.j, self.open = ends[once], ground.other[once], free[once]
        rows = zip(
            ground.other.tolist(), ground.length_m.tolist(), ground.cut_cost.tolist(), free.tolist(), strict=True
        )
        halves = list(rows)
        starts = ground.indptr.tolist()
        self.beside = [halves[a:b] for a, b in pairwise(starts)]
        self.own = [
            _Sums(*one)
            for one in zip(
                ground.households.tolist(),
                ground.population.tolist(),
                ground.over_h.tolist(),
                ground.over_p.tolist(),
                ground.area_m2.tolist(),
                ground.perimeter_m.tolist(),
                strict=True,
            )
        ]
        self.compound: list[int] = ground.compound.tolist()
        self.members = ground.member, ground.member_ptr
        self.sums: dict[int, _Sums] = {}
        self.frontier: dict[int, set[int]] = {}
        self._begin()

    def _begin(self) -> None:
        inside = (self.plan[self.i] == self.plan[self.j]) & (self.plan[self.i] >= 0)
        shared = dict.fromkeys(np.unique(self.plan[self.plan >= 0]).tolist(), 0.0)
        lengths = {(a, b): row[1] for a in range(len(self.plan)) for row in self.beside[a] if (b := row[0]) > a}
        for a, b in zip(self.i[inside].tolist(), self.j[inside].tolist(), strict=True):
            shared[int(self.plan[a])] += lengths[a, b]
        for unit in np.flatnonzero(self.plan >= 0).tolist():
            grid = int(self.plan[unit])
            self.sums[grid] = _with(self.sums.get(grid, _NOTHING), self.own[unit], 0.0)
        for grid, metres in shared.items():
            one = self.sums[grid]
            self.sums[grid] = one._replace(perimeter_m=one.perimeter_m - 2 * metres)
        for unit in np.flatnonzero(self.plan < 0).tolist():
            for other, _, _, open_ in self.beside[unit]:
                if open_ and self.plan[other] >= 0:
                    self.frontier.setdefault(int(self.plan[other]), set()).add(unit)

    def loose(self) -> list[int]:
        """Inhabited units in no grid."""
        return [int(unit) for unit in np.flatnonzero((self.plan < 0) & ~self.empty)]

    def ways(self, unit: int) -> list[Candidate]:
        """Grids that an inhabited unit in no grid may join, with what it does to each."""
        if self.plan[unit] >= 0 or self.empty[unit]:
            return []
        grids = {int(self.plan[other]) for other, _, _, open_ in self.beside[unit] if open_ and self.plan[other] >= 0}
        return [self._weigh(unit, grid) for grid in sorted(grids)]

    def place(self, units: list[int], grid: int) -> None:
        """Put ``units`` into ``grid``."""
        for unit in units:
            shared_m = sum(length for other, length, _, _ in self.beside[unit] if self.plan[other] == grid)
            self.sums[grid] = _with(self.sums[grid], self.own[unit], shared_m)
            self.plan[unit] = grid
            for other, _, _, open_ in self.beside[unit]:
                if open_ and self.plan[other] < 0:
                    self.frontier.setdefault(grid, set()).add(other)
        for beside in self.frontier.values():
            beside.difference_update(units)

    def stale(self, units: list[int], grid: int) -> list[int]:
        """Units whose ways have changed since ``units`` came to ``grid``."""
        found = set(self.frontier.get(grid, ()))
        member, start = self.members
        for unit in units:
            if self.compound[unit] >= 0:
                at = self.compound[unit]
                found.update(member[start[at] : start[at + 1]].tolist())
        return sorted(found)

    def best_pocket(self) -> tuple[list[int], int] | None:
        """Uninhabited ground in no grid, in one piece, and the open grid it has the longest border with."""
        loose = (self.plan < 0) & self.empty
        if not loose.any():
            return None
        inner = loose[self.i] & loose[self.j] & self.open
        piece = components(len(loose), self.i[inner], self.j[inner])
        metres: dict[tuple[int, int], float] = {}
        joined: set[tuple[int, int]] = set()
        for unit in np.flatnonzero(loose).tolist():
            for other, length, _, open_ in self.beside[unit]:
                if self.plan[other] >= 0:
                    key = int(piece[unit]), int(self.plan[other])
                    metres[key] = metres.get(key, 0.0) + length
                    if open_:
                        joined.add(key)
        if not joined:
            return None
        part, grid = max(joined, key=lambda key: (metres[key], -key[0], -key[1]))
        return np.flatnonzero(loose & (piece == part)).tolist(), grid

    def _weigh(self, unit: int, grid: int) -> Candidate:
        before = self.sums[grid]
        shared_m = saved = 0.0
        for other, length, cut, _ in self.beside[unit]:
            if self.plan[other] == grid:
                shared_m += length
                saved += cut
        after = _with(before, self.own[unit], shared_m)
        band = self.instance.bands[int(self.instance.units.kind[unit])]
        was, now = _breach(before, band, self.person), _breach(after, band, self.person)
        cost = self.shape * (_compactness(before) - _compactness(after)) - saved + self._torn(unit, grid)
        over = after.households > band.households_max or after.population > band.population_max
        return Candidate(over, now[0] - was[0], now[1] - was[1], cost, unit, grid)

    def _torn(self, unit: int, grid: int) -> float:
        """What it costs that the unit's compound comes to lie in one grid more."""
        at = self.compound[unit]
        if at < 0:
            return 0.0
        member, start = self.members
        grids = set(self.plan[member[start[at] : start[at + 1]]].tolist()) - {-1}
        return self.apart if grids and grid not in grids else 0.0


_NOTHING = _Sums(0, 0, 0, 0, 0.0, 0.0)


def _with(sums: _Sums, own: _Sums, shared_m: float) -> _Sums:
    return _Sums(
        sums.households + own.households,
        sums.population + own.population,
        sums.over_h + own.over_h,
        sums.over_p + own.over_p,
        sums.area_m2 + own.area_m2,
        sums.perimeter_m + own.perimeter_m - 2 * shared_m,
    )


def _breach(sums: _Sums, band: Band, person: float) -> tuple[int, float]:
    """Excess and households outside, as :mod:`geodata.redraw.measure` counts them."""
    h, p = sums.households, sums.population
    over = max(
        -(-max(h - band.households_max - sums.over_h, 0) // max(band.households_max, 1)),
        -(-max(p - band.population_max - sums.over_p, 0) // max(band.population_max, 1)),
    )
    under = h < band.households_min or p < band.population_min
    outside_h = max(band.households_min - h, h - band.households_max, 0)
    outside_p = max(band.population_min - p, p - band.population_max, 0)
    return max(int(under), over), outside_h + outside_p * person


def _compactness(sums: _Sums) -> float:
    squared = sums.perimeter_m**2
    return min(4 * math.pi * sums.area_m2 / squared, 1.0) if squared > 0 else 0.0
