"""Cutting a spanning tree: the way out where single moves find none, because units are large for the band.

A region is spanned by a random tree, and the tree is cut into parts so that the band is broken as little as any cut of
that tree allows: dynamic programming over the households of the part that is still open (the tree partition of Ito
et al. 2006; DeFord, Duchin & Solomon 2021 use random trees for two districts). Each new tree is another chance. While
a break may wander, results that are no better are accepted too, so that it moves through the plan until it meets
ground where it dissolves.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geodata.redraw.anneal import Worth, appraise
from geodata.redraw.chance import Chance, below
from geodata.redraw.ground import Ground
from geodata.redraw.model import Bools, Ints
from geodata.redraw.regions import Region, gather, members
from geodata.redraw.tally import Scratch, Tally, shift

_BREAK = 1 << 32  # what one grid's worth of broken band counts against households outside it
_NEVER = np.int64(1) << 62
_MOST_UNITS = 400


def mend(
    ground: Ground,
    state: Tally,
    value: Worth,
    mine: Bools,
    urgent: Ints,
    spare: Ints,
    sizes: tuple[int, int],
    rounds: int,
    wander: bool,
    rng: Chance,
    work: Scratch,
    room: Region,
) -> int:
    """Cut ``rounds`` random trees over regions around ``urgent`` units; how many lessened the break.

    ``mine`` marks the grids that may change, ``spare`` lists free slots among them. ``wander``: take every tree that
    breaks the band no more often, even with more households outside it.
    """
    fewer = 0
    for _ in range(rounds):
        result = _round(ground, state, value, mine, urgent, spare, sizes, wander, rng, work, room)
        fewer += result > 0
        if result:
            spare = spare[state.size[spare] == 0]
            urgent = urgent[value.excess[state.label[urgent]] > 0] if result > 0 else urgent
            if not len(urgent):
                break
    return fewer


@njit(cache=True, nogil=True)
def _round(
    ground: Ground,
    state: Tally,
    value: Worth,
    mine: Bools,
    urgent: Ints,
    spare: Ints,
    sizes: tuple[int, int],
    wander: bool,
    rng: Chance,
    work: Scratch,
    room: Region,
) -> int:
    """One tree; 1 if the band is broken less now, -1 if as much but in another way, 0 if the plan stays as it was."""
    inside, grids, units, before = room
    centre = urgent[below(rng, len(urgent))]
    k = gather(ground, state, mine, inside, grids, centre, sizes[0] + below(rng, sizes[1] - sizes[0] + 1), work)
    m = members(ground, state, inside, units, centre, work)
    for q in range(k):
        inside[grids[q]] = False
    if m > _MOST_UNITS or m < 2:
        return 0
    excess, outside = 0, 0.0
    for q in range(k):
        excess += value.excess[grids[q]]
        outside += value.outside[grids[q]]
    parent = _tree(ground, units[:m], rng, work)
    for q in range(m):
        before[q] = state.label[units[q]]
    part = cut(ground, units[:m], parent, rng)
    if not _relabel(ground, state, units[:m], part, grids[:k], spare):
        return 0
    after, beyond = 0, 0.0
    for q in range(m):
        g = state.label[units[q]]
        if not inside[g]:
            inside[g] = True
            appraise(ground, state, value, g)
            after += value.excess[g]
            beyond += value.outside[g]
    for q in range(m):
        inside[state.label[units[q]]] = False
    for q in range(k):
        appraise(ground, state, value, grids[q])
    if after < excess or (after == excess and beyond < outside - 1e-9):
        return 1
    if after == excess and (wander or beyond <= outside + 1e-9):
        return -1
    for q in range(m):
        g = state.label[units[q]]
        shift(ground, state, units[q], before[q])
        appraise(ground, state, value, g)
        appraise(ground, state, value, before[q])
    return 0


@njit(cache=True, nogil=True)
def _tree(ground: Ground, units: Ints, rng: Chance, work: Scratch) -> Ints:
    """A random spanning tree of ``units``, which are put in the order they join: position of each parent, -1 first.

    Grown from a random unit by random open borders.
    """
    m = len(units)
    stamp = work.stamp
    work.clock[0] += 2
    wanted, seen = work.clock[0], work.clock[0] + 1
    for u in units:
        stamp[u] = wanted
    parent = np.full(m, -1, dtype=np.int64)
    frontier = [(np.int64(0), np.int64(0))]
    frontier.pop()
    root = units[below(rng, m)]
    units[0] = root
    stamp[root] = seen
    for e in range(ground.indptr[root], ground.indptr[root + 1]):
        if ground.open[e] and stamp[ground.other[e]] == wanted:
            frontier.append((ground.other[e], np.int64(0)))
    met = 1
    while met < m and len(frontier) > 0:
        at = below(rng, len(frontier))
        u, from_ = frontier[at]
        frontier[at] = frontier[-1]
        frontier.pop()
        if stamp[u] == seen:
            continue
        stamp[u] = seen
        units[met], parent[met] = u, from_
        for e in range(ground.indptr[u], ground.indptr[u + 1]):
            if ground.open[e] and stamp[ground.other[e]] == wanted:
                frontier.append((ground.other[e], np.int64(met)))
        met += 1
    return parent


@njit(cache=True, nogil=True)
def cut(ground: Ground, units: Ints, parent: Ints, rng: Chance) -> Ints:
    """Parts (m,) numbered from 0 that break the household band least of all cuts of the tree; ties by chance.

    ``units`` in an order in which parents come first. A unit above the maximum alone counts as the maximum. Parts of
    more than two maxima are not looked at unless nothing else is possible.
    """
    m = len(units)
    group = ground.group[units[0]]
    low, high = ground.low[group], ground.high[group]
    weight = np.empty(m, dtype=np.int64)
    for q in range(m):
        weight[q] = ground.households[units[q]] - ground.over_h[units[q]]
    most = min(2 * high, weight.sum())
    open_ = np.full((m, most + 1), _NEVER, dtype=np.int64)  # least cost below, by households of the open part
    chosen = np.full((m, most + 1), -1, dtype=np.int64)  # households that the open part of the parent took from here
    closed = np.zeros(m, dtype=np.int64)
    ending = np.zeros(m, dtype=np.int64)
    top = weight.copy()
    for q in range(m):
        open_[q, weight[q]] = 0
    mixed = np.empty(most + 1, dtype=np.int64)
    for c in range(m - 1, -1, -1):
        closed[c], ending[c] = _end(open_[c], top[c], low, high, rng)
        v = parent[c]
        if v < 0:
            continue
        reach = min(top[v] + top[c], most)
        mixed[: reach + 1] = _NEVER
        for s in range(top[v] + 1):
            if open_[v, s] < _NEVER:
                mixed[s] = open_[v, s] + closed[c]
        for t in range(top[c] + 1):
            below_c = open_[c, t]
            if below_c >= _NEVER:
                continue
            for s in range(min(top[v], most - t) + 1):
                if open_[v, s] >= _NEVER:
                    continue
                cost = open_[v, s] + below_c
                if cost < mixed[s + t] or (cost == mixed[s + t] and below(rng, 2) == 0):
                    mixed[s + t] = cost
                    chosen[c, s + t] = t
        open_[v, : reach + 1] = mixed[: reach + 1]
        top[v] = reach
    return _walk_back(parent, chosen, ending, m)


@njit(cache=True, nogil=True)
def _end(costs, top, low, high, rng):  # type: ignore[no-untyped-def]
    """Least cost if the open part ends here, and with how many households."""
    best, at, ties = _NEVER, 0, 0
    for s in range(top + 1):
        if costs[s] >= _NEVER:
            continue
        cost = costs[s]
        if s < low:
            cost += _BREAK + low - s
        elif s > high:
            cost += _BREAK * ((s - high + high - 1) // high) + s - high
        if cost < best:
            best, at, ties = cost, s, 1
        elif cost == best:
            ties += 1
            if below(rng, ties) == 0:
                at = s
    return best, at


@njit(cache=True, nogil=True)
def _walk_back(parent: Ints, chosen: Ints, ending: Ints, m: int) -> Ints:
    """The parts, from the choices made: children were merged from the last to the first and come off the other way."""
    part = np.full(m, -1, dtype=np.int64)
    has = np.zeros(m, dtype=np.int64)  # households of the open part at this unit, as its children come off
    part[0], has[0] = 0, ending[0]
    parts = 1
    for c in range(1, m):
        v = parent[c]
        took = chosen[c, has[v]]
        if took >= 0:
            part[c], has[c] = part[v], took
            has[v] -= took
        else:
            part[c], has[c] = parts, ending[c]
            parts += 1
    return part


@njit(cache=True, nogil=True)
def _relabel(ground: Ground, state: Tally, units: Ints, part: Ints, grids: Ints, spare: Ints) -> bool:
    """Put the parts into the region's grids, most households in common first, then into free slots; False if refused.

    A part with locked units takes their grid; a part with locked units of two grids is refused.
    """
    m, k = len(units), len(grids)
    parts = part.max() + 1
    if parts > k + len(spare):
        return False
    into = np.full(parts, -1, dtype=np.int64)
    taken = np.zeros(k, dtype=np.bool_)
    common = np.zeros((parts, k), dtype=np.int64)
    for q in range(m):
        g = state.label[units[q]]
        at = 0
        while grids[at] != g:
            at += 1
        common[part[q], at] += 1 + 4 * ground.households[units[q]]
        if ground.held[units[q]]:
            if into[part[q]] >= 0 and into[part[q]] != g:
                return False
            into[part[q]] = g
            taken[at] = True
    for p in range(parts):
        for other in range(p):
            if into[p] >= 0 and into[p] == into[other]:
                return False
    while True:
        best, at_p, at_g = 0, -1, -1
        for p in range(parts):
            if into[p] >= 0:
                continue
            for q in range(k):
                if not taken[q] and common[p, q] > best:
                    best, at_p, at_g = common[p, q], p, q
        if at_p < 0:
            break
        into[at_p] = grids[at_g]
        taken[at_g] = True
    free, used = 0, 0
    for p in range(parts):
        while into[p] < 0 and free < k:
            if not taken[free]:
                into[p] = grids[free]
                taken[free] = True
            free += 1
        if into[p] < 0:
            into[p] = spare[used]
            used += 1
    for q in range(m):
        shift(ground, state, units[q], into[part[q]])
    return True
