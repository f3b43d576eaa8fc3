"""The search behind :func:`geodata.redraw.heal.heal`: chains of transfers, fewest households first.

Best-first search (Hart, Nilsson & Raphael 1968) over plans near the given one: a grid that breaks the band gives
connected units to a neighbour, takes some, is split or merged; a neighbour that this breaks is mended next (ejection
chains: Glover 1996). What broken grids have too much or too little has to move at least and is the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count as counter
from time import monotonic
from typing import NamedTuple

import numpy as np

from geodata.redraw.ground import Ground, lay_out
from geodata.redraw.model import Instance, Ints
from geodata.redraw.tally import Tally, tally
from geodata.redraw.transfers import NEW, assign, beside, lacks, together, transfers

EXPANSIONS = 150  # plans looked at for the first cure
MORE = 30  # and for each one more
_SPARE = 3  # new grids a cure may need
_LOOKED = 400  # sets looked at for one pair of grids


#: Households above and below the band, of the grids that are not in it.
Lacking = dict[int, tuple[int, int]]


class Cure(NamedTuple):
    """Households that change grid, and the slot of each unit that does."""

    households: int
    moved: dict[int, int]


class Step(NamedTuple):
    """Units that go to the slot ``target``, and what is lacking then."""

    units: list[int]
    target: int
    lacking: Lacking


class Patient:
    """A plan in slots 0 .. k - 1 (``grids`` are their numbers), spare slots, and one for units in no grid."""

    def __init__(self, instance: Instance, plan: Ints) -> None:
        ground = lay_out(instance)
        self.grids = np.unique(plan[plan >= 0])
        k = len(self.grids)
        self.spare = list(range(k, k + _SPARE))
        nowhere = k + _SPARE
        label = np.where(plan >= 0, np.searchsorted(self.grids, plan), nowhere)
        shut = (plan < 0) | np.isin(plan, list(instance.closed))
        ends = np.repeat(np.arange(len(plan)), np.diff(ground.indptr))
        self.ground: Ground = ground._replace(open=ground.open & ~shut[ends] & ~shut[ground.other])
        self.label = label.astype(np.int64)
        self.households: list[int] = ground.households.tolist()
        self.state: Tally = tally(self.ground, self.label, nowhere + 1)
        self.everything = np.arange(k + _SPARE)
        many, few = lacks(self.ground, self.state, self.everything)
        self.lacking = {g: (int(many[g]), int(few[g])) for g in np.flatnonzero((many > 0) | (few > 0)).tolist()}

    def slot(self, grid: int) -> int:
        """The slot of ``grid``; raises ``KeyError`` for a number that the plan does not use."""
        at = int(np.searchsorted(self.grids, grid))
        if at == len(self.grids) or self.grids[at] != grid:
            raise KeyError(grid)
        return at

    def around(self, slot: int) -> list[int]:
        """Grids beside ``slot`` over open borders."""
        found = beside(self.ground, self.state, np.flatnonzero(self.state.label == slot))
        return [int(g) for g in found if g != slot]

    def broken(self, slot: int) -> bool:
        """Whether a grid is out of the band by more than a unit above the maximum, or in pieces."""
        return slot in self.lacking or len(self._pieces(slot)) > 1

    def cures(self, broken: list[int], count: int, expansions: int = EXPANSIONS, until: float = math.inf) -> list[Cure]:
        """Up to ``count`` ways to mend all of ``broken``, fewest households first, no two of them in the same grids.

        ``until``: when to end at the latest (:func:`time.monotonic`).
        """
        ragged = [g for g in broken if len(self._pieces(g)) > 1]
        order = counter()
        lacking = {g: self.lacking[g] for g in broken if g in self.lacking}
        least = _estimate(lacking)
        heap = [(least, least, next(order), Cure(0, {}), Step([], NEW, lacking))]
        seen: set[frozenset[tuple[int, int]]] = set()
        found: list[Cure] = []
        drawn: set[frozenset[tuple[int, ...]]] = set()
        others: list[Cure] = []
        while heap and expansions and len(found) < count and monotonic() < until:
            _, _, _, parent, (moving, goal, lacking) = heappop(heap)
            cure = self._with(parent, moving, goal)
            key = frozenset(cure.moved.items())
            if key in seen:
                continue
            seen.add(key)
            expansions -= 1
            units, slots = _columns(cure.moved)
            assign(self.ground, self.state, units, slots)
            torn = [g for g in ragged if len(self._pieces(g)) > 1]
            if lacking or torn:
                for step in self._steps(lacking, torn, set(broken)):
                    least = _estimate(step.lacking)
                    heappush(heap, (self._cost(cure, step) + least, least, next(order), cure, step))
            elif (plan := self._drawn(cure)) not in drawn and not any(_holds(one, cure) for one in found + others):
                drawn.add(plan)
                same = any(self._touched(one) == self._touched(cure) for one in found)
                (others if same else found).append(cure)
                expansions = min(expansions, MORE * count)
            assign(self.ground, self.state, units, self.label[units])
        return (found + others)[:count]

    def _steps(self, lacking: Lacking, torn: list[int], broken: set[int]) -> Iterator[Step]:
        """Transfers that mend one of the grids that still lack something, or bring it nearer."""
        state = self.state
        if torn:
            for piece in self._pieces(torn[0])[1:]:
                for b in beside(self.ground, state, piece).tolist():
                    if b != torn[0] and not self.ground.held[piece].any():
                        yield self._after(piece, b, lacking, torn[0])
            return
        x = max(lacking, key=lambda g: (g not in broken, *lacking[g], -g))
        members = np.flatnonzero(state.label == x)
        many, few = lacking[x]
        partners = [g for g in beside(self.ground, state, members).tolist() if g != x]
        mine = int(state.households[x])
        for y in partners:
            theirs = np.flatnonzero(state.label == y)
            if many:
                yield from self._given(lacking, members, x, y, True, mine)
            if few:
                most = int(self.ground.high[state.group[x]]) - mine
                yield from self._given(lacking, theirs, y, x, False, most)
                rest = {g: what for g, what in lacking.items() if g not in (x, y)}
                for units, a, b in ((members, x, y), (theirs, y, x)):
                    if not state.held[a]:
                        many_b, few_b = together(self.ground, state, a, b)
                        yield Step(units.tolist(), b, rest | _some(b, many_b, few_b))
        empty = [g for g in self.spare if not state.size[g]]
        if many and empty:
            most = min(mine // 2, mine - int(self.ground.low[state.group[x]]))
            yield from self._given(lacking, members, x, NEW, True, most, empty[0])

    def _given(
        self, lacking: Lacking, members: Ints, a: int, b: int, give: bool, most: int, into: int | None = None
    ) -> Iterator[Step]:
        """Some of ``members`` of ``a`` handed to ``b``."""
        found = transfers(self.ground, self.state, members, a, b, give, most, _LOOKED)
        b, nodes = b if into is None else into, found.node.tolist()
        for at in range(len(found.units)):
            bits = int(found.units[at])
            units = [u for u, node in zip(members.tolist(), nodes, strict=True) if bits >> node & 1]
            then = dict(lacking)
            for side, g in enumerate((a, b)):
                then.pop(g, None)
                then |= _some(g, int(found.many[at, side]), int(found.few[at, side]))
            yield Step(units, b, then)

    def _after(self, units: Ints, b: int, lacking: Lacking, a: int) -> Step:
        """``units`` of ``a`` handed to ``b``; what is lacking then is found by doing it."""
        assign(self.ground, self.state, units, np.full(len(units), b))
        many, few = lacks(self.ground, self.state, np.array([a, b]))
        assign(self.ground, self.state, units, np.full(len(units), a))
        then = {g: what for g, what in lacking.items() if g not in (a, b)}
        then |= _some(a, int(many[0]), int(few[0])) | _some(b, int(many[1]), int(few[1]))
        return Step(units.tolist(), b, then)

    def _cost(self, cure: Cure, step: Step) -> int:
        """Households of ``cure`` with ``step``."""
        if cure.moved.keys().isdisjoint(step.units):
            return cure.households + sum(map(self.households.__getitem__, step.units))
        return self._with(cure, step.units, step.target).households

    def _with(self, cure: Cure, units: list[int], b: int) -> Cure:
        moved = cure.moved | dict.fromkeys(units, b)
        moved = {u: g for u, g in moved.items() if self.label[u] != g}
        return Cure(int(self.ground.households[list(moved)].sum()), moved)

    def _touched(self, cure: Cure) -> frozenset[int]:
        return frozenset(cure.moved.values()) | frozenset(self.label[list(cure.moved)].tolist())

    def _drawn(self, cure: Cure) -> frozenset[tuple[int, ...]]:
        """The units of each grid touched, whatever its number."""
        held = [tuple(np.flatnonzero(self.state.label == g).tolist()) for g in self._touched(cure)]
        return frozenset(one for one in held if one)

    def _pieces(self, slot: int) -> list[Ints]:
        """Pieces of a grid over open borders, most households first."""
        ground, label = self.ground, self.state.label
        left = set(np.flatnonzero(label == slot).tolist())
        pieces = []
        while left:
            edge = [left.pop()]
            piece = list(edge)
            while edge:
                u = edge.pop()
                row = slice(ground.indptr[u], ground.indptr[u + 1])
                new = left.intersection(ground.other[row][ground.open[row]].tolist())
                left -= new
                edge += new
                piece += new
            pieces.append(np.array(sorted(piece), dtype=np.int64))
        held, households = ground.held, ground.households
        return sorted(pieces, key=lambda one: (-int(held[one].sum()), -int(households[one].sum()), int(one[0])))


def _estimate(lacking: Lacking) -> int:
    """Households that still have to move, near enough: one that leaves a full grid can fill an empty one."""
    return max(sum(many for many, _ in lacking.values()), sum(few for _, few in lacking.values()))


def _some(g: int, many: int, few: int) -> Lacking:
    return {g: (many, few)} if many or few else {}


def _holds(small: Cure, large: Cure) -> bool:
    """Whether ``large`` does all that ``small`` does, and more that is not needed."""
    return small.moved.items() <= large.moved.items()


def _columns(moved: dict[int, int]) -> tuple[Ints, Ints]:
    return np.array(list(moved), dtype=np.int64), np.array(list(moved.values()), dtype=np.int64)
