"""Certificates re-checked by brute force: every way to split a few touching grids anew, scored from scratch.

The score is written out once more here, grid by grid, in plain Python: what differs between two re-splits of the same
units is a sum over their grids, since borders inside a grid decide what lies between grids.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, permutations
from math import dist, pi, sqrt

from geodata.redraw.model import REFERENCE_COMPACTNESS, Instance, Ints
from geodata.redraw.result import Certificate
from geodata.redraw.verify_ground import Ground

MOST_UNITS = {2: 14, 3: 11}
SAMPLE = 5
Key = tuple[int, float, float]


def check_certificate(ground: Ground, plan: Ints, certificate: Certificate) -> list[str]:
    """Whether it counts what there is to count, and a few of its smallest neighbourhoods by brute force."""
    sets = touching_sets(ground, plan, certificate.size)
    wrong = []
    if certificate.neighbourhoods != len(sets):
        wrong.append(f"{len(sets)} sets of {certificate.size} grids touch, not {certificate.neighbourhoods}")
    if not 0 <= certificate.proved <= certificate.neighbourhoods - certificate.open:
        wrong.append(f"size {certificate.size}: proved and open are more than there are neighbourhoods")
    if certificate.complete:
        members = ground.members(plan)
        small = sorted(sets, key=lambda grids: sum(len(members[grid]) for grid in grids))[:SAMPLE]
        for grids in small:
            wrong += verify_certificate(ground.instance, plan, grids)
    return wrong


def touching_sets(ground: Ground, plan: Ints, size: int) -> list[tuple[int, ...]]:
    """Sets of ``size`` grids that hang together over open borders (closed grids have none)."""
    beside: dict[int, set[int]] = {}
    for unit in range(ground.n):
        for other in ground.beside[unit]:
            if plan[unit] != plan[other]:
                beside.setdefault(int(plan[unit]), set()).add(int(plan[other]))
    sets: set[tuple[int, ...]] = {(grid,) for grid in beside}
    for _ in range(size - 1):
        sets = {
            tuple(sorted((*grids, other)))
            for grids in sets
            for other in set().union(*(beside[grid] for grid in grids)) - set(grids)
        }
    return sorted(sets)


def verify_certificate(instance: Instance, plan: Ints, grids: tuple[int, ...]) -> list[str]:
    """Whether no re-split of ``grids`` (2 or 3 that touch) into up to as many grids is better than ``plan``.

    Tries every one; sets of more units than :data:`MOST_UNITS` are passed over (empty answer).
    """
    ground = Ground(instance)
    units = [unit for unit, grid in enumerate(plan.tolist()) if grid in grids]
    if len(units) > MOST_UNITS.get(len(grids), 0):
        return []
    split = _Resplit(ground, units)
    now = _add([split.key(frozenset(u for u in units if plan[u] == grid), grid) for grid in grids])
    for parts in split.partitions(frozenset(units), len(grids)):
        for names in permutations(grids, len(parts)):
            if not split.locks_kept(parts, names):
                continue
            found = _add([split.key(part, grid) for part, grid in zip(parts, names, strict=True)])
            if _better(found, now):
                return [f"grids {list(grids)} can be split better: {found} instead of {now}"]
    return []


def score(instance: Instance, plan: Ints) -> Key:
    """Excess, households outside the band and weighted total of a whole plan, by this module's own reckoning."""
    ground = Ground(instance)
    split = _Resplit(ground, list(range(ground.n)))
    excess, outside, cost = _add([split.key(frozenset(units), grid) for grid, units in ground.members(plan).items()])
    weights, borders = instance.weights, instance.units.borders
    for i, j, free_m in zip(borders.i.tolist(), borders.j.tolist(), split.free_m, strict=True):
        if ground.group[i] == ground.group[j]:
            cost += weights.open_border * free_m + weights.cut_edges
    known = {compound for compound in instance.units.compound.tolist() if compound >= 0}
    return excess, outside, cost - weights.compounds * len(known)


def _add(keys: list[Key]) -> Key:
    return sum(key[0] for key in keys), sum(key[1] for key in keys), sum(key[2] for key in keys)


def _better(one: Key, other: Key) -> bool:
    if one[0] != other[0]:
        return one[0] < other[0]
    if abs(one[1] - other[1]) > 1e-6:
        return one[1] < other[1]
    return one[2] < other[2] - 1e-6


class _Resplit:
    """Scores of sets of units as grids; what no re-split changes is left out."""

    def __init__(self, ground: Ground, units: list[int]) -> None:
        instance = ground.instance
        self.ground, self.instance = ground, instance
        column = instance.units
        self.area_m2, self.perimeter_m = column.area_m2.tolist(), column.perimeter_m.tolist()
        self.xy_m, self.workload = column.xy_m.tolist(), column.workload.tolist()
        self.compound = column.compound.tolist()
        borders = column.borders
        barriers = any(borders.barrier_m.tolist()) or any(borders.torn_m.tolist())
        lengths, along = borders.length_m.tolist(), borders.barrier_m.tolist()
        self.free_m = [a - b if barriers else 0.0 for a, b in zip(lengths, along, strict=True)]
        here = set(units)
        self.borders = [
            (i, j, length_m, free_m, torn_m)
            for i, j, length_m, free_m, torn_m in zip(
                borders.i.tolist(), borders.j.tolist(), lengths, self.free_m, borders.torn_m.tolist(), strict=True
            )
            if i in here and j in here
        ]
        people = sum(ground.population)
        self.person = sum(ground.households) / people if people else 0.0
        self.key, self.one_piece, self.share = cache(self._key), cache(self._one_piece), cache(self._share)

    def _key(self, part: frozenset[int], grid: int) -> Key:
        """Excess, outside and cost of ``part`` as grid number ``grid``."""
        ground, weights = self.ground, self.instance.weights
        band = ground.band[min(part)]
        households, people = ground.sum_households(part), ground.sum_population(part)
        outside = max(band.households_min - households, households - band.households_max, 0)
        people_outside = max(band.population_min - people, people - band.population_max, 0)
        inside = [border for border in self.borders if border[0] in part and border[1] in part]
        outline_m = sum(self.perimeter_m[unit] for unit in part) - 2 * sum(border[2] for border in inside)
        area_m2 = sum(self.area_m2[unit] for unit in part)
        compactness = min(4 * pi * area_m2 / outline_m**2, 1.0) if outline_m**2 > 0 else 0.0
        cost = (
            weights.moved * sum(ground.households[u] for u in part if ground.start[u] not in (-1, grid))
            + weights.compactness * (REFERENCE_COMPACTNESS - compactness)
            + weights.extent * households * self._extent_m(part, households)
            - weights.open_border * sum(border[3] for border in inside)
            + weights.torn * sum(border[4] for border in inside)
            - weights.cut_edges * len(inside)
            + weights.compounds * len({self.compound[unit] for unit in part} - {-1})
            + weights.balance * abs(households - (band.households_min + band.households_max) / 2)
            + weights.workload * abs(sum(self.workload[unit] for unit in part) - self.share(ground.group[min(part)]))
        )
        return ground.breaks(part), outside + people_outside * self.person, cost

    def _extent_m(self, part: frozenset[int], households: int) -> float:
        if not households:
            return 0.0
        held = [(self.ground.households[unit], self.xy_m[unit]) for unit in part]
        centre = [sum(count * xy_m[axis] for count, xy_m in held) / households for axis in (0, 1)]
        return sqrt(sum(count * dist(xy_m, centre) ** 2 for count, xy_m in held) / households)

    def _share(self, group: int) -> float:
        units = [unit for unit in range(self.ground.n) if self.ground.group[unit] == group]
        band = self.ground.band[units[0]]
        per_household = sum(self.workload[unit] for unit in units) / max(self.ground.sum_households(units), 1)
        return float(per_household * (band.households_min + band.households_max) / 2)

    def partitions(self, units: frozenset[int], most: int) -> Iterator[list[frozenset[int]]]:
        """Every way to part ``units`` into up to ``most`` connected grids."""
        if not units:
            yield []
        elif most:
            first, rest = min(units), sorted(units - {min(units)})
            for size in range(len(rest) + 1):
                for others in combinations(rest, size):
                    part = frozenset((first, *others))
                    if self.one_piece(part):
                        for parts in self.partitions(units - part, most - 1):
                            yield [part, *parts]

    def _one_piece(self, part: frozenset[int]) -> bool:
        return len(self.ground.pieces(part)) == 1

    def locks_kept(self, parts: list[frozenset[int]], names: tuple[int, ...]) -> bool:
        """Whether every locked unit is in the grid it is locked into."""
        return all(
            grid == self.ground.start[unit]
            for part, grid in zip(parts, names, strict=True)
            for unit in part
            if self.ground.locked[unit]
        )
