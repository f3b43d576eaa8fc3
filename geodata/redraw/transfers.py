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

KEPT = 5  # sets kept of those that mend both grids, and of the others
NEW = -1  # in place of a grid's slot: a new grid
_LOOSE = 48  # units of a large grid that may change hands; the rest stay together as they are


class Transfers(NamedTuple):
    """Sets (k,) of ``unit`` (m,): ``units`` as bits, their ``households``, and what both grids then lack.

    ``many`` and ``few`` (k, 2): households (giver, taker) above and below the band.
    """

    unit: Ints
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
    unit, near, touch, fixed = _nodes(ground, state, members, b)
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
            h_u = ground.households[unit[u]]
            if h + h_u <= most and wider not in seen:
                seen.add(wider)
                heappush(heap, (h + h_u + max(most // 64, 1) * _count(wider), h + h_u, wider))
        if part in (NONE, everything) or not whole(near, everything & ~part):
            continue
        _weigh(ground, state, unit, part, (a, b), band, give, before, h, (keys, sets, sizes, many, few))
    found = np.flatnonzero(keys < 1 << 60)
    return Transfers(unit, sets[found], sizes[found], many[found], few[found])


@njit(cache=True, nogil=True)
def _count(part: np.uint64) -> int:
    size = 0
    while part != NONE:
        part &= part - ONE
        size += 1
    return size


@njit(cache=True, nogil=True)
def _weigh(ground, state, unit, part, grids, band, give, before, h, kept) -> None:  # type: ignore[no-untyped-def]
    """Keep ``part`` if it is among the best that mend both grids, or among the best that bring one nearer."""
    a, b = grids
    keys, sets, sizes, many, few = kept
    size, p, over_h, over_p = 0, 0, 0, 0
    rest = part
    while rest != NONE:
        u = unit[lowest(rest)]
        rest &= rest - ONE
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
    short = many_a + few_a + many_b + few_b
    key = h + short
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
def _nodes(ground: Ground, state: Tally, members: Ints, b: int) -> tuple[Ints, Sets, np.uint64, np.uint64]:
    """The giver as a graph of at most 64 nodes: its units, neighbours of each, those that touch ``b``, those that stay.

    Of a large grid, the units nearest to ``b`` are nodes; every piece of the rest is one node more, which stays.
    """
    n, m = len(state.label), len(members)
    place = np.full(n, -1, dtype=np.int64)
    for q in range(m):
        place[members[q]] = q
    order = _from_border(ground, state, members, place, b)
    loose = m if m <= MOST else _LOOSE
    while True:
        node, pieces = _contracted(ground, members, place, order, loose)
        if loose + pieces <= MOST:
            break
        loose //= 2
    near, touch, fixed = np.zeros(loose + pieces, dtype=np.uint64), NONE, NONE
    for q in range(m):
        u, x = members[q], node[q]
        if x >= loose or ground.held[u]:
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
    unit = np.empty(loose, dtype=np.int64)
    for q in range(m):
        if node[q] < loose:
            unit[node[q]] = members[q]
    return unit, near, touch, fixed


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
    for root in range(m):
        if not met[root] and head == tail:
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
def _contracted(ground: Ground, members: Ints, place: Ints, order: Ints, loose: int) -> tuple[Ints, int]:
    """Node (m,) of each member, the first ``loose`` of ``order`` for themselves, and how many pieces the rest is in."""
    m = len(members)
    node = np.full(m, -1, dtype=np.int64)
    for at in range(loose):
        node[order[at]] = at
    pieces = 0
    for root in range(m):
        if node[root] >= 0:
            continue
        node[root] = loose + pieces
        edge = [root]
        while len(edge) > 0:
            u = members[edge.pop()]
            for e in range(ground.indptr[u], ground.indptr[u + 1]):
                q = place[ground.other[e]]
                if ground.open[e] and q >= 0 and node[q] < 0:
                    node[q] = loose + pieces
                    edge.append(q)
        pieces += 1
    return node, pieces
