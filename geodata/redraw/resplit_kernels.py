"""Sets of touching grids, each re-split exactly on a copy of the plan; what was found is written down, not applied.

Nothing here changes the plan, so that any number of threads may work on parts of the list at once, and the answer does
not depend on how many there are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.bits import MOST, NONE, bit
from geodata.redraw.ground import Ground
from geodata.redraw.halves import Split, better, halve, name_two, rate
from geodata.redraw.model import Bools, Ints
from geodata.redraw.patch import Patch, cut_out, saved

PROVED, BETTER, OPEN = 0, 1, 2


class Findings(NamedTuple):
    """Per set of grids (k,): ``status``; its units and their labels after (k, 64), and its number of units."""

    status: Ints
    size: Ints
    unit: Ints
    label: Ints


def findings(k: int) -> Findings:
    """Room for ``k`` sets of grids."""
    return Findings(
        np.zeros(k, dtype=np.int64),
        np.zeros(k, dtype=np.int64),
        np.zeros((k, MOST), dtype=np.int64),
        np.zeros((k, MOST), dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def re_split(
    ground: Ground,
    label: Ints,
    order: Ints,
    first: Ints,
    grids: Ints,
    free: Bools,
    spare: Ints,
    cap: int,
    found: Findings,
    lo: int,
    hi: int,
) -> None:
    """Look for a better split into one or two parts of each of ``grids[lo:hi]`` (k, 1 or 2).

    ``order`` (n,): units by grid, those of grid g from ``first[g]`` to ``first[g + 1]``.
    ``free`` (slots,): labels in no use; ``spare`` (s,): some of them for a grid more. ``cap``: branches each.
    """
    place = np.full(len(label), -1, dtype=np.int64)
    for row in range(lo, hi):
        names = grids[row]
        m = 0
        for g in names:
            m += first[g + 1] - first[g]
        if m > MOST:
            found.status[row] = OPEN
            continue
        unit = np.empty(m, dtype=np.int64)
        m = 0
        for g in names:
            for q in range(first[g], first[g + 1]):
                unit[m] = order[q]
                m += 1
        patch = cut_out(ground, unit, names, free, spare, place)
        now = present(patch, label)
        best = halve(patch, shortcuts(patch, now), cap)
        found.size[row] = m
        changed = better((best.excess, best.outside, best.cost), (now.excess, now.outside, now.cost))
        found.status[row] = BETTER if changed else (PROVED if best.done else OPEN)
        for q in range(m):
            found.unit[row, q] = patch.unit[q]
            part = best.label_a if bit(q) & best.a != NONE else best.label_b
            found.label[row, q] = patch.label[part]


@njit(cache=True, nogil=True)
def present(patch: Patch, label: Ints) -> Split:
    """The patch of one or two grids as the plan has it."""
    a, b = NONE, NONE
    for q in range(len(patch.unit)):
        if label[patch.unit[q]] == patch.label[0]:
            a |= bit(q)
        else:
            b |= bit(q)
    saving = saved(patch, a, 0) + saved(patch, b, 1)
    excess, outside, cost = rate(patch, a, b, saving)
    return Split(a, b, 0, 1, excess, outside, cost, 0, True)


@njit(cache=True, nogil=True)
def shortcuts(patch: Patch, now: Split) -> Split:
    """The better of ``now``, the same parts under other labels, and the whole patch as one grid."""
    best = now
    for b in (now.b, NONE):
        a = now.a | (now.b & ~b)
        label_a, label_b, saving = name_two(patch, a, b)
        if label_a < 0:
            continue
        excess, outside, cost = rate(patch, a, b, saving)
        if better((excess, outside, cost), (best.excess, best.outside, best.cost)):
            best = Split(a, b, label_a, label_b, excess, outside, cost, 0, True)
    return best
