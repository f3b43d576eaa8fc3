"""Locked units that today's plan leaves in pieces: ways that join them, so that a search can begin with whole grids."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from geodata.adjacency import components
from geodata.errors import GeodataError
from geodata.redraw.model import Bools, Instance, Ints
from geodata.redraw.pockets import open_borders

_TRIES = 12


def join_locked(instance: Instance, plan: Ints) -> Ints | None:
    """``plan`` (n,) with the locked units of each grid in one piece; None where they are already.

    Grids are joined one after the other by the way with the fewest households that change grid (Dijkstra 1959), past
    locked units and ways of others; if the last finds no way left, another order is tried. Raises
    ``REDRAW_LOCK_TANGLED`` where no order leads anywhere.
    """
    tangle = _Tangle(instance, plan)
    if not len(tangle.apart(plan)):
        return None
    rng = np.random.default_rng(0)
    for turn in range(_TRIES):
        made = tangle.joined(rng if turn else None)
        if made is not None:
            return made
    grid = int(tangle.apart(plan)[0])
    row = int(np.flatnonzero(tangle.held & (instance.start == grid))[0])
    raise GeodataError("REDRAW_LOCK_TANGLED", row=row, grid=grid)


class _Tangle:
    """Units (n,) with ``near``, their neighbours over open borders; ``held``: locked ones outside closed grids."""

    def __init__(self, instance: Instance, plan: Ints) -> None:
        borders, open_ = instance.units.borders, open_borders(instance)
        self.i, self.j = borders.i[open_], borders.j[open_]
        self.start, self.plan = instance.start, plan
        self.held: Bools = instance.locked & ~instance.in_closed()
        self.households: list[int] = instance.units.households.tolist()
        self.near: list[list[int]] | None = None

    def pieces(self, plan: Ints) -> Ints:
        """Piece (n,) of each unit: of its grid, over open borders."""
        same = (plan[self.i] == plan[self.j]) & (plan[self.i] >= 0)
        return components(len(plan), self.i[same], self.j[same])

    def apart(self, plan: Ints) -> Ints:
        """Grids whose locked units lie in several pieces, ascending."""
        pairs = np.unique(np.stack([self.start[self.held], self.pieces(plan)[self.held]]), axis=1)
        grid, pieces = np.unique(pairs[0], return_counts=True)
        return np.asarray(grid[pieces > 1], dtype=np.int64)

    def joined(self, rng: np.random.Generator | None) -> Ints | None:
        """The plan with all locked units joined, None where a grid finds no way; ``rng`` shuffles the order."""
        plan = self.plan.copy()
        owner = np.where(self.held, self.start, -1)  # of units that no other grid may take
        while len(grids := self.apart(plan)):
            if rng is not None:
                grids = rng.permutation(grids)
            for grid in grids.tolist():
                while (way := self._way(plan, owner, grid)) != []:
                    if way is None:
                        return None
                    plan[way], owner[way] = grid, grid
        return plan

    def _way(self, plan: Ints, owner: Ints, grid: int) -> list[int] | None:
        """Units from one locked piece of ``grid`` to another; empty if there is one piece, None if there is no way."""
        piece = self.pieces(plan)
        held = np.flatnonzero(self.held & (self.start == grid))
        goals = set(held[piece[held] != piece[held[0]]].tolist())
        if not goals:
            return []
        near = self._near()
        before: dict[int, int] = {}
        heap = [(0, unit, -1) for unit in held[piece[held] == piece[held[0]]].tolist()]
        while heap:
            cost, unit, last = heappop(heap)
            if unit in before:
                continue
            before[unit] = last
            if unit in goals:
                way = [unit]
                while (last := before[way[-1]]) >= 0:
                    way.append(last)
                return way
            for other in near[unit]:
                if other not in before and owner[other] in (-1, grid):
                    more = 0 if plan[other] == grid else 1 + self.households[other]
                    heappush(heap, (cost + more, other, unit))
        return None

    def _near(self) -> list[list[int]]:
        if self.near is None:
            self.near = [[] for _ in self.households]
            for one, other in zip(self.i.tolist(), self.j.tolist(), strict=True):
                self.near[one].append(other)
                self.near[other].append(one)
        return self.near
