"""The open graph and the band in plain lists and integers: what the search for proofs walks on."""

from __future__ import annotations

import heapq

import numpy as np

from geodata.redraw.measure import surplus
from geodata.redraw.model import NO_LIMIT, Band, Instance
from geodata.redraw.pockets import open_borders


class Terrain:
    """The open graph in plain lists: what the search walks on.

    ``counts`` of a unit: households, people, and both without what the unit alone has above the maximum. With
    ``empty_free`` units that count nothing are taken out and everyone may walk over them, any number of grids at once:
    fewer sets to look at, and a bound that still holds, as it allows more than the rules do.
    """

    def __init__(self, instance: Instance, empty_free: bool = False) -> None:
        units = instance.units
        over_h, over_p = surplus(instance)
        free = ~instance.in_closed()
        self.counts: list[tuple[int, int, int, int]] = list(
            zip(
                units.households.tolist(),
                units.population.tolist(),
                (units.households - over_h).tolist(),
                (units.population - over_p).tolist(),
                strict=True,
            )
        )
        self.bands = [instance.bands[kind] for kind in units.kind.tolist()]
        self.empty = [
            h == 0 and (p == 0 or not bounded(band)) for (h, p, _, _), band in zip(self.counts, self.bands, strict=True)
        ]
        self.near: list[set[int]] = [set() for _ in range(len(units))]
        open_ = open_borders(instance)
        for a, b in zip(units.borders.i[open_].tolist(), units.borders.j[open_].tolist(), strict=True):
            self.near[a].add(b)
            self.near[b].add(a)
        if empty_free:
            self._walk_over_empty()
        self.lock: list[int] = np.where(instance.locked & free, instance.start, -1).tolist()
        self.locked: dict[int, list[int]] = {}
        for unit, label in enumerate(self.lock):
            if label >= 0 and not (empty_free and self.empty[unit]):
                self.locked.setdefault(label, []).append(unit)

    def _walk_over_empty(self) -> None:
        seen: set[int] = set()
        for unit in [u for u, empty in enumerate(self.empty) if empty]:
            if unit in seen:
                continue
            waiting, shore = [unit], set[int]()
            seen.add(unit)
            while waiting:
                for other in self.near[waiting.pop()]:
                    if not self.empty[other]:
                        shore.add(other)
                    elif other not in seen:
                        seen.add(other)
                        waiting.append(other)
            for one in shore:
                self.near[one] |= shore - {one}
        for unit, empty in enumerate(self.empty):
            self.near[unit] = set() if empty else {other for other in self.near[unit] if not self.empty[other]}

    def ball(self, core: list[int], households: int) -> dict[int, int]:
        """Units that a connected set of at most ``households`` can reach from ``core``, with the fewest it needs."""
        found: dict[int, int] = {}
        heap = [(self.counts[unit][2], unit) for unit in core]
        heapq.heapify(heap)
        while heap:
            far, unit = heapq.heappop(heap)
            if unit in found or far > households:
                continue
            found[unit] = far
            for other in self.near[unit]:
                if other not in found:
                    heapq.heappush(heap, (far + self.counts[other][2], other))
        return found

    def moat(self, core: list[int], breaks: int) -> dict[int, int]:
        """Households by unit that a grid has to hold to get away from ``core``: more than ``breaks`` maxima in all.

        A unit counts for the part of it that lies nearer to the core than that, counted in households on the way. Where
        moats of several cores take no unit's households twice, and no core lies in the moat of another, a grid that
        touches them all breaks the band as often as all of them ask for: their breaks add up (moat packing; Goemans &
        Williamson 1995).
        """
        width = breaks * self.bands[core[0]].households_max + 1
        whole = self.ball(core, width - 1)
        before = {unit: far - self.counts[unit][2] for unit, far in whole.items()}
        for unit in whole:
            for other in self.near[unit]:
                if other not in whole:
                    before[other] = min(before.get(other, width), whole[unit])
        before |= dict.fromkeys(core, 0)
        return {unit: min(self.counts[unit][2], width - far) for unit, far in before.items()}


def bounded(band: Band) -> bool:
    """Whether the band bounds people at all."""
    return band.population_min > 0 or band.population_max < NO_LIMIT


def breaks_of(h: int, p: int, counted_h: int, counted_p: int, band: Band) -> int:
    """How many grids' worth of break a grid with these counts is (see ``measure.breaks``), in plain integers."""
    over = max(
        -(-(counted_h - band.households_max) // band.households_max),
        -(-(counted_p - band.population_max) // max(band.population_max, 1)),
        0,
    )
    return max(over, int(h < band.households_min or p < band.population_min))


def has_room(terrain: Terrain, unit: int) -> bool:
    """Whether a grid of the band around ``unit`` is found at once, by adding the largest neighbour that fits."""
    band, held, lock = terrain.bands[unit], {unit}, terrain.lock
    h, p, counted_h, counted_p = terrain.counts[unit]
    edge = set(terrain.near[unit])
    while lock[unit] < 0 and breaks_of(h, p, counted_h, counted_p, band):
        room_h, room_p = band.households_max - counted_h, band.population_max - counted_p
        edge = {
            other
            for other in edge
            if lock[other] < 0 and terrain.counts[other][2] <= room_h and terrain.counts[other][3] <= room_p
        }
        if not edge:
            return False
        largest = max(edge, key=lambda other: (terrain.counts[other][2], -other))
        held.add(largest)
        edge = (edge | terrain.near[largest]) - held
        more = terrain.counts[largest]
        h, p, counted_h, counted_p = h + more[0], p + more[1], counted_h + more[2], counted_p + more[3]
    return lock[unit] < 0
