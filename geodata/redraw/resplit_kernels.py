"""Sets of touching grids, each re-split exactly on a copy of the plan; what was found is written down, not applied.

Nothing here changes the plan, so that any number of threads may work on parts of the list at once, and the answer does
not depend on how many there are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.bits import MOST, NONE, ONE, bit, full, reach, whole
from geodata.redraw.candidates import Candidates, Limit, grow
from geodata.redraw.ground import COMPACTNESS, Ground
from geodata.redraw.halves import halve
from geodata.redraw.model import REFERENCE_COMPACTNESS, Bools, Ints
from geodata.redraw.patch import Patch, cut_out
from geodata.redraw.split import LESS, Split, better, challenge, rate, seen

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
    room: Candidates,
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
        best = (
            halve(patch, full(m), NONE, lowest_price(patch), shortcuts(patch, now), cap)
            if len(names) < 3
            else third(patch, now, room, cap)
        )
        found.size[row] = m
        changed = better(best.excess, best.outside, best.cost, now)
        found.status[row] = BETTER if changed else (PROVED if best.done else OPEN)
        for q in range(m):
            found.unit[row, q] = patch.unit[q]
            part = best.label_a
            if bit(q) & best.b != NONE:
                part = best.label_b
            elif bit(q) & best.c != NONE:
                part = best.label_c
            found.label[row, q] = patch.label[part]


@njit(cache=True, nogil=True)
def present(patch: Patch, label: Ints) -> Split:
    """The patch as the plan has it."""
    parts = np.zeros(3, dtype=np.uint64)
    saving = 0.0
    for q in range(len(patch.unit)):
        for at in range(3):
            if label[patch.unit[q]] == patch.label[at]:
                parts[at] |= bit(q)
                saving += patch.kept[q, at]
                break
    excess, outside, cost = rate(patch, parts[0], parts[1], parts[2])
    return Split(parts[0], parts[1], parts[2], 0, 1, 2, excess, outside, cost - saving, 0, True)


@njit(cache=True, nogil=True)
def shortcuts(patch: Patch, now: Split) -> Split:
    """The better of ``now``, the same parts under other labels, and the whole patch as one grid."""
    best = challenge(patch, now.a, now.b, now.c, now)
    return challenge(patch, now.a | now.b | now.c, NONE, NONE, best)


@njit(cache=True, nogil=True)
def third(patch: Patch, now: Split, room: Candidates, cap: int) -> Split:
    """The best split into up to three parts if better than ``now``: the first unit's grid, then halves of the rest."""
    everything, near = full(len(patch.unit)), patch.near
    best = halve(patch, everything, NONE, lowest_price(patch), shortcuts(patch, now), cap)
    in_band = best.excess == 0 and best.outside <= LESS
    if in_band:  # one of three parts costs no more than a third
        limit = Limit(best.excess, best.outside, (best.cost + patch.constant) / 3, 2, in_band)
    else:
        limit = Limit(best.excess, best.outside, best.cost + patch.constant - 2 * lowest_price(patch), 2, in_band)
    end = 0
    for root in range(len(patch.unit) if in_band else 1):
        end, looked = grow(patch, root, limit, cap - best.looked, room, end)
        best = seen(best, looked, end >= 0)
        if end < 0:
            return best
    for at in np.argsort(room.cost[:end]):
        a = room.units[at]
        rest = everything & ~a
        floor = room.cost[at] if in_band else lowest_price(patch)
        if rest == NONE:
            continue
        b = reach(near, rest & (~rest + ONE), rest)
        c = rest & ~b
        if c != NONE:
            if whole(near, c):
                best = challenge(patch, a, b, c, best)
            continue
        best = halve(patch, rest, a, floor, challenge(patch, a, rest, NONE, best), cap - best.looked)
        if not best.done:
            break
    return best


@njit(cache=True, nogil=True)
def lowest_price(patch: Patch) -> float:
    """What no part's price is below: a disc, and all borders that are cheaper when cut."""
    disc: float = min(patch.weights[COMPACTNESS] * (REFERENCE_COMPACTNESS - 1.0), 0.0)
    return disc + patch.credit
