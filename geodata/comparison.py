"""Two plans over the same pieces of ground: which grid became which, and what changed hands.

Everything is counted on pieces that lie whole in one grid (or none) of either plan. **Which became which**: two grids
that bear the same code, unique in both plans, are one and the same unless both have ground and share none of it.
The others are paired by their largest common number of households (then area, then lower rows), the greatest first,
each grid once. What is left over is new (in B) or gone (in A). Pure arrays; metres nowhere needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A piece that is in no grid, and one that the plan does not hold at all.
NONE, ABSENT = -1, -2


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of ground (p,): row of the grid in plan A and in plan B (:data:`NONE`, :data:`ABSENT`), counts, area."""

    grid_a: Ints
    grid_b: Ints
    households: Ints
    population: Ints
    area_m2: Floats

    @property
    def compared(self) -> Bools:
        """(p,) pieces that both plans hold."""
        both: Bools = (self.grid_a != ABSENT) & (self.grid_b != ABSENT)
        return both


@dataclass(frozen=True, slots=True)
class Flows:
    """What changed: ``became`` (a,) row in B of each grid of A, ``was`` (b,) the other way round, -1 none.

    Pieces (p,): ``moved`` from one grid to another that is not its successor, ``assigned`` from none to one,
    ``unassigned`` from one to none. ``left`` (a,) and ``came`` (b,): households; ``left_n``, ``came_n``: pieces.
    """

    became: Ints
    was: Ints
    moved: Bools
    assigned: Bools
    unassigned: Bools
    left: Ints
    came: Ints
    left_n: Ints
    came_n: Ints

    @property
    def changed(self) -> Bools:
        """(p,) pieces that changed hands in any way."""
        return self.moved | self.assigned | self.unassigned


def flows(pieces: Pieces, codes_a: Sequence[str], codes_b: Sequence[str]) -> Flows:
    """Pair the grids of two plans by the module's rule, and say which pieces changed hands."""
    became, was = _pair(pieces, codes_a, codes_b)
    held_a, held_b, both = pieces.grid_a >= 0, pieces.grid_b >= 0, pieces.compared
    successor = np.append(became, NONE)[np.where(held_a, pieces.grid_a, -1)]
    moved = held_a & held_b & (successor != pieces.grid_b)
    assigned, unassigned = both & ~held_a & held_b, both & held_a & ~held_b
    out, into = moved | unassigned, moved | assigned
    return Flows(
        became,
        was,
        moved,
        assigned,
        unassigned,
        left=_sums(pieces.grid_a[out], pieces.households[out], len(codes_a)),
        came=_sums(pieces.grid_b[into], pieces.households[into], len(codes_b)),
        left_n=_sums(pieces.grid_a[out], np.ones(int(out.sum()), np.int64), len(codes_a)),
        came_n=_sums(pieces.grid_b[into], np.ones(int(into.sum()), np.int64), len(codes_b)),
    )


def _held(grid: Ints, codes: Sequence[str]) -> Bools:
    """Which grids have ground."""
    held = np.zeros(len(codes), dtype=bool)
    held[grid[grid >= 0]] = True
    return held


def _sums(group: Ints, values: Ints, count: int) -> Ints:
    return np.bincount(group, values, count).astype(np.int64)


def _pair(pieces: Pieces, codes_a: Sequence[str], codes_b: Sequence[str]) -> tuple[Ints, Ints]:
    n_b = max(len(codes_b), 1)
    became, was = np.full(len(codes_a), NONE, np.int64), np.full(len(codes_b), NONE, np.int64)
    both = (pieces.grid_a >= 0) & (pieces.grid_b >= 0)
    keys, at = np.unique(pieces.grid_a[both] * n_b + pieces.grid_b[both], return_inverse=True)
    households = np.bincount(at, pieces.households[both], len(keys))
    area_m2 = np.bincount(at, pieces.area_m2[both], len(keys))
    times_a, times_b = Counter(codes_a), Counter(codes_b)
    row_b = {code: b for b, code in enumerate(codes_b) if times_b[code] == 1}
    named = [(a, row_b[code]) for a, code in enumerate(codes_a) if code in row_b and times_a[code] == 1]
    a, b = np.array(named, dtype=np.int64).reshape(-1, 2).T
    share_or_lack = np.isin(a * n_b + b, keys) | ~_held(pieces.grid_a, codes_a)[a] | ~_held(pieces.grid_b, codes_b)[b]
    a, b = a[share_or_lack], b[share_or_lack]
    became[a], was[b] = b, a
    a, b = np.divmod(keys, n_b)
    left = np.flatnonzero((became[a] == NONE) & (was[b] == NONE))
    order = left[np.lexsort((keys[left], -area_m2[left], -households[left]))]
    for i, j in zip(a[order].tolist(), b[order].tolist(), strict=True):
        if became[i] == NONE and was[j] == NONE:
            became[i], was[j] = j, i
    return became, was


def apportioned(total: int, weights: Floats) -> Ints:
    """``total`` in whole parts by ``weights`` (n,), not all zero: largest remainders first, so that it adds up."""
    exact = total * weights / weights.sum()
    parts: Ints = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: total - int(parts.sum())]] += 1
    return parts
