"""One grid into two that fit: both in one piece, in the band if that can be, else as near to it as any two.

Up to 64 units the best of all connected halves is found (:mod:`geodata.redraw.halves`), unless that takes too long.
Larger grids are cut straight across, and along random spanning trees, where every edge of a tree is a way to part it
(ReCom: DeFord, Duchin & Solomon 2021); the best of these cuts are bettered unit by unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from geodata.adjacency import components
from geodata.errors import GeodataError
from geodata.redraw.bits import MOST, NONE, bit, full
from geodata.redraw.ground import COMPACTNESS, COMPOUNDS, Ground, lay_out
from geodata.redraw.halves import halve
from geodata.redraw.measure import breaks, polsby_popper
from geodata.redraw.model import Bools, Floats, Instance, Ints
from geodata.redraw.patch import cut_out
from geodata.redraw.resplit_kernels import lowest_price, present

BRANCHES = 100_000  # of the exact search; about a tenth of a second
_TREES, _TREE_CELLS = 40, 4_000_000
_FLIPS = 300
_ANGLES, _PLACES = 16, 64
_STRAIGHT = 20  # straight cuts looked at until one leaves both parts whole
_LESS = 1e-9


@dataclass(frozen=True, slots=True)
class Parted:
    """Units (ascending) of the part that stays, which holds more households, and of the other; ``exact``: proved best.

    Best is what the score says: fewest breaks of the band, fewest households outside it, then shapes, borders,
    compounds.
    """

    stays: Ints
    leaves: Ints
    exact: bool


def part_in_two(instance: Instance, plan: Ints, grid: int, *, branches: int = BRANCHES, seed: int = 1) -> Parted:
    """Part ``grid`` of ``plan`` (n,) in two. What it costs that households change grid does not count.

    Of a grid in two pieces, these are the parts. Raises ``KeyError`` for a grid that the plan does not have,
    ``GeodataError`` REDRAW_HALVE_ONE (a single unit) or REDRAW_HALVE_PIECES (in more than two).
    """
    ground = lay_out(instance.with_weights(moved=0.0))
    units = np.flatnonzero(plan == grid)
    if not len(units):
        raise KeyError(grid)
    if len(units) == 1:
        raise GeodataError("REDRAW_HALVE_ONE")
    work = _Work(ground, units)
    piece = components(len(units), work.a[work.open], work.b[work.open])
    pieces = len(np.unique(piece))
    if pieces > 2:
        raise GeodataError("REDRAW_HALVE_PIECES", pieces=pieces)
    if pieces == 2:
        return _parted(ground, units, piece != piece[0], True)
    begun = [work.best_tree_cut(np.random.default_rng(seed)), *work.straight_cuts()]
    side = work.best([work.bettered(one) for one in begun])
    exact = False
    if len(units) <= MOST:
        side, exact = _exact(ground, units, plan, grid, side, branches)
    return _parted(ground, units, side, exact)


def _parted(ground: Ground, units: Ints, side: Bools, exact: bool) -> Parted:
    households = ground.households[units]
    if households[side].sum() > households[~side].sum():
        side = ~side
    return Parted(units[~side], units[side], exact)


def _exact(ground: Ground, units: Ints, plan: Ints, grid: int, side: Bools, branches: int) -> tuple[Bools, bool]:
    """The best halves if they are found within ``branches``, at least as good as ``side`` (m,)."""
    new = max(int(plan.max()), int(ground.start.max(initial=-1))) + 1
    label = plan.copy()
    label[units[side]] = new
    names, none = np.array([grid, new], dtype=np.int64), np.zeros(0, dtype=np.int64)
    place = np.full(len(plan), -1, dtype=np.int64)
    unit, second, done = halves_of(ground, units, names, np.zeros(new + 1, dtype=bool), none, place, label, branches)
    found = np.zeros(len(units), dtype=bool)
    found[np.searchsorted(units, unit)] = second
    return found, bool(done)


@njit(cache=True, nogil=True)
def halves_of(ground, units, names, free, spare, place, label, cap):  # type: ignore[no-untyped-def]
    """The best two parts of ``units``, none worse than what ``label`` says: units, which are in the second, proved."""
    patch = cut_out(ground, units, names, free, spare, place)
    best = halve(patch, full(len(patch.unit)), NONE, lowest_price(patch), present(patch, label), cap)
    second = np.zeros(len(patch.unit), dtype=np.bool_)
    for q in range(len(second)):
        second[q] = best.b & bit(q) != NONE
    return patch.unit, second, best.done


class _Work:
    """The m ``units`` of one grid and the p pairs ``a``, ``b`` that touch; sets of units are rows of booleans."""

    def __init__(self, ground: Ground, units: Ints) -> None:
        place = np.full(len(ground.households), -1, dtype=np.int64)
        place[units] = np.arange(len(units))
        ends = np.repeat(np.arange(len(place)), np.diff(ground.indptr))
        mine = (place[ends] >= 0) & (place[ground.other] > place[ends])
        self.a, self.b = place[ends[mine]], place[ground.other[mine]]
        self.length_m, self.cut, self.open = ground.length_m[mine], ground.cut_cost[mine], ground.open[mine]
        self.ground, self.units = ground, units
        compound = ground.compound[units]
        known, slot = np.unique(compound, return_inverse=True)
        self.compound = (slot[:, None] == np.flatnonzero(known >= 0)[None, :]).astype(np.float64)

    def best_tree_cut(self, rng: np.random.Generator) -> Bools:
        """The best part (m,) that one edge of some random trees cuts off."""
        best: tuple[tuple[float, float, float], Bools] | None = None
        for _ in range(max(3, min(_TREES, _TREE_CELLS // (len(self.units) * len(self.a))))):
            below = self._below(rng)
            excess, outside, cost = self.rate(below)
            at = int(np.lexsort((cost, outside, excess))[0])
            key = (float(excess[at]), float(outside[at]), float(cost[at]))
            if best is None or key < best[0]:
                best = key, below[at]
        assert best is not None
        return best[1]

    def straight_cuts(self) -> list[Bools]:
        """The best straight cut that leaves both parts whole, if one of the first few does."""
        at = np.linspace(0, np.pi, _ANGLES, endpoint=False)
        along = np.stack([self.ground.x_m[self.units], self.ground.y_m[self.units]], axis=1) @ [np.cos(at), np.sin(at)]
        rank = along.argsort(axis=0).argsort(axis=0)
        first = np.unique(np.linspace(1, len(self.units) - 1, _PLACES).astype(np.int64))
        sides = (rank.T[:, None, :] < first[None, :, None]).reshape(-1, len(self.units))
        excess, outside, cost = self.rate(sides)
        found = np.lexsort((cost, outside, excess))[:_STRAIGHT]
        return next(([sides[one]] for one in found if self._whole(sides[one])), [])

    def best(self, sides: list[Bools]) -> Bools:
        """The best of some parts (m,)."""
        keys = self._keys(np.array(sides))
        return sides[min(range(len(sides)), key=keys.__getitem__)]

    def _below(self, rng: np.random.Generator) -> Bools:
        """What hangs on each node but the root of a random spanning tree (m - 1, m)."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

        m = len(self.units)
        ways = (self.a[self.open], self.b[self.open])
        tree = minimum_spanning_tree(coo_array((rng.uniform(1, 2, len(ways[0])), ways), shape=(m, m)).tocsr())
        order, above = breadth_first_order(tree, int(rng.integers(m)), directed=False)
        below = np.eye(m, dtype=bool)
        for node in order[:0:-1]:
            below[above[node]] |= below[node]
        return np.asarray(below[order[1:]], dtype=bool)

    def rate(self, sides: Bools) -> tuple[Ints, Floats, Floats]:
        """Excess, households outside and cost (k,) of parting the grid in each of ``sides`` (k, m) and the rest."""
        across = sides[:, self.a] != sides[:, self.b]
        cost = across @ self.cut
        excess, outside = np.zeros(len(sides), dtype=np.int64), np.zeros(len(sides))
        ground, units = self.ground, self.units
        group = int(ground.group[units[0]])
        low, high = ground.low[group], ground.high[group]
        people_low, people_high = ground.people_low[group], ground.people_high[group]
        for part in (sides, ~sides):

            def total(values: Ints | Floats, part: Bools = part) -> Floats:
                return np.asarray(part @ values[units].astype(np.float64), dtype=np.float64)

            h, p = total(ground.households), total(ground.population)
            over_h = np.maximum(h - high - total(ground.over_h), 0).astype(np.int64)
            over_p = np.maximum(p - people_high - total(ground.over_p), 0).astype(np.int64)
            excess += breaks((h < low) | (p < people_low), over_h, high, over_p, people_high)
            outside += np.maximum(np.maximum(low - h, h - high), 0)
            outside += np.maximum(np.maximum(people_low - p, p - people_high), 0) * ground.person
            inside_m = (part[:, self.a] & part[:, self.b]) @ self.length_m
            shape = polsby_popper(total(ground.area_m2), total(ground.perimeter_m) - 2 * inside_m)
            cost -= ground.weights[COMPACTNESS] * shape
        held = sides @ self.compound
        torn = (held > 0) & (held < self.compound.sum(axis=0))
        return excess, outside, np.asarray(cost + ground.weights[COMPOUNDS] * torn.sum(axis=1), dtype=np.float64)

    def bettered(self, side: Bools) -> Bools:
        """``side`` (m,) after moving single units across as long as that is better and leaves both parts whole."""
        key = self._keys(side[None])[0]
        for _ in range(_FLIPS):
            across = self.open & (side[self.a] != side[self.b])
            ends = np.unique(np.concatenate([self.a[across], self.b[across]]))
            sides = np.repeat(side[None], len(ends), axis=0)
            sides[np.arange(len(ends)), ends] ^= True
            keys = self._keys(sides)
            better = (at for at in sorted(range(len(ends)), key=keys.__getitem__) if _less(keys[at], key))
            chosen = next((at for at in better if self._whole(sides[at])), None)
            if chosen is None:
                break
            side, key = sides[chosen], keys[chosen]
        return side

    def _keys(self, sides: Bools) -> list[tuple[float, float, float]]:
        return list(zip(*(one.tolist() for one in self.rate(sides)), strict=True))

    def _whole(self, side: Bools) -> bool:
        same = self.open & (side[self.a] == side[self.b])
        piece = components(len(side), self.a[same], self.b[same])
        return len(np.unique(piece)) == 2 and bool(side.any()) and not side.all()


def _less(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    if one[0] != other[0]:
        return one[0] < other[0]
    return one[1] < other[1] - _LESS or (abs(one[1] - other[1]) <= _LESS and one[2] < other[2] - _LESS)


def beside_line(points: Floats, line: Floats) -> Bools:
    """Which of ``points`` (k, 2) are on one side of the polyline ``line`` (v, 2), gone on straight at both ends.

    Where the line crosses itself, sides change with every crossing. Coordinates are any plane ones, lon/lat too.
    """
    middle = np.concatenate([points, line]).mean(axis=0)
    points, line = points - middle, line - middle
    step = np.flatnonzero(np.any(np.diff(line, axis=0) != 0, axis=1))
    if not len(step):
        return np.zeros(len(points), dtype=bool)
    far = 10 * float(np.abs(np.concatenate([points, line])).max())
    first, last = line[step[0]] - line[step[0] + 1], line[step[-1] + 1] - line[step[-1]]
    ends = [line[at] + way / np.hypot(*way) * far * 4 for at, way in ((0, first), (-1, last))]
    start, end = (np.arctan2(one[1], one[0]) for one in ends[::-1])
    round_ = np.linspace(start, start + (end - start) % (2 * np.pi), 64)
    circle = np.stack([np.cos(round_), np.sin(round_)], axis=1) * np.hypot(*np.array(ends).T).max()
    ring = np.concatenate([ends[:1], line, ends[1:], circle])
    x, y = points.T[:, :, None]
    (ax, ay), (bx, by) = ring.T, np.roll(ring, -1, axis=0).T
    cut = (ay > y) != (by > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = ax + (y - ay) / (by - ay) * (bx - ax)
    return np.asarray((cut & (x < at)).sum(axis=1) % 2 == 1, dtype=bool)
