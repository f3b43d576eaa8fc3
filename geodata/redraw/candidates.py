"""Every connected set of a patch that could be one of its grids at no more than a given cost.

A set grows from its lowest unit: a unit beside it is put in, or left out for good. What the set costs for
certain only grows: its outline against units left out, while no set can hold more ground than its households allow. The
cost counts half of every cut border, so that the costs of sets that fill the patch add up to it but for a constant.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.bits import NONE, ONE, Sets, bit, full, joined, lowest, reach
from geodata.redraw.ground import COMPACTNESS, COMPOUNDS
from geodata.redraw.model import REFERENCE_COMPACTNESS, Floats, Ints
from geodata.redraw.patch import Patch, priced
from geodata.redraw.split import LESS


class Limit(NamedTuple):
    """A candidate is wanted below this score: ``excess``, ``outside`` and, where these are not beaten, ``cost``.

    ``in_band``: it is in the band and leaves over at most ``rest`` pieces, each enough for a grid of the band.
    """

    excess: int
    outside: float
    cost: float
    rest: int
    in_band: bool


class Candidates(NamedTuple):
    """Room for candidates (k,): units, and excess, households outside and cost of each as a grid."""

    units: Sets
    excess: Ints
    outside: Floats
    cost: Floats


def candidates(k: int) -> Candidates:
    """Room for ``k`` of them."""
    return Candidates(np.zeros(k, dtype=np.uint64), np.zeros(k, dtype=np.int64), np.zeros(k), np.zeros(k))


@njit(cache=True, nogil=True)
def grow(patch: Patch, root: int, limit: Limit, cap: int, made: Candidates, at: int) -> tuple[int, int]:
    """Write candidates with the lowest unit ``root`` to ``made`` from ``at`` on; where they end, branches looked at.

    The end is -1 if there was no room, or more than ``cap`` branches.
    """
    m = len(patch.unit)
    everything = full(m)
    near, touch, length_m, cut = patch.near, patch.touch, patch.length_m, patch.cut
    households, over_h, area_m2, kept, compound = (
        patch.households,
        patch.over_h,
        patch.area_m2,
        patch.kept,
        patch.compound,
    )
    low, high = patch.band.low, patch.band.high
    shape, apart, keeps = patch.weights[COMPACTNESS], patch.weights[COMPOUNDS], patch.keeps
    labels = len(patch.label)
    outer_m = np.maximum(patch.outer_m, 0.0)
    sunken_m = np.minimum(patch.outer_m, 0.0).sum()
    most_kept = np.zeros(m)
    for u in range(m):
        most_kept[u] = kept[u].max()
    roomy = np.argsort(households / np.maximum(area_m2, 1e-9))  # most ground for a household first
    deep = m + 2
    sets = np.zeros((deep, 3), dtype=np.uint64)  # in, left out, neighbours of those in
    ints = np.zeros((deep, 2), dtype=np.int64)  # households, over_h
    sums = np.zeros((deep, 4))  # area, outline for certain, cut borders for certain, most kept
    saves = np.zeros((deep, labels))
    save = np.zeros(labels)
    lower = full(root)
    sets[0, 0], sets[0, 1], sets[0, 2] = bit(root), lower, near[root]
    ints[0, 0], ints[0, 1] = households[root], over_h[root]
    sums[0, 0], sums[0, 1], sums[0, 3] = area_m2[root], outer_m[root] + sunken_m, most_kept[root]
    sums[0, 2] = patch.credit
    beside = touch[root] & lower
    while beside != NONE:
        v = lowest(beside)
        beside &= beside - ONE
        sums[0, 1] += length_m[root, v]
        sums[0, 2] += max(cut[root, v], 0.0) / 2
    saves[0] = kept[root]
    top, looked = 1, 0
    while top > 0:
        top -= 1
        looked += 1
        if looked > cap or at >= len(made.units):
            return -1, looked
        inside0, out0, edge0 = sets[top, 0], sets[top, 1], sets[top, 2]
        h0, over0 = ints[top, 0], ints[top, 1]
        area0, outline0, border0, placed0 = sums[top, 0], sums[top, 1], sums[top, 2], sums[top, 3]
        save0 = saves[top].copy() if keeps else save
        frontier = edge0 & everything & ~inside0 & ~out0
        if frontier == NONE:
            excess, outside, cost = priced(patch, inside0)
            if excess > limit.excess or (excess == limit.excess and outside > limit.outside + LESS):
                continue
            if excess == limit.excess and outside > limit.outside - LESS and cost > limit.cost:
                continue
            made.units[at], made.excess[at], made.outside[at], made.cost[at] = inside0, excess, outside, cost
            at += 1
            continue
        u = lowest(frontier)
        for side in range(2):
            inside, out, edge = inside0, out0, edge0
            h, over, area, outline, border, placed = h0, over0, area0, outline0, border0, placed0
            todo = bit(u)
            if side == 0:
                out |= todo
                across = touch[u] & inside
                while across != NONE:
                    w = lowest(across)
                    across &= across - ONE
                    outline += length_m[u, w]
                    border += max(cut[u, w], 0.0) / 2
            else:
                if keeps:
                    save[:] = save0
                loose = everything & ~inside & ~todo
                if limit.in_band and not joined(near, near[u] & loose, loose):
                    pieces = 0
                    fits = True
                    while loose != NONE and fits:
                        piece = reach(near, loose & (~loose + ONE), loose)
                        loose &= ~piece
                        held = 0
                        rest = piece
                        while rest != NONE:
                            held += households[lowest(rest)]
                            rest &= rest - ONE
                        if held < low:
                            if piece & out != NONE:
                                fits = False
                            todo |= piece
                        elif piece & out != NONE:
                            pieces += 1
                            fits = pieces <= limit.rest
                    if not fits:
                        continue
                while todo != NONE:
                    v = lowest(todo)
                    todo &= todo - ONE
                    h += households[v]
                    over += over_h[v]
                    area += area_m2[v]
                    outline += outer_m[v]
                    across = touch[v] & out
                    while across != NONE:
                        w = lowest(across)
                        across &= across - ONE
                        outline += length_m[v, w]
                        border += max(cut[v, w], 0.0) / 2
                    along = touch[v] & inside
                    while along != NONE:
                        w = lowest(along)
                        along &= along - ONE
                        border += max(-cut[v, w], 0.0) / 2
                    inside |= bit(v)
                    edge |= near[v]
                    if keeps:
                        placed += most_kept[v]
                        for c in range(labels):
                            save[c] += kept[v, c]
            much = h - high - over
            excess = (much + high - 1) // high if much > 0 else 0
            outside = float(max(h - high, 0))
            if excess > limit.excess or (excess == limit.excess and outside > limit.outside + LESS):
                continue
            if excess == limit.excess and outside > limit.outside - LESS:
                cost = border
                if shape > 0:
                    ratio = 1.0
                    if outline > 1e-9:
                        free, left = everything & ~out & ~inside, float(high - h)
                        ground = area  # and what the households left can take in (the fractional knapsack)
                        for q in range(m):
                            v = roomy[q]
                            if free & bit(v) == NONE:
                                continue
                            if limit.in_band and households[v] > left:
                                ground += area_m2[v] * (left / households[v])
                                break
                            ground += area_m2[v]
                            left -= households[v]
                        if limit.in_band and high - left < low:
                            continue  # all that is left does not reach the minimum
                        ratio = min(4 * math.pi * ground / (outline * outline), 1.0)
                    cost += shape * (REFERENCE_COMPACTNESS - ratio)
                for members in compound:
                    if members & inside != NONE:
                        cost += apart
                if keeps:
                    most = save[0] if side == 1 else save0[0]
                    for c in range(1, labels):
                        most = max(most, save[c] if side == 1 else save0[c])
                    cost += placed - most
                if cost > limit.cost:
                    continue
            sets[top, 0], sets[top, 1], sets[top, 2] = inside, out, edge
            ints[top, 0], ints[top, 1] = h, over
            sums[top, 0], sums[top, 1], sums[top, 2], sums[top, 3] = area, outline, border, placed
            if keeps:
                saves[top] = save if side == 1 else save0
            top += 1
    return at, looked
