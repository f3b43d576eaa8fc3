"""The cheapest ways to hand connected units of one grid to the grid beside it, or to a new one.

Sets of units grow from the common border, fewest households first (best-first, each set once, as words of bits). A set
is worth keeping if what it leaves is in one piece and it mends one of the two grids or brings it nearer to its band.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.bits import MOST, NONE, ONE, Sets, bit, full, lowest, whole
from geodata.redraw.ground import Ground
from geodata.redraw.model import Ints
from geodata.redraw.tally import Limits, Tally, breach, limits_of, shift

KEPT = 4  # sets kept of those that mend both grids, and of the others
NEW = -1  # in place of a grid's slot: a new grid
_MANY = 40  # units of a grid from which on small ones go together
_PARTS = 6  # of what is needed, that a clump holds


class Transfers(NamedTuple):
    """Sets (k,) of nodes as bits, ``node`` (m,) of each member, ``households``, and what both grids then lack.

    ``many`` and ``few`` (k, 2): households (giver, taker) above and below the band.
    """

    node: Ints
    units: Sets
    households: Ints
    many: Ints
    few: Ints


@njit(cache=True, nogil=True)
def lack(band: Limits, size: int, h: int, p: int, over_h: int, over_p: int) -> tuple[int, int]:
    """Households that must leave a grid with these sums, and that must come; people count what they are in households.

    A grid below its minimum can also give up all it has.
    """
    if size == 0:
        return 0, 0
    many, few = max(h - band.high - over_h, 0), 0
    too_many = p - band.people_high - over_p
    if too_many > 0:
        many = max(many, int(np.ceil(too_many * band.person)), 1)
    if h < band.low:
        few = max(min(band.low - h, h), 1)
    if p < band.people_low:
        few = max(few, int(np.ceil(min(band.people_low - p, p) * band.person)), 1)
    return many, few


@njit(cache=True, nogil=True)
def lacks(ground: Ground, state: Tally, grids: Ints) -> tuple[Ints, Ints]:
    """:func:`lack` of each of ``grids`` (k,) as they stand."""
    many, few = np.zeros(len(grids), dtype=np.int64), np.zeros(len(grids), dtype=np.int64)
    for q in range(len(grids)):
        g = grids[q]
        if state.size[g]:
            band = limits_of(ground, state.group[g])
            sums = (state.households[g], state.population[g], state.over_h[g], state.over_p[g])
            many[q], few[q] = lack(band, state.size[g], sums[0], sums[1], sums[2], sums[3])
    return many, few


@njit(cache=True, nogil=True)
def together(ground: Ground, state: Tally, a: int, b: int) -> tuple[int, int]:
    """:func:`lack` of two grids merged."""
    return lack(
        limits_of(ground, state.group[a]),
        state.size[a] + state.size[b],
        state.households[a] + state.households[b],
        state.population[a] + state.population[b],
        state.over_h[a] + state.over_h[b],
        state.over_p[a] + state.over_p[b],
    )


@njit(cache=True, nogil=True)
def assign(ground: Ground, state: Tally, units: Ints, labels: Ints) -> None:
    """Put each unit into its grid."""
    for q in range(len(units)):
        shift(ground, state, units[q], labels[q])


@njit(cache=True, nogil=True)
def beside(ground: Ground, state: Tally, units: Ints) -> Ints:
    """Grids that ``units`` touch over open borders, their own among them, in ascending order."""
    found = [np.int64(-1)]
    for u in units:
        for e in range(ground.indptr[u], ground.indptr[u + 1]):
            if ground.open[e]:
                found.append(state.label[ground.other[e]])
    return np.unique(np.array(found))[1:]


@njit(cache=True, nogil=True)
def transfers(
    ground: Ground, state: Tally, members: Ints, a: int, b: int, give: bool, most: int, cap: int
) -> Transfers:
    """Sets of ``members`` (m,) of grid ``a`` that may go to ``b`` (``NEW``: a grid of their own).

    ``give``: it is ``a`` that is to be mended, else ``b``. ``most``: households of a set; ``cap``: sets looked at.
    """
    need = ground.low[ground.group[members[0]]]
    if b != NEW:
        sums = lacks(ground, state, np.array([a if give else b]))
        need = max(sums[0][0], sums[1][0])
    node, weight, near, touch, fixed = _nodes(ground, state, members, b, need)
    sets, sizes = np.zeros(2 * KEPT, dtype=np.uint64), np.zeros(2 * KEPT, dtype=np.int64)
    many, few = np.zeros((2 * KEPT, 2), dtype=np.int64), np.zeros((2 * KEPT, 2), dtype=np.int64)
    keys = np.full(2 * KEPT, 1 << 60, dtype=np.int64)
    m = len(near)
    band = limits_of(ground, ground.group[members[0]])
    before = (0, 0.0)
    if give:
        before = breach(band, state.households[a], state.population[a], state.over_h[a], state.over_p[a])
    else:
        before = breach(band, state.households[b], state.population[b], state.over_h[b], state.over_p[b])
    everything = full(m)
    heap = [(np.int64(0), np.int64(0), NONE)]
    seen = {NONE}
    looked = 0
    while len(heap) > 0 and looked < cap and keys[KEPT - 1] == 1 << 60:
        _, h, part = heappop(heap)
        looked += 1
        edge = touch
        rest = part
        while rest != NONE:
            edge |= near[lowest(rest)]
            rest &= rest - ONE
        if b == NEW and part != NONE:
            edge = NONE
            rest = part
            while rest != NONE:
                edge |= near[lowest(rest)]
                rest &= rest - ONE
        edge &= ~(part | fixed)
        while edge != NONE:
            u = lowest(edge)
            edge &= edge - ONE
            wider = part | bit(u)
            held = h + weight[u]
            if held <= most and wider not in seen:
                seen.add(wider)
                heappush(heap, (held + max(most // 64, 1) * _count(wider), held, wider))
        if part in (NONE, everything) or not whole(near, everything & ~part):
            continue
        _weigh(ground, state, members, node, part, (a, b), band, give, before, h, (keys, sets, sizes, many, few))
    found = np.flatnonzero(keys < 1 << 60)
    return Transfers(node, sets[found], sizes[found], many[found], few[found])


@njit(cache=True, nogil=True)
def _count(part: np.uint64) -> int:
    size = 0
    while part != NONE:
        part &= part - ONE
        size += 1
    return size


@njit(cache=True, nogil=True)
def _weigh(ground, state, members, node, part, grids, band, give, before, h, kept) -> None:  # type: ignore[no-untyped-def]
    """Keep ``part`` if it is among the best that mend both grids, or among the best that bring one nearer."""
    a, b = grids
    keys, sets, sizes, many, few = kept
    size, p, over_h, over_p = 0, 0, 0, 0
    for q in range(len(members)):
        if bit(node[q]) & part == NONE:
            continue
        u = members[q]
        size += 1
        p += ground.population[u]
        over_h += ground.over_h[u]
        over_p += ground.over_p[u]
    left = (state.households[a] - h, state.population[a] - p, state.over_h[a] - over_h, state.over_p[a] - over_p)
    got = (h, p, over_h, over_p)
    if b != NEW:
        got = (
            state.households[b] + h,
            state.population[b] + p,
            state.over_h[b] + over_h,
            state.over_p[b] + over_p,
        )
    mended = left if give else got
    after = breach(band, mended[0], mended[1], mended[2], mended[3])
    if after[0] > before[0] or (after[0] == before[0] and after[1] >= before[1]):
        return
    many_a, few_a = lack(band, state.size[a] - size, left[0], left[1], left[2], left[3])
    many_b, few_b = lack(band, size, got[0], got[1], got[2], got[3])
    if b == NEW:  # it is not given up again at once
        few_b = max(few_b, band.low - h)
    short = many_a + few_a + many_b + few_b
    key = (h + short) * 1024 - (h if b == NEW else 0)  # a new grid is the sooner full the more it gets at first
    first = 0 if short == 0 else KEPT
    at = first + KEPT - 1
    if key >= keys[at]:
        return
    while at > first and keys[at - 1] > key:
        keys[at], sets[at], sizes[at] = keys[at - 1], sets[at - 1], sizes[at - 1]
        many[at], few[at] = many[at - 1], few[at - 1]
        at -= 1
    keys[at], sets[at], sizes[at] = key, part, h
    many[at, 0], many[at, 1], few[at, 0], few[at, 1] = many_a, many_b, few_a, few_b


@njit(cache=True, nogil=True)
def _nodes(
    ground: Ground, state: Tally, members: Ints, b: int, need: int
) -> tuple[Ints, Ints, Sets, np.uint64, np.uint64]:
    """The giver as a graph of at most 64 nodes: node (m,) of each member and households of each node, neighbours of
    each, nodes that touch ``b``, nodes that stay.

    A node is a unit. In a grid of many small units it is a clump of neighbours: small ones, a share of what is needed,
    near ``b``, larger ones behind.
    """
    m = len(members)
    place = np.full(len(state.label), -1, dtype=np.int64)
    for q in range(m):
        place[members[q]] = q
    order = _from_border(ground, state, members, place, b)
    fine, coarse = 0, 0
    if m > _MANY:
        fine = max(need // _PARTS, 1)
        coarse = max(ground.households[members].sum() // _MANY, fine)
    node, k = _clumped(ground, members, place, order, fine, coarse)
    while k > MOST:
        fine, coarse = 2 * fine + 1, 2 * coarse + 1
        node, k = _clumped(ground, members, place, order, fine, coarse)
    near, touch, fixed = np.zeros(k, dtype=np.uint64), NONE, NONE
    households = np.zeros(k, dtype=np.int64)
    for q in range(m):
        u, x = members[q], node[q]
        households[x] += ground.households[u]
        if ground.held[u]:
            fixed |= bit(x)
        for e in range(ground.indptr[u], ground.indptr[u + 1]):
            if not ground.open[e]:
                continue
            v = ground.other[e]
            if place[v] >= 0:
                if node[place[v]] != x:
                    near[x] |= bit(node[place[v]])
            elif state.label[v] == b:
                touch |= bit(x)
        if b == NEW:
            touch |= bit(x)
    return node, households, near, touch, fixed


@njit(cache=True, nogil=True)
def _from_border(ground: Ground, state: Tally, members: Ints, place: Ints, b: int) -> Ints:
    """Positions of ``members`` (m,), those nearest to grid ``b`` first; those it does not reach at the end."""
    m = len(members)
    order, met = np.empty(m, dtype=np.int64), np.zeros(m, dtype=np.bool_)
    tail = 0
    for q in range(m):
        for e in range(ground.indptr[members[q]], ground.indptr[members[q] + 1]):
            if ground.open[e] and state.label[ground.other[e]] == b and not met[q]:
                met[q] = True
                order[tail] = q
                tail += 1
    head = 0
    for root in range(-1, m):  # first those that the border reaches, then piece by piece the others
        if root >= 0 and not met[root]:
            met[root] = True
            order[tail] = root
            tail += 1
        while head < tail:
            u = members[order[head]]
            head += 1
            for e in range(ground.indptr[u], ground.indptr[u + 1]):
                q = place[ground.other[e]]
                if ground.open[e] and q >= 0 and not met[q]:
                    met[q] = True
                    order[tail] = q
                    tail += 1
    return order


@njit(cache=True, nogil=True)
def _clumped(ground: Ground, members: Ints, place: Ints, order: Ints, fine: int, coarse: int) -> tuple[Ints, int]:
    """Clump (m,) of each member and how many there are: connected, grown in ``order`` until they hold ``fine``
    households, ``coarse`` after the first half."""
    node = np.full(len(members), -1, dtype=np.int64)
    queue = np.empty(len(members), dtype=np.int64)
    k = 0
    for root in order:
        if node[root] >= 0:
            continue
        wanted = fine if k < MOST // 2 else coarse
        node[root] = k
        queue[0] = root
        head, tail, held = 0, 1, ground.households[members[root]]
        while head < tail:
            u = members[queue[head]]
            head += 1
            for e in range(ground.indptr[u], ground.indptr[u + 1]):
                q = place[ground.other[e]]
                if held < wanted and ground.open[e] and q >= 0 and node[q] < 0:
                    node[q] = k
                    held += ground.households[members[q]]
                    queue[tail] = q
                    tail += 1
        k += 1
    return node, k
