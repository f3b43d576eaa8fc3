"""Counting in the columns of a store: whole cells and periods from the cube, the rest case by case."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from geodata.heat.lattice import double, latitude, longitude, ordinal

_SUB = 16
_WITHIN = (1 << _SUB) - 1


class Columns(NamedTuple):
    """The arrays of a store, as :mod:`geodata.heat.layout` lays them out."""

    place: Any
    moment: Any
    rest: Any
    odd_row: Any
    odd_xy: Any
    late_row: Any
    late_micro: Any
    start: Any
    cube: Any
    heavy_category: Any
    heavy_segment: Any
    heavy: Any
    cell_column: Any
    cell_row: Any
    cell_region: Any
    unit: Any
    unit_first: Any
    unit_id: Any
    apart: Any
    period_start: Any
    period_first: Any
    period_last: Any
    level: int
    time_bits: int
    rest_bits: int


@njit(cache=True, nogil=True)
def choose(store: Any, side: Any, regions: Any, frame: Any) -> Any:
    """Segments of a view: those whose cell lies wholly within it, their first bin, and the same of those it cuts.

    ``frame``: level, column and row of the first bin, columns of bins. Where bins are finer than cells the first bin is
    that of the cell's north-western corner, which may lie outside.
    """
    low_column = (side.west if side.west_cut < 0 else side.west_cut) >> _SUB
    high_column = (side.east if side.east_cut < 0 else side.east_cut) >> _SUB
    low_row = (side.north if side.north_cut < 0 else side.north_cut) >> _SUB
    high_row = (side.south if side.south_cut < 0 else side.south_cut) >> _SUB
    rows = store.cell_row
    first, last = np.searchsorted(rows, low_row), np.searchsorted(rows, high_row + 1)
    segments, bins = np.empty((2, last - first), np.int64), np.empty((2, last - first), np.int64)
    shift = store.level + _SUB - frame[0]
    size = np.zeros(2, np.int64)
    for s in range(first, last):
        column, row = store.cell_column[s], rows[s]
        if column < low_column or column > high_column or not regions[store.cell_region[s]]:
            continue
        west, north = column << _SUB, row << _SUB
        whole = (
            west >= side.west and west + _WITHIN <= side.east and north >= side.north and north + _WITHIN <= side.south
        )
        kind = 0 if whole else 1
        segments[kind, size[kind]] = s
        bins[kind, size[kind]] = ((north >> shift) - frame[2]) * frame[3] + (west >> shift) - frame[1]
        size[kind] += 1
    return segments[0, : size[0]], bins[0, : size[0]], segments[1, : size[1]], bins[1, : size[1]]


@njit(cache=True, nogil=True)
def add_cube(store: Any, segments: Any, bins: Any, begin: int, end: int, categories: Any, counts: Any) -> None:
    """Add the cases of the periods ``begin`` to ``end`` in cells that lie wholly in the view and in one bin."""
    for c in range(len(categories)):
        if categories[c]:
            before, after = store.cube[begin, c], store.cube[end, c]
            for k in range(len(segments)):
                s = segments[k]
                counts[bins[k]] += np.uint16(after[s] - before[s])
    for h in range(len(store.heavy_segment)):
        if categories[store.heavy_category[h]]:
            k = np.searchsorted(segments, store.heavy_segment[h])
            if k < len(segments) and segments[k] == store.heavy_segment[h]:
                # the cube has the remainder already
                counts[bins[k]] += (store.heavy[end, h] - store.heavy[begin, h]) >> 16 << 16


@njit(cache=True, nogil=True)
def _beside(rows: Any, row: int) -> int:
    """Place of ``row`` in the ascending ``rows``, -1 where it is not among them."""
    k = int(np.searchsorted(rows, row))
    return k if k < len(rows) and rows[k] == row else -1


@njit(cache=True, nogil=True)
def _micro(late_row: Any, late_micro: Any, row: int) -> int:
    """Microseconds of a case beyond its second."""
    k = _beside(late_row, row)
    return 0 if k < 0 else int(late_micro[k])


@njit(cache=True, nogil=True)
def _remainder(rest: Any, bits: int, row: int) -> Any:
    """How many doubles a case stands east and north of the edges of its square."""
    both = np.uint64(0)
    for word in range(rest.shape[1]):
        both |= np.uint64(rest[row, word]) << np.uint64(16 * word)
    right = np.int64(both & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))
    return right, np.int64(both >> np.uint64(bits))


@njit(cache=True, nogil=True)
def exact(store: Any, row: int, column: int, line: int) -> Any:
    """Longitude and latitude of a case in the square (``column``, ``line``), to the last bit."""
    k = _beside(store.odd_row, row)
    if k >= 0:
        return store.odd_xy[k, 0], store.odd_xy[k, 1]
    q = store.level + _SUB
    right, up = _remainder(store.rest, store.rest_bits, row)
    return double(ordinal(longitude(column, q)) + right), double(ordinal(latitude(line + 1, q)) + up)


@njit(cache=True, nogil=True)
def limits(side: Any, bounds: Any, q: int) -> Any:
    """How many doubles the west, south, east and north of a view lie beyond the edges of the squares they cut."""
    return (
        ordinal(bounds[0]) - ordinal(longitude(side.west_cut, q)),
        ordinal(bounds[1]) - ordinal(latitude(side.south_cut + 1, q)),
        ordinal(bounds[2]) - ordinal(longitude(side.east_cut, q)),
        ordinal(bounds[3]) - ordinal(latitude(side.north_cut + 1, q)),
    )


@njit(cache=True, nogil=True)
def _decide(far: Any, row: int, at: Any, bounds: Any, limit: Any) -> bool:
    """Whether a case lies in the view, in a square that the sides ``at`` (west, south, east, north) of it cut.

    ``far``: what of the columns is seldom looked at. The whole store is too much to hand to a function for each case.
    """
    rest, rest_bits, odd_row, odd_xy = far
    k = _beside(odd_row, row)
    if k >= 0:
        x, y = odd_xy[k, 0], odd_xy[k, 1]
        return bool(bounds[0] <= x < bounds[2] and bounds[1] <= y < bounds[3])
    right, up = _remainder(rest, rest_bits, row)
    outside = (at[0] and right < limit[0]) or (at[2] and right >= limit[2])
    return not (outside or (at[1] and up < limit[1]) or (at[3] and up >= limit[3]))


@njit(cache=True, nogil=True)
def _second(moment: int, start: int) -> Any:
    """A bound of the span as seconds and microseconds of a period, within what 32 bits hold."""
    away = moment - start
    if away < 0:
        return np.int64(-1), np.int64(0)
    second = away // 1_000_000
    return second, away - second * 1_000_000


@njit(cache=True, nogil=True)
def add_whole(
    store: Any, segments: Any, bins: Any, begin: int, end: int, categories: Any, frame: Any, counts: Any
) -> None:
    """Add the cases of whole periods ``begin`` to ``end`` in whole cells, where bins are finer than cells."""
    every = categories.all()
    shift = np.uint32(store.level + _SUB - frame[0])
    mask, bits, wide = np.uint32(_WITHIN), np.uint32(_SUB), np.uint64(frame[3])
    time_bits, places, moments = np.uint32(store.time_bits), store.place, store.moment
    for p in range(begin, end):
        start = store.start[p]
        for k in range(len(segments)):
            s = segments[k]
            base = np.uint64(bins[k])
            for j in range(np.uint64(start[s]), np.uint64(start[s + 1])):
                if every or categories[moments[j] >> time_bits]:
                    place = places[j]
                    down, right = (place & mask) >> shift, place >> (bits + shift)
                    counts[base + np.uint64(down) * wide + np.uint64(right)] += 1


@njit(cache=True, nogil=True)
def _seconds(store: Any, p: int, span: Any) -> Any:
    """Which seconds of a period are in the span (first and end), and of which microseconds decide (-1: of none)."""
    since, since_micro = _second(span[0], store.period_start[p])
    until, until_micro = _second(span[1], store.period_start[p])
    first = since + 1 if since_micro > 0 else since
    return first, until, since if since_micro > 0 else -1, until if until_micro > 0 else -1


@njit(cache=True, nogil=True)
def add_period(
    store: Any, segments: Any, bins: Any, p: int, span: Any, categories: Any, every: bool, counts: Any
) -> None:
    """Add the cases of the span in one period, in cells that lie wholly in the view and in one bin."""
    moments, late_row, late_micro = store.moment, store.late_row, store.late_micro
    time_bits, begins = np.uint32(store.time_bits), store.period_start[p]
    mask = np.uint32((1 << store.time_bits) - 1)
    first, end, unsure_first, unsure_end = _seconds(store, p, span)
    start = store.start[p]
    for k in range(len(segments)):
        s = segments[k]
        found = 0
        for j in range(np.uint64(start[s]), np.uint64(start[s + 1])):
            moment = moments[j]
            second = np.int64(moment & mask)
            known = every or categories[moment >> time_bits]
            # without branches: nothing foretells them
            found += known & (second >= first) & (second < end)
            if second in (unsure_first, unsure_end):
                at = begins + second * 1_000_000 + _micro(late_row, late_micro, j)
                found += known & (not first <= second < end) & (span[0] <= at < span[1])
        counts[bins[k]] += found


@njit(cache=True, nogil=True)
def add_cases(
    store: Any,
    segments: Any,
    bins: Any,
    cut: bool,
    begin: int,
    end: int,
    span: Any,
    categories: Any,
    view: Any,
    frame: Any,
    counts: Any,
) -> None:
    """Add the cases of the periods ``begin`` to ``end`` one by one; ``cut``: the view decides on each."""
    side, bounds, limit = view
    far = (store.rest, store.rest_bits, store.odd_row, store.odd_xy)
    places, moments, late_row, late_micro = store.place, store.moment, store.late_row, store.late_micro
    shift = store.level + _SUB - frame[0]
    fine = shift < _SUB
    every = categories.all()
    time_bits, mask = store.time_bits, (1 << store.time_bits) - 1
    for k in range(len(segments)):
        s = segments[k]
        west, north = store.cell_column[s] << _SUB, store.cell_row[s] << _SUB
        for p in range(begin, end):
            whole = span[0] <= store.period_first[p] and store.period_last[p] < span[1]
            first, last, unsure_first, unsure_last = _seconds(store, p, span)
            for j in range(np.int64(store.start[p, s]), np.int64(store.start[p, s + 1])):
                if not (whole and every):
                    moment = np.int64(moments[j])
                    if not categories[moment >> time_bits]:
                        continue
                    second = moment & mask
                    if not whole and not first <= second < last:
                        if second != unsure_first and second != unsure_last:
                            continue
                        at = store.period_start[p] + second * 1_000_000 + _micro(late_row, late_micro, j)
                        if not span[0] <= at < span[1]:
                            continue
                place = np.int64(places[j])
                column, line = west + (place >> _SUB), north + (place & _WITHIN)
                if cut:
                    at_sides = (
                        column == side.west_cut,
                        line == side.south_cut,
                        column == side.east_cut,
                        line == side.north_cut,
                    )
                    sure_x, sure_y = side.west <= column <= side.east, side.north <= line <= side.south
                    if not (sure_x and sure_y):
                        if not (sure_x or at_sides[0] or at_sides[2]) or not (sure_y or at_sides[1] or at_sides[3]):
                            continue
                        if not _decide(far, j, at_sides, bounds, limit):
                            continue
                if fine:
                    counts[((line >> shift) - frame[2]) * frame[3] + (column >> shift) - frame[1]] += 1
                else:
                    counts[bins[k]] += 1


@njit(cache=True, nogil=True)
def _put(store: Any, p: int, s: int, j: int, k: int, out: Any) -> None:
    """Write case ``j`` of a period and segment as it was given into row ``k`` of the columns ``out``."""
    x, y, at, category, region, unit = out
    place, moment = np.int64(store.place[j]), np.int64(store.moment[j])
    column, line = (store.cell_column[s] << _SUB) + (place >> _SUB), (store.cell_row[s] << _SUB) + (place & _WITHIN)
    x[k], y[k] = exact(store, j, column, line)
    second = moment & ((1 << store.time_bits) - 1)
    at[k] = store.period_start[p] + second * 1_000_000 + _micro(store.late_row, store.late_micro, j)
    category[k] = moment >> store.time_bits
    region[k] = store.cell_region[s]
    unit[k] = store.unit_id[store.unit_first[s] + store.unit[j]]


@njit(cache=True, nogil=True)
def restore(store: Any, out: Any) -> None:
    """Write all cases as they were given, in the order of the store; ``out`` as :func:`_put` has it."""
    for s in range(len(store.cell_row)):
        for p in range(len(store.period_start)):
            for j in range(np.int64(store.start[p, s]), np.int64(store.start[p, s + 1])):
                _put(store, p, s, j, j, out)


@njit(cache=True, nogil=True)
def restore_some(store: Any, rows: Any, out: Any) -> None:
    """The same of the cases in ``rows`` (m,) only."""
    for k in range(len(rows)):
        p = np.searchsorted(store.start[:, 0], rows[k], side="right") - 1
        s = np.searchsorted(store.start[p], rows[k], side="right") - 1
        _put(store, p, s, rows[k], k, out)


@njit(cache=True, nogil=True)
def _in_span(second: Any, seconds: Any, span: Any, begins: int, late: Any, row: int) -> bool:
    """Whether a case of that second of a period is in the span; ``seconds`` as :func:`_seconds` has them."""
    first, end, unsure_first, unsure_end = seconds
    if first <= second < end:
        return True
    if second not in (unsure_first, unsure_end):
        return False
    return bool(span[0] <= begins + second * 1_000_000 + _micro(late[0], late[1], row) < span[1])


@njit(cache=True, nogil=True)
def add_slots(
    store: Any, regions: Any, begin: int, end: int, span: Any, categories: Any, slots: Any, counts: Any
) -> None:
    """Add the cases of the periods ``begin`` to ``end`` by category and by slot of their quarter of an hour.

    ``slots``: second of the first quarter, and the slot of each. ``counts`` (categories, slots).
    """
    first_second, slot_of = slots
    time_bits, mask = np.uint32(store.time_bits), np.uint32((1 << store.time_bits) - 1)
    late, moments = (store.late_row, store.late_micro), store.moment
    for p in range(begin, end):
        whole = span[0] <= store.period_first[p] and store.period_last[p] < span[1]
        seconds, begins = _seconds(store, p, span), store.period_start[p]
        base = begins // 1_000_000 - first_second
        for s in range(len(store.cell_row)):
            if not regions[store.cell_region[s]]:
                continue
            for j in range(np.uint64(store.start[p, s]), np.uint64(store.start[p, s + 1])):
                moment = moments[j]
                category, second = moment >> time_bits, np.int64(moment & mask)
                if categories[category] and (whole or _in_span(second, seconds, span, begins, late, j)):
                    counts[category, slot_of[(base + second) // 900]] += 1


@njit(cache=True, nogil=True)
def add_units(store: Any, regions: Any, begin: int, end: int, span: Any, categories: Any, counts: Any) -> None:
    """Add the cases of the periods ``begin`` to ``end`` by unit of a segment; ``counts`` as long as ``unit_id``."""
    every = categories.all()
    time_bits, mask = np.uint32(store.time_bits), np.uint32((1 << store.time_bits) - 1)
    late, moments, units = (store.late_row, store.late_micro), store.moment, store.unit
    for p in range(begin, end):
        whole = span[0] <= store.period_first[p] and store.period_last[p] < span[1]
        seconds, begins = _seconds(store, p, span), store.period_start[p]
        for s in range(len(store.cell_row)):
            if not regions[store.cell_region[s]]:
                continue
            first = store.unit_first[s]
            for j in range(np.uint64(store.start[p, s]), np.uint64(store.start[p, s + 1])):
                if not (whole and every):
                    moment = moments[j]
                    if not categories[moment >> time_bits]:
                        continue
                    if not whole and not _in_span(np.int64(moment & mask), seconds, span, begins, late, j):
                        continue
                counts[first + units[j]] += 1
