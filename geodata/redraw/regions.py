"""Large neighbourhoods: a handful of neighbouring grids is heated and cooled again, and kept if that made it better.

Large neighbourhood search (Shaw 1998) with annealing as the repair. Before heating, two grids of the region may be
merged or one split, which is how the number of grids is found. Acceptance is lexicographic; while there is lenience, a
region may get a little worse in the weighted score, which is annealing again, a region a move.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.anneal import Schedule, Worth, anneal, appraise
from geodata.redraw.chance import Chance, below, share
from geodata.redraw.ground import Ground
from geodata.redraw.model import Bools, Ints
from geodata.redraw.tally import Scratch, Tally, shift

_LESS = 1e-9  # a smaller difference of scores is rounding


class Region(NamedTuple):
    """Work space of one thread: ``inside`` (slots,) marks the region's grids, listed in ``grids``; ``units`` (n,) are
    theirs and ``before`` (n,) their grids when the round began."""

    inside: Bools
    grids: Ints
    units: Ints
    before: Ints


class Opening(NamedTuple):
    """How a round began: number of grids before and now, of units, the change so far, and the score before."""

    k: int
    total: int
    m: int
    change: float
    excess: int
    outside: float
    cost: float


def region(n: int, slots: int) -> Region:
    """Work space for ``n`` units and ``slots`` grids."""
    return Region(
        np.zeros(slots, dtype=np.bool_),
        np.zeros(slots + 1, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
    )


def improve(
    ground: Ground,
    state: Tally,
    value: Worth,
    mine: Bools,
    pools: tuple[Ints, Ints],
    spare: Ints,
    sizes: tuple[int, int],
    plan: Schedule,
    per_unit: int,
    moves: int,
    rng: Chance,
    work: Scratch,
    room: Region,
    lenience: float = 0.0,
) -> tuple[int, int]:
    """Improve regions among the grids with ``mine`` set until ``moves`` moves are tried; moves tried, regions improved.

    ``pools``: units that a region may start from, and those of grids that break the band, which get every other round.
    ``spare``: free slots for new grids. ``sizes``: smallest and largest number of grids in a region. The rounds are
    driven from here because the annealing kernel loses most of its speed when it is compiled into another.
    """
    everywhere, urgent = pools
    tried, improved, rounds, free = 0, 0, 0, len(spare)
    while tried < moves and len(everywhere):
        rounds += 1
        pool = urgent if len(urgent) and rounds % 2 else everywhere
        begun = _open(ground, state, value, mine, pool, spare[:free], sizes, rng, work, room)
        allowed = max(per_unit * begun.m, 50)
        units = room.units[: begun.m]
        change = anneal(ground, state, value, units, room.inside, plan, allowed, (0.0, 1.0), rng, work)
        tried += allowed
        if _close(ground, state, value, begun, change, room, -lenience * math.log(1.0 - share(rng))):
            improved += 1
            free -= begun.total - begun.k
    return tried, improved


@njit(cache=True, nogil=True)
def _open(
    ground: Ground,
    state: Tally,
    value: Worth,
    mine: Bools,
    pool: Ints,
    spare: Ints,
    sizes: tuple[int, int],
    rng: Chance,
    work: Scratch,
    room: Region,
) -> Opening:
    """Choose a region around a unit of ``pool`` and, every other time, split or merge one of its grids."""
    inside, grids, units, before = room
    centre = pool[below(rng, len(pool))]
    rival = pool[below(rng, len(pool))]
    if value.cost[state.label[rival]] > value.cost[state.label[centre]]:
        centre = rival
    size = sizes[0] + below(rng, sizes[1] - sizes[0] + 1)
    k = gather(ground, state, mine, inside, grids, centre, size, work)
    m = members(ground, state, inside, units, centre, work)
    for q in range(m):
        before[q] = state.label[units[q]]
    excess, outside, cost = _sums(value, grids, k)
    change, total, choice, free = 0.0, k, share(rng), len(spare)
    if choice < 0.5 and k > 1:
        change += _merge(ground, state, inside, units[:m], grids[below(rng, k)], rng)
    if 0.25 <= choice < 0.75 and free > 0:
        change += _split(ground, state, units[:m], grids[below(rng, k)], spare, rng, work)
        if state.size[spare[free - 1]] > 0:
            grids[k] = spare[free - 1]
            total = k + 1
    for q in range(total):
        inside[grids[q]] = state.size[grids[q]] > 0
        appraise(ground, state, value, grids[q])
    return Opening(k, total, m, change, excess, outside, cost)


@njit(cache=True, nogil=True)
def _close(
    ground: Ground, state: Tally, value: Worth, begun: Opening, change: float, room: Region, slack: float
) -> bool:
    """Keep what the round did if the region is better now, else put it back."""
    inside, grids, units, before = room
    excess, outside, cost = _sums(value, grids, begun.total)
    better = begun.change + change + cost - begun.cost < slack - _LESS
    if excess != begun.excess:
        better = excess < begun.excess
    elif abs(outside - begun.outside) > _LESS:
        better = outside < begun.outside
    if not better:
        for q in range(begun.m):
            shift(ground, state, units[q], before[q])
        for q in range(begun.total):
            appraise(ground, state, value, grids[q])
    for q in range(begun.total):
        inside[grids[q]] = False
    return better


@njit(cache=True, nogil=True)
def gather(
    ground: Ground, state: Tally, mine: Bools, inside: Bools, grids: Ints, centre: int, size: int, work: Scratch
) -> int:
    """Mark the grid of ``centre`` and those met around it, nearest first, until there are ``size``; how many."""
    stamp, queue = work.stamp, work.queue
    work.clock[0] += 2
    seen = work.clock[0]
    stamp[centre] = seen
    queue[0] = centre
    grids[0] = state.label[centre]
    inside[grids[0]] = True
    head, tail, k = 0, 1, 1
    while head < tail and k < size:
        x = queue[head]
        head += 1
        for e in range(ground.indptr[x], ground.indptr[x + 1]):
            y = ground.other[e]
            g = state.label[y]
            if not ground.open[e] or stamp[y] == seen or not mine[g]:
                continue
            stamp[y] = seen
            queue[tail] = y
            tail += 1
            if not inside[g] and k < size:
                inside[g] = True
                grids[k] = g
                k += 1
    return k


@njit(cache=True, nogil=True)
def members(ground: Ground, state: Tally, inside: Bools, units: Ints, centre: int, work: Scratch) -> int:
    """Fill ``units`` with those of the grids inside (they hold together around ``centre``); how many there are."""
    stamp = work.stamp
    work.clock[0] += 2
    seen = work.clock[0]
    stamp[centre] = seen
    units[0] = centre
    head, m = 0, 1
    while head < m:
        x = units[head]
        head += 1
        for e in range(ground.indptr[x], ground.indptr[x + 1]):
            y = ground.other[e]
            if ground.open[e] and stamp[y] != seen and inside[state.label[y]]:
                stamp[y] = seen
                units[m] = y
                m += 1
    return m


@njit(cache=True, nogil=True)
def _sums(value: Worth, grids: Ints, k: int) -> tuple[int, float, float]:
    excess, outside, cost = 0, 0.0, 0.0
    for q in range(k):
        excess += value.excess[grids[q]]
        outside += value.outside[grids[q]]
        cost += value.cost[grids[q]]
    return excess, outside, cost


@njit(cache=True, nogil=True)
def _merge(ground: Ground, state: Tally, inside: Bools, units: Ints, gone: int, rng: Chance) -> float:
    """Give all of grid ``gone`` to a neighbour inside the region; the change of the costs that hang on units."""
    if state.held[gone] > 0:
        return 0.0
    into, met = -1, 0
    for u in units:
        if state.label[u] != gone:
            continue
        for e in range(ground.indptr[u], ground.indptr[u + 1]):
            g = state.label[ground.other[e]]
            if g != gone and ground.open[e] and inside[g]:
                met += 1
                if below(rng, met) == 0:
                    into = g
    change = 0.0
    if into >= 0:
        for u in units:
            if state.label[u] == gone:
                change += shift(ground, state, u, into)
    return change


@njit(cache=True, nogil=True)
def _split(ground: Ground, state: Tally, units: Ints, parent: int, spare: Ints, rng: Chance, work: Scratch) -> float:
    """Cut ``parent`` in two that grow from two of its units; the new one takes the last of ``spare``.

    The new grid is the one without locked units; if both hold some, nothing is done. A free number that is the new
    part's own in the start plan is preferred, so that it does not count as moved.
    """
    size = state.size[parent]
    if size < 2:
        return 0.0
    first, second = below(rng, size), below(rng, size - 1)
    second += second >= first
    roots = (-1, -1)
    met = 0
    for u in units:
        if state.label[u] == parent:
            if met == first:
                roots = (u, roots[1])
            if met == second:
                roots = (roots[0], u)
            met += 1
    side = work.clock[0] + 1  # stamps side and side + 1 tell the two parts
    work.clock[0] += 4
    stamp, queue = work.stamp, work.queue
    stamp[roots[0]], stamp[roots[1]] = side, side + 1
    queue[0], queue[1] = roots
    head, tail = 0, 2
    while head < tail:
        swap = head + below(rng, tail - head)
        queue[head], queue[swap] = queue[swap], queue[head]
        x = queue[head]
        head += 1
        for e in range(ground.indptr[x], ground.indptr[x + 1]):
            y = ground.other[e]
            if ground.open[e] and state.label[y] == parent and stamp[y] != side and stamp[y] != side + 1:
                stamp[y] = stamp[x]
                queue[tail] = y
                tail += 1
    locked = (False, False)
    for q in range(tail):
        if ground.held[queue[q]]:
            locked = (locked[0] or stamp[queue[q]] == side, locked[1] or stamp[queue[q]] == side + 1)
    if locked[0] and locked[1]:
        return 0.0
    new = side if locked[1] else side + 1
    root = roots[0] if locked[1] else roots[1]
    last = len(spare) - 1
    for q in range(last):
        if spare[q] == ground.start[root]:
            spare[q], spare[last] = spare[last], spare[q]
            break
    change = 0.0
    for q in range(tail):
        if stamp[queue[q]] == new:
            change += shift(ground, state, queue[q], spare[last])
    return change
