"""A plan's books for editing: the units of each grid, and a row of figures per grid, added up anew when it changes.

A grid holds about ten units, so adding them up again costs no more than keeping differences, and nothing drifts: after
any number of moves and undos the figures are those of :func:`geodata.redraw.measure.measure`. Units in no grid count
nowhere.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.measure import fair_share, has_barriers, households_per_person, limits, surplus
from geodata.redraw.model import PARTS, REFERENCE_COMPACTNESS, Bools, Floats, Instance, Ints
from geodata.redraw.tally import Limits, breach

#: Columns of ``Ledger.counts``.
SIZE, FIRST, HOUSEHOLDS, POPULATION, PIECES, STATUS, EXCESS, COMPOUND = range(8)
#: Columns of ``Ledger.sums``; the parts of the score follow in the order of :data:`geodata.redraw.model.PARTS`.
AREA_M2, PERIMETER_M, POLSBY_POPPER, BORDER_M, BARRIER_M, OUTSIDE, SCORE = range(7)
_WIDTH = SCORE + len(PARTS)
_MOVED, _COMPACTNESS, _EXTENT, _OPEN, _TORN, _CUT, _COMPOUNDS, _BALANCE, _WORKLOAD = range(SCORE, _WIDTH)


class Facts(NamedTuple):
    """What never changes: units (n,), their half-borders in compressed rows (2m,), bands by unit (n, 4).

    ``from_`` (n,): slot of the start plan, -1 for none. ``together``: both sides are of one group. ``walls``: whether
    any barrier is known.
    """

    households: Ints
    population: Ints
    over_h: Ints
    over_p: Ints
    area_m2: Floats
    perimeter_m: Floats
    xy_m: Floats
    workload: Floats
    group: Ints
    compound: Ints
    from_: Ints
    band: Ints
    middle: Floats
    share: Floats
    indptr: Ints
    other: Ints
    length_m: Floats
    barrier_m: Floats
    torn_m: Floats
    crossable: Bools
    together: Bools
    person: float
    walls: bool


class Ledger(NamedTuple):
    """``slot`` (n,): where each unit is, -1 for nowhere; units of slot s: ``head[s]``, then ``after``, till -1.

    ``counts`` and ``sums`` (slots, ...): a row per grid. ``stamp``, ``queue`` (n,) and ``clock`` (1,): work space.
    """

    slot: Ints
    head: Ints
    after: Ints
    before: Ints
    counts: Ints
    sums: Floats
    stamp: Ints
    queue: Ints
    clock: Ints


def facts(instance: Instance, from_: Ints) -> Facts:
    """The kernels' view of ``instance``; ``from_`` (n,) names the start plan by slots."""
    units, borders = instance.units, instance.units.borders
    ends, others = np.concatenate([borders.i, borders.j]), np.concatenate([borders.j, borders.i])
    order = np.lexsort((others, ends))

    def half(values: Any) -> Any:
        return np.tile(values, 2)[order]

    return Facts(
        units.households,
        units.population,
        *surplus(instance),
        units.area_m2,
        units.perimeter_m,
        np.ascontiguousarray(units.xy_m),
        units.workload,
        units.group,
        np.where(units.compound >= 0, units.compound, -1),
        from_,
        np.stack(limits(instance, units.kind), axis=1),
        np.array([band.middle for band in instance.bands])[units.kind],
        fair_share(instance)[units.group],
        np.searchsorted(ends[order], np.arange(len(units) + 1)).astype(np.int64),
        others[order],
        half(borders.length_m),
        half(borders.barrier_m),
        half(borders.torn_m),
        half(borders.crossable),
        half(units.group[borders.i] == units.group[borders.j]),
        households_per_person(instance),
        has_barriers(instance),
    )


def ledger(known: Facts, slot: Ints, slots: int) -> Ledger:
    """The books of the plan ``slot`` (n,), with room for ``slots`` grids."""
    n = len(slot)
    made = Ledger(
        np.full(n, -1, dtype=np.int64),
        np.full(slots, -1, dtype=np.int64),
        np.full(n, -1, dtype=np.int64),
        np.full(n, -1, dtype=np.int64),
        np.zeros((slots, COMPOUND + 1), dtype=np.int64),
        np.zeros((slots, _WIDTH)),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )
    put(made, np.arange(n), slot)
    add_up(known, made, np.arange(slots))
    return made


def widened(book: Ledger) -> Ledger:
    """The same books with room for twice as many grids."""
    more = len(book.head)
    return book._replace(
        head=np.concatenate([book.head, np.full(more, -1, dtype=np.int64)]),
        counts=np.concatenate([book.counts, np.zeros_like(book.counts)]),
        sums=np.concatenate([book.sums, np.zeros_like(book.sums)]),
    )


@njit(cache=True, nogil=True)
def put(book: Ledger, units: Ints, slots: Ints) -> None:
    """Move each unit to its slot, -1 for none; the figures stay as they are."""
    head, after, before = book.head, book.after, book.before
    for q in range(len(units)):
        u, to = units[q], slots[q]
        at = book.slot[u]
        if at >= 0:
            if before[u] >= 0:
                after[before[u]] = after[u]
            else:
                head[at] = after[u]
            if after[u] >= 0:
                before[after[u]] = before[u]
        book.slot[u] = to
        before[u] = after[u] = -1
        if to >= 0:
            after[u] = head[to]
            if head[to] >= 0:
                before[head[to]] = u
            head[to] = u


@njit(cache=True, nogil=True)
def add_up(known: Facts, book: Ledger, slots: Ints) -> None:
    """The figures of ``slots`` anew, from their members in ascending order."""
    for g in slots:
        book.counts[g] = 0
        book.sums[g] = 0.0
        size = 0
        u = book.head[g]
        while u >= 0:
            book.queue[size] = u
            size += 1
            u = book.after[u]
        if size:
            members = np.sort(book.queue[:size])
            _row(known, book, g, members)
            book.counts[g, PIECES] = _pieces(known, book, g, members)


@njit(cache=True, nogil=True)
def _row(known: Facts, book: Ledger, g: int, members: Ints) -> None:
    """Sums, status and parts of the score of one grid."""
    h, p, over_h, over_p = 0, 0, 0, 0
    x, y = 0.0, 0.0
    row = book.sums[g]
    for u in members:
        h += known.households[u]
        p += known.population[u]
        over_h += known.over_h[u]
        over_p += known.over_p[u]
        row[AREA_M2] += known.area_m2[u]
        row[PERIMETER_M] += known.perimeter_m[u]
        row[_WORKLOAD] += known.workload[u]
        x += known.households[u] * known.xy_m[u, 0]
        y += known.households[u] * known.xy_m[u, 1]
        if known.from_[u] >= 0 and known.from_[u] != g:
            row[_MOVED] += known.households[u]
        for e in range(known.indptr[u], known.indptr[u + 1]):
            there = book.slot[known.other[e]]
            if there == g:
                row[PERIMETER_M] -= known.length_m[e]
                row[_TORN] += known.torn_m[e] / 2
            elif there >= 0:
                row[BORDER_M] += known.length_m[e]
                row[BARRIER_M] += known.barrier_m[e]
                if known.together[e]:
                    row[_CUT] += 0.5
                    row[_OPEN] += (known.length_m[e] - known.barrier_m[e]) / 2 if known.walls else 0.0
    first, compounds = members[0], _compounds(known, members)
    low, high, people_low, people_high = known.band[first]
    excess, outside = breach(Limits(low, high, people_low, people_high, known.person), h, p, over_h, over_p)
    status = 1 if h < low or p < people_low else 0
    if h > high or p > people_high:
        status = 2
    counts = book.counts[g]
    counts[SIZE], counts[FIRST], counts[HOUSEHOLDS], counts[POPULATION] = len(members), first, h, p
    counts[STATUS], counts[EXCESS], counts[COMPOUND] = status, excess, compounds
    row[OUTSIDE] = outside
    if row[PERIMETER_M] > 0:
        row[POLSBY_POPPER] = min(4 * math.pi * row[AREA_M2] / row[PERIMETER_M] ** 2, 1.0)
    row[_COMPACTNESS] = REFERENCE_COMPACTNESS - row[POLSBY_POPPER]
    row[_COMPOUNDS] = compounds
    row[_BALANCE] = abs(h - known.middle[first])
    row[_WORKLOAD] = abs(row[_WORKLOAD] - known.share[first])
    if h > 0:
        x, y, squares = x / h, y / h, 0.0
        for u in members:
            squares += known.households[u] * ((known.xy_m[u, 0] - x) ** 2 + (known.xy_m[u, 1] - y) ** 2)
        row[_EXTENT] = h * math.sqrt(squares / h)


@njit(cache=True, nogil=True)
def _compounds(known: Facts, members: Ints) -> int:
    """How many compounds lie in a grid, wholly or in part."""
    found = np.sort(known.compound[members])
    count = 0
    for q in range(len(found)):
        if found[q] >= 0 and (q == 0 or found[q] != found[q - 1]):
            count += 1
    return count


@njit(cache=True, nogil=True)
def _pieces(known: Facts, book: Ledger, g: int, members: Ints) -> int:
    """Connected pieces over crossable borders: a walk from every member not met yet."""
    book.clock[0] += 1
    met = book.clock[0]
    pieces = 0
    for root in members:
        if book.stamp[root] == met:
            continue
        pieces += 1
        book.stamp[root] = met
        book.queue[0] = root
        tail = 1
        while tail:
            tail -= 1
            u = book.queue[tail]
            for e in range(known.indptr[u], known.indptr[u + 1]):
                v = known.other[e]
                if known.crossable[e] and book.slot[v] == g and book.stamp[v] != met:
                    book.stamp[v] = met
                    book.queue[tail] = v
                    tail += 1
    return pieces
