"""A neighbourhood of a few grids cut out of the ground: at most 64 units, so that any set of them is one word.

What differs between two ways to part a patch into grids is a sum over the grids, once every border inside a grid is
credited to it: shape, borders, compounds; only the labels have to be told apart (households that moved).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.bits import NONE, ONE, Sets, bit, lowest
from geodata.redraw.ground import COMPOUNDS, EXTENT, WORKLOAD, Ground
from geodata.redraw.model import Bools, Floats, Ints
from geodata.redraw.tally import Limits, breach, limits_of, shape_cost

MOST_LABELS = 12


class Patch(NamedTuple):
    """m units, sorted along the patch's longer axis; ``unit`` (m,) are their numbers in the ground.

    ``near`` (m,): neighbours over open borders, ``touch`` over any. ``length_m``, ``cut`` (m, m): shared border and
    what it costs to lie between two grids. ``outer_m`` (m,): outline that is the patch's own. ``kept`` (m, l): what is
    saved if the unit is in a grid of that label; ``label`` (l,), those of the patch's grids first; ``held`` (l,): units
    that must be in the grid of that label. ``compound`` (c,): units of each compound with several units here.
    ``constant``: the sum of the parts' prices (:func:`priced`) less the cost of the split; ``credit``: what borders
    that are cheaper when cut can save at the most (below 0). ``spread``: whether position or workload counts.
    """

    unit: Ints
    near: Sets
    touch: Sets
    length_m: Floats
    cut: Floats
    outer_m: Floats
    households: Ints
    population: Ints
    over_h: Ints
    over_p: Ints
    area_m2: Floats
    perimeter_m: Floats
    x_m: Floats
    y_m: Floats
    workload: Floats
    kept: Floats
    label: Ints
    held: Sets
    compound: Sets
    band: Limits
    middle: float
    share: float
    weights: Floats
    constant: float
    credit: float
    spread: bool
    keeps: bool
    locks: bool


@njit(cache=True, nogil=True)
def cut_out(ground: Ground, unit: Ints, label: Ints, free: Bools, spare: Ints, place: Ints) -> Patch:
    """The patch of ``unit`` (m,) whose grids are ``label`` (l,); ``free`` (slots,): labels in no use, which are taken
    where units of the patch start from them; ``spare``: some of them for any grid more.

    ``place`` (n,): work space, -1 everywhere, and left so.
    """
    m = len(unit)
    unit = unit[_along(ground, unit)]
    for q in range(m):
        place[unit[q]] = q
    near, touch = np.zeros(m, dtype=np.uint64), np.zeros(m, dtype=np.uint64)
    length_m, cut = np.zeros((m, m)), np.zeros((m, m))
    outer_m = ground.perimeter_m[unit]
    for q in range(m):
        for e in range(ground.indptr[unit[q]], ground.indptr[unit[q] + 1]):
            r = place[ground.other[e]]
            if r < 0:
                continue
            touch[q] |= bit(r)
            if ground.open[e]:
                near[q] |= bit(r)
            length_m[q, r] += ground.length_m[e]
            cut[q, r] += ground.cut_cost[e]
            outer_m[q] -= ground.length_m[e]
    names = _names(ground, unit, label, free, spare)
    kept, held = np.zeros((m, len(names))), np.zeros(len(names), dtype=np.uint64)
    for q in range(m):
        for c in range(len(names)):
            if ground.start[unit[q]] == names[c]:
                kept[q, c] = ground.move_cost[unit[q]]
                if ground.held[unit[q]]:
                    held[c] |= bit(q)
    compound = _compounds(ground, unit, place)
    for q in range(m):
        place[unit[q]] = -1
    constant, credit = 0.0, 0.0
    for q in range(m):
        constant += kept[q].max()
        for r in range(q):
            constant += cut[q, r]
            credit += min(cut[q, r], 0.0) / 2
    group, weights = ground.group[unit[0]], ground.weights
    return Patch(
        unit,
        near,
        touch,
        length_m,
        cut,
        outer_m,
        ground.households[unit],
        ground.population[unit],
        ground.over_h[unit],
        ground.over_p[unit],
        ground.area_m2[unit],
        ground.perimeter_m[unit],
        ground.x_m[unit],
        ground.y_m[unit],
        ground.workload[unit],
        kept,
        names,
        held,
        compound,
        limits_of(ground, group),
        ground.middle[group],
        ground.share[group],
        weights,
        constant,
        credit,
        weights[EXTENT] > 0 or weights[WORKLOAD] > 0,
        kept.sum() > 0,
        bool(held.any()),
    )


@njit(cache=True, nogil=True)
def _along(ground: Ground, unit: Ints) -> Ints:
    """Order of the units along the direction in which they lie farthest apart."""
    x, y = ground.x_m[unit], ground.y_m[unit]
    x, y = x - x.mean(), y - y.mean()
    angle = 0.5 * np.arctan2(2 * (x * y).sum(), (x * x).sum() - (y * y).sum())
    return np.argsort(x * np.cos(angle) + y * np.sin(angle), kind="mergesort")


@njit(cache=True, nogil=True)
def _names(ground: Ground, unit: Ints, label: Ints, free: Bools, spare: Ints) -> Ints:
    """Labels that parts may take: those in use, free ones that units here start from, and spare ones."""
    names = np.empty(len(label) + len(unit) + len(spare), dtype=np.int64)
    k = len(label)
    names[:k] = label
    for u in unit:
        f = ground.start[u]
        if 0 <= f < len(free) and free[f] and k < MOST_LABELS and not (names[:k] == f).any():
            names[k] = f
            k += 1
    for f in spare:
        if not (names[:k] == f).any():
            names[k] = f
            k += 1
    return names[:k].copy()


@njit(cache=True, nogil=True)
def _compounds(ground: Ground, unit: Ints, place: Ints) -> Sets:
    """Units of each compound that has several of the patch, none where compounds do not count."""
    found = np.zeros(len(unit), dtype=np.uint64)
    k = 0
    if ground.weights[COMPOUNDS] <= 0:
        return found[:0].copy()
    for q in range(len(unit)):
        c = ground.compound[unit[q]]
        if c < 0:
            continue
        members = NONE
        for e in range(ground.member_ptr[c], ground.member_ptr[c + 1]):
            if place[ground.member[e]] >= 0:
                members |= bit(place[ground.member[e]])
        if lowest(members) == q and members != bit(q):
            found[k] = members
            k += 1
    return found[:k].copy()


@njit(cache=True, nogil=True)
def part_score(patch: Patch, part: np.uint64) -> tuple[int, float, float]:
    """Excess, households outside and cost of one part as a grid, whatever its label; borders inside it are credited."""
    h, p, over_h, over_p = 0, 0, 0, 0
    area_m2, outline_m, inner, wx, wy, wr, work = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    length_m, cut, touch = patch.length_m, patch.cut, patch.touch
    rest = part
    while rest != NONE:
        u = lowest(rest)
        rest &= rest - ONE
        h_u = patch.households[u]
        h += h_u
        p += patch.population[u]
        over_h += patch.over_h[u]
        over_p += patch.over_p[u]
        area_m2 += patch.area_m2[u]
        outline_m += patch.perimeter_m[u]
        if patch.spread:
            x, y = patch.x_m[u], patch.y_m[u]
            wx += h_u * x
            wy += h_u * y
            wr += h_u * (x * x + y * y)
            work += patch.workload[u]
        inside = touch[u] & rest
        while inside != NONE:
            v = lowest(inside)
            inside &= inside - ONE
            outline_m -= 2 * length_m[u, v]
            inner += cut[u, v]
    excess, outside = breach(patch.band, h, p, over_h, over_p)
    cost = shape_cost(patch.weights, patch.middle, patch.share, h, area_m2, outline_m, wx, wy, wr, work) - inner
    for members in patch.compound:
        if members & part != NONE:
            cost += patch.weights[COMPOUNDS]
    return excess, outside, cost


@njit(cache=True, nogil=True)
def may_take(patch: Patch, part: np.uint64, c: int) -> bool:
    """Whether ``part`` may carry label ``c``: its held units, and no others, are those of the label."""
    for d in range(len(patch.held)):
        if d != c and patch.held[d] & part != NONE:
            return False
    return bool(patch.held[c] & ~part == NONE)


@njit(cache=True, nogil=True)
def saved(patch: Patch, part: np.uint64, c: int) -> float:
    """What ``part`` saves in moved households by carrying label ``c``."""
    total = 0.0
    rest = part
    while rest != NONE:
        total += patch.kept[lowest(rest), c]
        rest &= rest - ONE
    return total


@njit(cache=True, nogil=True)
def most_saved(patch: Patch, part: np.uint64) -> float:
    """What ``part`` saves in moved households under its best label; -1 if its locks forbid any."""
    if not patch.keeps and not patch.locks:
        return 0.0
    best = -1.0
    for c in range(len(patch.label)):
        if may_take(patch, part, c):
            best = max(best, saved(patch, part, c))
    return best


@njit(cache=True, nogil=True)
def priced(patch: Patch, part: np.uint64) -> tuple[int, float, float]:
    """Score of one part as a grid, half of its cut borders and the households that must move in it included."""
    excess, outside, cost = part_score(patch, part)
    rest = part
    while rest != NONE:
        u = lowest(rest)
        rest &= rest - ONE
        beside = patch.touch[u]
        while beside != NONE:
            v = lowest(beside)
            beside &= beside - ONE
            cost += patch.cut[u, v] / 2  # with what part_score credits: half of every border that is cut
        if patch.keeps:
            cost += patch.kept[u].max()
    saving = most_saved(patch, part)
    if saving < 0:
        return 1 << 30, 0.0, 0.0
    return excess, outside, cost - saving
