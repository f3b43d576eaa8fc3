"""Every way to part a patch into two connected grids, and the best of them: branch and bound over words of bits.

The first unit is in part A. A unit beside A is put into A, or into B for good; what the choice cuts off from B falls to
A, what it cuts off from A falls to B, so that every branch holds at least one split with both parts in one piece (the
reverse search of Avis & Fukuda 1996 for connected sets, from both sides). A branch is left when its band or its cost
cannot become better than the best split known.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geodata.redraw.bits import NONE, ONE, bit, lowest, reach
from geodata.redraw.ground import COMPACTNESS, COMPOUNDS
from geodata.redraw.model import REFERENCE_COMPACTNESS
from geodata.redraw.patch import Patch, most_saved, part_score
from geodata.redraw.split import LESS, Split, challenge, seen


@njit(cache=True, nogil=True)
def _outside(total, least, most, low, high):  # type: ignore[no-untyped-def]
    """Least sum by which two parts of ``total`` miss the band, one of them between ``least`` and ``most`` (convex)."""
    first, last = max(low, total - high), min(high, total - low)
    if first > last:
        first, last = last, first
    h = min(max(first, least), most)
    if least > last:
        h = least
    return max(low - h, h - high, 0) + max(low - total + h, total - h - high, 0)


@njit(cache=True, nogil=True)
def _breaks(least, most, spare, low, high):  # type: ignore[no-untyped-def]
    """Least excess of a part of ``least`` to ``most`` of which ``spare`` may be what single units have too much."""
    excess = 1 if most < low else 0
    much = least - high - spare
    if much > 0:
        excess = max(excess, (much + high - 1) // high)
    return excess


@njit(cache=True, nogil=True)
def _ratios(area_a, outline_a, area_b, outline_b):  # type: ignore[no-untyped-def]
    if outline_a <= 1e-9 or outline_b <= 1e-9:
        return 2.0
    return 4 * math.pi * (area_a / (outline_a * outline_a) + area_b / (outline_b * outline_b))


@njit(cache=True, nogil=True)
def _ratio(area, outline):  # type: ignore[no-untyped-def]
    if outline <= 1e-9:
        return 1.0
    return min(4 * math.pi * area / (outline * outline), 1.0)


@njit(cache=True, nogil=True)
def _least_area(patch: Patch, within: np.uint64, need: int) -> float:
    """Area that any set of units of ``within`` with ``need`` households covers at the least (fractional knapsack)."""
    order = np.argsort(patch.area_m2 / np.maximum(patch.households, 1e-9))
    area_m2 = 0.0
    for u in order:
        if need <= 0 or patch.households[u] == 0:
            break
        if within & bit(u) != NONE:
            area_m2 += patch.area_m2[u] * min(1.0, need / patch.households[u])
            need -= patch.households[u]
    return area_m2


@njit(cache=True, nogil=True)
def halve(patch: Patch, within: np.uint64, third: np.uint64, floor: float, known: Split, cap: int) -> Split:
    """The best split of the connected set ``within`` into two parts, if it is better than ``known``, else ``known``.

    ``third``: the rest of the patch as a grid of its own, or nothing. ``floor``: no part may have a price below it, nor
    may ``third``. ``cap``: branches to look at.
    """
    m = len(patch.unit)
    if within & (within - ONE) == NONE:
        return known
    everything = within
    near, touch, length_m, cut = patch.near, patch.touch, patch.length_m, patch.cut
    households, population, over_h, over_p = patch.households, patch.population, patch.over_h, patch.over_p
    area_m2, kept, compound, held = patch.area_m2, patch.kept, patch.compound, patch.held
    weights, band, keeps, locks = patch.weights, patch.band, patch.keeps, patch.locks
    low, high, people_low, people_high, person = band
    shape, apart = weights[COMPACTNESS], weights[COMPOUNDS]
    labels, compounds = len(patch.label), len(compound)
    base_excess, base_outside, base = 0, 0.0, 0.0
    if third != NONE:
        base_excess, base_outside, base = part_score(patch, third)
        base -= most_saved(patch, third)
    outer_m, most_kept = np.zeros(m), np.zeros(m)
    sunken_m, all_area, all_outer, all_kept = 0.0, 0.0, 0.0, 0.0
    all_h, all_p = 0, 0
    todo = within
    while todo != NONE:
        u = lowest(todo)
        todo &= todo - ONE
        outline = patch.outer_m[u]
        beside = touch[u]
        while beside != NONE:
            v = lowest(beside)
            beside &= beside - ONE
            if within & bit(v) == NONE:
                outline += length_m[u, v]
            elif v < u:
                base += min(cut[u, v], 0.0) - cut[u, v]  # every border credited, but those that cost less when cut
        outer_m[u] = max(outline, 0.0)
        sunken_m += min(outline, 0.0)  # imperfect ground: units that border on more than their outline
        all_outer += outer_m[u]
        all_area += area_m2[u]
        all_h += households[u]
        all_p += population[u]
        if keeps:
            most_kept[u] = kept[u].max()
            all_kept += most_kept[u]
    peopled = people_low > 0 or all_p > people_high
    base += 2 * REFERENCE_COMPACTNESS * shape
    for members in compound:
        if members & within != NONE:
            base += apart
    floored = (floor if third != NONE else 0.0) - patch.constant
    best = known
    needed_m2 = 0.0
    if known.excess == 0 and known.outside <= LESS:
        needed_m2 = _least_area(patch, within, max(low, all_h - high))
    s = lowest(within)

    deep = m + 2
    sets = np.zeros((deep, 3), dtype=np.uint64)  # A, B, neighbours of A
    ints = np.zeros((deep, 8), dtype=np.int64)  # households, people, over_h, over_p of A, then of B
    sums = np.zeros((deep, 7))  # area and own outline of A, of B; border between; cost of borders; kept of the placed
    saves = np.zeros((deep, 2, labels))
    sets[0, 0], sets[0, 2] = bit(s), near[s]
    ints[0, 0], ints[0, 1], ints[0, 2], ints[0, 3] = households[s], population[s], over_h[s], over_p[s]
    sums[0, 0], sums[0, 1], sums[0, 6] = area_m2[s], outer_m[s], most_kept[s]
    saves[0, 0] = kept[s]
    part = np.zeros(2, dtype=np.uint64)
    grown = np.zeros(2, dtype=np.uint64)
    count, added = np.zeros((2, 4), dtype=np.int64), np.zeros((2, 2))
    save = np.zeros((2, labels))
    top, looked = 1, 0
    while top > 0:
        top -= 1
        if looked >= cap:
            return seen(best, looked, False)
        looked += 1
        a0, b0, edge0 = sets[top, 0], sets[top, 1], sets[top, 2]
        area_a, own_a, area_b, own_b = sums[top, 0], sums[top, 1], sums[top, 2], sums[top, 3]
        between, border, placed = sums[top, 4], sums[top, 5], sums[top, 6]
        open0 = everything & ~a0 & ~b0
        i0, i1, i2, i3 = ints[top, 0], ints[top, 1], ints[top, 2], ints[top, 3]
        i4, i5, i6, i7 = ints[top, 4], ints[top, 5], ints[top, 6], ints[top, 7]
        save0 = saves[top].copy() if keeps else save
        u = bit(lowest(edge0 & open0))
        for side in range(2):
            if side == 0:
                grown[0], grown[1] = NONE, u
                beyond = open0 & ~u
                grown[1] |= beyond & ~reach(near, a0, a0 | beyond)
                if b0 == NONE:
                    rest = everything & ~a0
                    grown[0] = rest & ~reach(near, u, rest)
            else:
                grown[0], grown[1] = u, NONE
                rest = everything & ~a0 & ~u
                if rest == NONE:
                    continue
                if b0 != NONE:
                    whole = reach(near, b0 & (~b0 + ONE), rest)
                    if b0 & ~whole != NONE:
                        continue
                    grown[0] |= rest & ~whole
            part[0], part[1] = a0, b0
            count[0, 0], count[0, 1], count[0, 2], count[0, 3] = i0, i1, i2, i3
            count[1, 0], count[1, 1], count[1, 2], count[1, 3] = i4, i5, i6, i7
            added[0, 0], added[0, 1], added[1, 0], added[1, 1] = area_a, own_a, area_b, own_b
            new_between, new_border, new_placed, new_edge = between, border, placed, edge0
            if keeps:
                save[:] = save0
            for which in range(2):
                todo = grown[which]
                while todo != NONE:
                    v = lowest(todo)
                    todo &= todo - ONE
                    count[which, 0] += households[v]
                    count[which, 1] += population[v]
                    count[which, 2] += over_h[v]
                    count[which, 3] += over_p[v]
                    added[which, 0] += area_m2[v]
                    added[which, 1] += outer_m[v]
                    across = touch[v] & part[1 - which]
                    while across != NONE:
                        w = lowest(across)
                        across &= across - ONE
                        new_between += length_m[v, w]
                        new_border += max(cut[v, w], 0.0)
                    along = touch[v] & part[which]
                    while along != NONE:
                        w = lowest(along)
                        along &= along - ONE
                        new_border += max(-cut[v, w], 0.0)
                    part[which] |= bit(v)
                    if which == 0:
                        new_edge |= near[v]
                    if keeps:
                        new_placed += most_kept[v]
                        for c in range(labels):
                            save[which, c] += kept[v, c]
            a, b = part[0], part[1]
            if locks:
                torn = False
                for c in range(labels):
                    torn |= (held[c] & a != NONE) and (held[c] & b != NONE)
                    for d in range(c):
                        torn |= (held[c] & a != NONE) and (held[d] & a != NONE)
                        torn |= (held[c] & b != NONE) and (held[d] & b != NONE)
                if torn:
                    continue
            h_a, h_b = count[0, 0], count[1, 0]
            left_h = all_h - h_a - h_b
            excess_a = _breaks(h_a, h_a + left_h, count[0, 2], low, high)
            excess_b = _breaks(h_b, h_b + left_h, count[1, 2], low, high)
            outside = base_outside + _outside(all_h, h_a, h_a + left_h, low, high)
            if peopled:
                p_a, p_b = count[0, 1], count[1, 1]
                left_p = all_p - p_a - p_b
                excess_a = max(excess_a, _breaks(p_a, p_a + left_p, count[0, 3], people_low, max(people_high, 1)))
                excess_b = max(excess_b, _breaks(p_b, p_b + left_p, count[1, 3], people_low, max(people_high, 1)))
                outside += person * _outside(all_p, p_a, p_a + left_p, people_low, people_high)
            excess = base_excess + excess_a + excess_b
            if excess > best.excess or (excess == best.excess and outside > best.outside + LESS):
                continue
            unplaced = everything & ~a & ~b
            if excess == best.excess and outside > best.outside - LESS:
                cost = base + new_border
                if shape > 0:
                    left_m = all_outer - added[0, 1] - added[1, 1]
                    least_a = max(added[0, 0], needed_m2 if unplaced != NONE else 0.0)
                    least_b = max(added[1, 0], needed_m2 if unplaced != NONE else 0.0)
                    near_a, near_b = added[0, 1] + new_between + sunken_m, added[1, 1] + new_between + sunken_m
                    price_a = shape * (REFERENCE_COMPACTNESS - _ratio(all_area - least_b, near_a)) + patch.credit
                    price_b = shape * (REFERENCE_COMPACTNESS - _ratio(all_area - least_a, near_b)) + patch.credit
                    if max(price_a, floor) + max(price_b, floor) + floored > best.cost - LESS:
                        continue
                    ratio = max(
                        _ratios(least_a, near_a, all_area - least_a, near_b + left_m),
                        _ratios(least_a, near_a + left_m, all_area - least_a, near_b),
                        _ratios(all_area - least_b, near_a, least_b, near_b + left_m),
                        _ratios(all_area - least_b, near_a + left_m, least_b, near_b),
                    )
                    cost -= shape * min(ratio, 2.0)
                for c in range(compounds):
                    if compound[c] & a != NONE and compound[c] & b != NONE:
                        cost += apart
                if keeps:
                    most = 0.0
                    for c in range(labels):
                        for d in range(labels):
                            if c != d:
                                most = max(most, save[0, c] + save[1, d])
                    cost -= most + all_kept - new_placed
                if cost > best.cost - LESS:
                    continue
            if unplaced == NONE:
                best = challenge(patch, a, b, third, best)
                continue
            sets[top, 0], sets[top, 1], sets[top, 2] = a, b, new_edge
            for q in range(4):
                ints[top, q], ints[top, 4 + q] = count[0, q], count[1, q]
            sums[top, 0], sums[top, 1] = added[0, 0], added[0, 1]
            sums[top, 2], sums[top, 3] = added[1, 0], added[1, 1]
            sums[top, 4], sums[top, 5], sums[top, 6] = new_between, new_border, new_placed
            if keeps:
                saves[top] = save
            top += 1
    return seen(best, looked, True)
