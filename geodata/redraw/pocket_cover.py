"""The exact optimum of a small pocket: every connected set is a candidate grid, the best partition is found.

Set partitioning by branch and bound (Garfinkel & Nemhauser 1969): the lowest unit not yet in a grid is put into each
candidate that begins with it. Every grid's score is shared out among its units; what a unit's share is at the least in
any candidate, summed over units, bounds the rest.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geodata.redraw.bits import MOST, NONE, ONE, bit, full, lowest
from geodata.redraw.candidates import Candidates, Limit, candidates, grow
from geodata.redraw.ground import Ground
from geodata.redraw.model import Bools, Floats, Ints
from geodata.redraw.patch import Patch, cut_out, may_take, most_saved, saved
from geodata.redraw.split import LESS

_ROOM = 1_000_000  # candidates, their labels told apart
_BRANCHES = 500_000_000  # looks at candidates: about two seconds
_NO_LIMIT = 1e300
_ROUNDS = 12  # of raising the bound


def exact_pocket(
    ground: Ground, units: Ints, free: Bools, following: int, *, most_excess: int = 20, cap: int = _BRANCHES
) -> Ints | None:
    """The best grids (k,) of ``units`` (k,), a connected component of the open borders; None where it is too large.

    Best by broken band, households outside it and weighted score, over all plans. ``free`` (slots,): labels that may be
    taken besides new ones, which are numbered from ``following`` on. ``cap``: looks at candidates, some 300 million a
    second.
    """
    if len(units) > MOST:
        return None
    place = np.full(len(ground.households), -1, dtype=np.int64)
    patch = cut_out(ground, units, np.zeros(0, dtype=np.int64), free, np.array([following], dtype=np.int64), place)
    room = candidates(_ROOM)
    label = np.full(_ROOM, -1, dtype=np.int64)
    for excess in range(most_excess + 1):
        part, name, status = partition(patch, excess, room, label, cap)
        if status == _TOO_LARGE:
            return None
        if status == _FOUND:
            after = np.where(name[part] >= 0, patch.label[np.maximum(name[part], 0)], following + part)
            place[patch.unit] = after
            return np.asarray(place[units], dtype=np.int64)
    return None


_FOUND, _NONE, _TOO_LARGE = 0, 1, 2


@njit(cache=True, nogil=True)
def partition(patch: Patch, excess: int, room: Candidates, label: Ints, cap: int) -> tuple[Ints, Ints, int]:
    """Part (m,) of each unit in the best partition with no more than ``excess``, label of each part, and a status."""
    m = len(patch.unit)
    part, names = np.zeros(m, dtype=np.int64), np.full(m, -1, dtype=np.int64)
    in_band = excess == 0 and patch.over_h.sum() == 0 and patch.over_p.sum() == 0
    limit = Limit(excess, _NO_LIMIT, _NO_LIMIT, m, in_band)
    first = np.zeros(m + 1, dtype=np.int64)
    end, looked = 0, 0
    for root in range(m):
        end, more = grow(patch, root, limit, cap, room, end)
        looked += more
        if end < 0 or looked > cap:
            return part, names, _TOO_LARGE
        end = _labelled(patch, room, label, first[root], end)
        if end < 0:
            return part, names, _TOO_LARGE
        first[root + 1] = end
    share = _shares(room, m, end)
    order, above = _ordered(room, share, first)
    units, worse, outside, cost = room.units[:end], room.excess[:end], room.outside[:end], room.cost[:end]

    best_excess, best_outside, best_cost, found = excess, _NO_LIMIT, _NO_LIMIT, False
    left = np.zeros(m + 1, dtype=np.uint64)
    used = np.zeros(m + 1, dtype=np.uint64)
    at = np.zeros(m + 1, dtype=np.int64)
    sums = np.zeros((m + 1, 3))
    chosen = np.zeros(m + 1, dtype=np.int64)
    left[0], at[0] = full(m), first[0]
    level = 0
    while level >= 0:
        root = lowest(left[level])
        rest_excess, rest_outside, rest_cost = 0.0, 0.0, 0.0
        todo = left[level]
        while todo != NONE:
            u = lowest(todo)
            todo &= todo - ONE
            rest_excess += share[0, u]
            rest_outside += share[1, u]
            rest_cost += share[2, u]
        deeper = False
        while at[level] < first[root + 1]:
            one = order[at[level]]
            if in_band and sums[level, 2] + rest_cost + above[one] > best_cost - LESS:
                break  # nor can any that comes after it
            at[level] += 1
            looked += 1
            if looked > cap:
                return part, names, _TOO_LARGE
            if units[one] & ~left[level] != NONE or (label[one] >= 0 and used[level] & bit(label[one]) != NONE):
                continue
            own_excess, own_outside, own_cost = sums[level, 0] + worse[one], sums[level, 1] + outside[one], 0.0
            own_cost = sums[level, 2] + cost[one]
            less_excess, less_outside, less_cost = rest_excess, rest_outside, rest_cost
            todo = units[one]
            while todo != NONE:
                u = lowest(todo)
                todo &= todo - ONE
                less_excess -= share[0, u]
                less_outside -= share[1, u]
                less_cost -= share[2, u]
            if own_excess + less_excess > best_excess + LESS:
                continue
            if own_excess + less_excess > best_excess - 1 + LESS:
                if own_outside + less_outside > best_outside + LESS:
                    continue
                if own_outside + less_outside > best_outside - LESS and own_cost + less_cost > best_cost - LESS:
                    continue
            chosen[level] = one
            if units[one] == left[level]:
                best_excess, best_outside, best_cost, found = int(own_excess), own_outside, own_cost, True
                for q in range(level + 1):
                    names[q] = label[chosen[q]]
                    for u in range(m):
                        if units[chosen[q]] & bit(u) != NONE:
                            part[u] = q
                continue
            left[level + 1] = left[level] & ~units[one]
            used[level + 1] = used[level] | (bit(label[one]) if label[one] >= 0 else NONE)
            sums[level + 1, 0], sums[level + 1, 1], sums[level + 1, 2] = own_excess, own_outside, own_cost
            at[level + 1] = first[lowest(left[level + 1])]
            deeper = True
            break
        level += 1 if deeper else -1
    return part, names, _FOUND if found else _NONE


@njit(cache=True, nogil=True)
def _labelled(patch: Patch, room: Candidates, label: Ints, start: int, end: int) -> int:
    """Candidates ``start`` to ``end`` once under each label that tells something, and under a new one; their end."""
    last = end
    for one in range(start, end):
        units = room.units[one]
        best = most_saved(patch, units)
        label[one] = -1
        cost = room.cost[one] + best
        if not patch.keeps and not patch.locks:
            room.cost[one] = cost
            continue
        placed = False
        for c in range(len(patch.label) + 1):
            if c < len(patch.label):
                bound = patch.held[c] & units != NONE
                if not may_take(patch, units, c) or (saved(patch, units, c) <= 0 and not bound):
                    continue
                saving = saved(patch, units, c)
            else:
                locked = False
                for held in patch.held:
                    locked |= held & units != NONE
                if locked:
                    continue
                c, saving = -1, 0.0
            at = last if placed else one
            if placed:
                last += 1
                if last > len(label):
                    return -1
            room.units[at], room.excess[at], room.outside[at] = units, room.excess[one], room.outside[one]
            room.cost[at], label[at] = cost - saving, c
            placed = True
    return last


@njit(cache=True, nogil=True)
def _shares(room: Candidates, m: int, end: int) -> np.ndarray:
    """What each unit stands for at the least (3, m) of excess, outside and cost, in whatever candidates it ends up.

    A feasible dual of the set partitioning: the shares of a candidate's units sum to no more than it has. Each round
    deals out evenly what the tightest candidate of a unit still has.
    """
    share = np.zeros((3, m))
    for _ in range(_ROUNDS):
        more = np.full((3, m), 1e12)
        for one in range(end):
            size, excess, outside, cost = 0, float(room.excess[one]), room.outside[one], room.cost[one]
            todo = room.units[one]
            while todo != NONE:
                u = lowest(todo)
                todo &= todo - ONE
                size += 1
                excess -= share[0, u]
                outside -= share[1, u]
                cost -= share[2, u]
            todo = room.units[one]
            while todo != NONE:
                u = lowest(todo)
                todo &= todo - ONE
                more[0, u] = min(more[0, u], excess / size)
                more[1, u] = min(more[1, u], outside / size)
                more[2, u] = min(more[2, u], cost / size)
        share += more
    return share


@njit(cache=True, nogil=True)
def _ordered(room: Candidates, share: np.ndarray, first: Ints) -> tuple[Ints, Floats]:
    """Candidates of each lowest unit, those that cost least above their units' shares first, and what that is."""
    end = first[-1]
    above = np.zeros(end)
    for one in range(end):
        above[one] = room.cost[one] + 1e3 * room.outside[one] + 1e7 * room.excess[one]
        todo = room.units[one]
        while todo != NONE:
            u = lowest(todo)
            todo &= todo - ONE
            above[one] -= share[2, u] + 1e3 * share[1, u] + 1e7 * share[0, u]
    order = np.zeros(end, dtype=np.int64)
    for root in range(len(first) - 1):
        lo, hi = first[root], first[root + 1]
        order[lo:hi] = lo + np.argsort(above[lo:hi])
    return order, above
