"""Units in no grid go to a grid beside them, one after the other: what the band likes best first, then shape.

No grid is filled above its maximum, but by what is left over at the end and is too little for a grid of its own. Ground
where nobody lives goes as one piece with the grid it has the longest border with. Placed units stay placed (greedy).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from geodata.adjacency import components
from geodata.redraw.filling import Candidate, Filling
from geodata.redraw.model import Instance, Ints


@dataclass(frozen=True, slots=True)
class Left:
    """A unit that found no grid, and the code of the sentence that says why (``REDRAW_FILL_*``)."""

    unit: int
    code: str


@dataclass(frozen=True, slots=True)
class Filled:
    """``plan`` (n,) after; ``units`` (k,) in the order in which they were placed; what was ``left``, by unit."""

    plan: Ints
    units: Ints
    left: tuple[Left, ...]


def fill(instance: Instance, plan: Ints) -> Filled:
    """Place the units that ``plan`` (n,) has in no grid (-1); the others stay where they are.

    A unit joins a grid of its group over an open border, so no grid comes to be in more pieces, and closed grids take
    none. Left are ``REDRAW_FILL_ENOUGH`` (beside full grids, and enough for a grid of its own), ``_CLOSED`` (beside
    closed grids alone), ``_CUT_OFF`` (grids are beyond a barrier) and ``_ALONE`` (beside no grid).
    """
    work = Filling(instance, plan)
    placed: list[int] = []
    queue = _Queue(work)
    queue.add(work.loose())
    spill: set[int] | None = None
    while True:
        found = queue.next(spill)
        if found is None:
            pocket = work.best_pocket()
            if pocket is None:
                if spill is not None:
                    break
                spill = _little(instance, work)
                queue.add(sorted(spill))
                continue
            units, grid = pocket
        else:
            units, grid = [found.unit], found.grid
        work.place(units, grid)
        placed += units
        queue.add(work.stale(units, grid))
    return Filled(work.plan.copy(), np.array(placed, dtype=np.int64), tuple(_why(instance, work)))


class _Queue:
    """Candidates, best first; one that was pushed again since is out of date."""

    def __init__(self, work: Filling) -> None:
        self.work = work
        self.heap: list[tuple[Candidate, int]] = []
        self.newest: dict[tuple[int, int], int] = {}
        self.count = 0

    def add(self, units: list[int]) -> None:
        """Weigh the ways of ``units`` (inhabited ones) anew."""
        for unit in units:
            for found in self.work.ways(unit):
                self.count += 1
                self.newest[unit, found.grid] = self.count
                heappush(self.heap, (found, self.count))

    def next(self, spill: set[int] | None) -> Candidate | None:
        """The best candidate that fills no grid above its maximum, or is of ``spill``."""
        while self.heap:
            found, number = heappop(self.heap)
            known = self.newest.get((found.unit, found.grid)) == number and self.work.plan[found.unit] < 0
            if known and (not found.over or (spill is not None and found.unit in spill)):
                return found
        return None


def _little(instance: Instance, work: Filling) -> set[int]:
    """Units of what is left in pieces that are too small for a grid of their own."""
    units = instance.units
    rest = work.plan < 0
    inner = rest[work.i] & rest[work.j] & work.open
    piece = components(len(rest), work.i[inner], work.j[inner])
    held = np.bincount(piece, np.where(rest, units.households, 0))
    low = np.array([band.households_min for band in instance.bands])[units.kind]
    return set(np.flatnonzero(rest & (held[piece] < np.maximum(low, 1))).tolist())


def _why(instance: Instance, work: Filling) -> list[Left]:
    """The reason of each unit that is left, by what its piece of left ground borders on."""
    rest, closed = work.plan < 0, np.isin(work.plan, list(instance.closed))
    i, j = np.concatenate([work.i, work.j]), np.concatenate([work.j, work.i])
    open_ = np.tile(work.open, 2)
    inner = rest[work.i] & rest[work.j]
    piece = components(len(rest), work.i[inner], work.j[inner])
    edge = rest[i] & ~rest[j]
    beside = {
        "REDRAW_FILL_ENOUGH": edge & open_ & ~closed[j],
        "REDRAW_FILL_CUT_OFF": edge & ~open_ & ~closed[j],
        "REDRAW_FILL_CLOSED": edge & closed[j],
    }
    touching = {code: set(piece[i[which]].tolist()) for code, which in beside.items()}
    return [
        Left(unit, next((code for code, pieces in touching.items() if piece[unit] in pieces), "REDRAW_FILL_ALONE"))
        for unit in np.flatnonzero(rest).tolist()
    ]
