"""Lays cases out as the columns of a store: by period of time, then by cell and region.

A *segment* is a cell of the web map and a region of which it has cases; segments are numbered by row, column, region,
so that the cells of a view are one run in each row. A *period* holds about as many cases as any other. The cases of a
period stand together, within it those of a segment, and a cube tells how many of each category a segment had before
each period.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geodata.heat.columns import Cases, Ints
from geodata.heat.files import write
from geodata.heat.lattice import remainders, squares

SUB_BITS = 16  # a case's square within its cell: 2 bytes each way
LEVEL_MAX, LEVEL_MIN = 17, 8
CASES_PER_PERIOD, PERIODS_MAX = 1 << 16, 36
CATEGORIES_MAX = 1 << 10
CUBE_BYTES_PER_CASE, CUBE_BYTES_MIN = 4, 4 << 20
SECOND = 1_000_000
_WRAP = 1 << 16  # the cube counts modulo this


def build(cases: Cases, folder: Path, told: dict[str, Any], apart: NDArray[np.bool_] | None = None) -> None:
    """Write the store of ``cases`` as the new folder ``folder``; ``told`` (JSON) is kept with it.

    ``apart`` (n,) marks cases that a map of density leaves out; they can be had by themselves.
    Raises ``ValueError`` for more categories than :data:`CATEGORIES_MAX`, ``FileExistsError``.
    """
    if len(cases.categories) > CATEGORIES_MAX:
        raise ValueError(f"more than {CATEGORIES_MAX} categories")
    starts, time_bits = periods(cases.at, len(cases.categories))
    period = np.searchsorted(starts, cases.at, side="right") - 1
    level, keys, columns, rows = _cells(cases, len(starts))
    q = level + SUB_BITS
    of = keys[0].searchsorted(keys[1]).astype(np.int32)
    region_count = max(len(cases.regions), 1)
    order, start = arrange(period, of, len(starts), len(keys[0]))
    within = (1 << SUB_BITS) - 1
    offset = cases.at - starts[period]
    columns_of = {
        "place": (((columns & within) << SUB_BITS) | (rows & within)).astype(np.uint32)[order],
        "moment": ((cases.category << time_bits) | (offset // SECOND)).astype(np.uint32)[order],
        **_rest(cases, columns, rows, q, order),
    }
    micro = (offset % SECOND)[order]
    late = np.flatnonzero(micro)
    cube, heavy = _cube(cases.category, period, of, (len(starts), len(cases.categories), len(keys[0])))
    cell = keys[0] // region_count
    edges = np.searchsorted(np.sort(cases.at), starts)
    arrays = {
        **columns_of,
        "late_row": late.astype(np.uint32),
        "late_micro": micro[late].astype(np.uint32),
        "start": start,
        "cube": cube,
        **heavy,
        "cell_column": (cell & ((1 << level) - 1)).astype(np.int64),
        "cell_row": (cell >> level).astype(np.int64),
        "cell_region": (keys[0] % region_count).astype(np.int32),
        **_units(cases.units, of, len(keys[0]), order),
        "apart": (np.empty(0) if apart is None else np.flatnonzero(apart[order])).astype(np.uint32),
        "period_start": starts,
        "period_first": _at_edges(cases.at, edges),
        "period_last": _at_edges(cases.at, np.append(edges[1:], len(cases)) - 1),
    }
    bits = int(columns_of["rest_bits"][0])
    del arrays["rest_bits"]
    header = {
        "cases": len(cases),
        "level": level,
        "time_bits": time_bits,
        "rest_bits": bits,
        "categories": list(cases.categories),
        "regions": list(cases.regions),
        "told": told,
    }
    write(folder, header, arrays)


def periods(at: Ints, categories: int) -> tuple[Ints, int]:
    """Beginnings of the periods (microseconds, whole seconds), and the bits that a second within one takes.

    Periods hold equally many cases, but for those that would be too long for their seconds; what lies between the last
    case of one and the first of the next is nobody's.
    """
    time_bits = 32 - max(categories - 1, 1).bit_length()
    longest = ((1 << time_bits) - 1) * SECOND
    ordered = np.sort(at)
    count = int(np.clip(len(at) // CASES_PER_PERIOD, 1, PERIODS_MAX))
    found: list[int] = []
    for k in range(count):
        begin, end = k * len(at) // count, (k + 1) * len(at) // count
        while begin < end:
            first = int(ordered[begin]) // SECOND * SECOND
            if not found or first > found[-1]:
                found.append(first)
            # where the seconds of the period end, in the rare case that they do before its cases
            begin = max(int(np.searchsorted(ordered, found[-1] + longest)), begin + 1)
    return np.array(found or [0], dtype=np.int64), time_bits


def _cells(cases: Cases, period_count: int) -> tuple[int, tuple[Ints, Ints], Ints, Ints]:
    """Level of the cells, the segments' keys and each case's, and each case's square.

    Cells are as fine as the cube may be large. A key is (row, column, region) in one number.
    """
    regions = max(len(cases.regions), 1)
    level = LEVEL_MAX
    columns, rows = squares(cases.x, cases.y, level + SUB_BITS)
    key = _key(columns, rows, cases.region, level, regions)
    known = np.unique(key)
    plane = 2 * max(len(cases.categories), 1) * (period_count + 1)
    most = max(CUBE_BYTES_PER_CASE * len(cases), CUBE_BYTES_MIN)
    chosen, coarse = level, known
    while len(coarse) * plane > most and chosen > LEVEL_MIN:
        cell = coarse // regions
        row, column = cell >> chosen, cell & ((1 << chosen) - 1)
        chosen -= 1
        coarse = np.unique((((row >> 1) << chosen) | (column >> 1)) * regions + coarse % regions)
    if chosen < level:
        columns, rows = squares(cases.x, cases.y, chosen + SUB_BITS)
        key = _key(columns, rows, cases.region, chosen, regions)
    return chosen, (coarse, key), columns, rows


def _key(columns: Ints, rows: Ints, region: Ints, level: int, regions: int) -> Ints:
    cell = ((rows >> SUB_BITS) << level) | (columns >> SUB_BITS)
    return np.asarray(cell * regions + region, dtype=np.int64)


@njit(cache=True)
def arrange(period: Any, segment: Any, periods: int, segments: int) -> Any:
    """Order of the cases by period and segment, and where those of each stand: (periods, segments + 1)."""
    free = np.zeros(periods * segments + 1, np.int64)
    for k in range(len(period)):
        free[period[k] * segments + segment[k] + 1] += 1
    for k in range(len(free) - 1):
        free[k + 1] += free[k]
    start = np.empty((periods, segments + 1), np.uint32)
    for p in range(periods):
        for s in range(segments + 1):
            start[p, s] = free[p * segments + s]
    order = np.empty(len(period), np.int64)
    for k in range(len(period)):
        at = period[k] * segments + segment[k]
        order[free[at]] = k
        free[at] += 1
    return order, start


def _units(unit: Ints, segment: Any, segments: int, order: Ints) -> dict[str, Any]:
    """Each case's unit as a number among those of its segment, in as few bytes as hold it; 0 is a unit like any."""
    known, rank = np.unique(unit, return_inverse=True)
    pair, of = np.unique(segment.astype(np.int64) * max(len(known), 1) + rank, return_inverse=True)
    first = np.searchsorted(pair, np.arange(segments + 1) * max(len(known), 1))
    number = of - first[segment]
    small = np.min_scalar_type(int(number.max(initial=0)))
    return {"unit": number.astype(small)[order], "unit_first": first, "unit_id": known[pair % max(len(known), 1)]}


def _rest(cases: Cases, columns: Ints, rows: Ints, q: int, order: Ints) -> dict[str, Any]:
    """What is missing from a square to the exact degrees, in as few 16-bit words as hold all but one in a thousand.

    Those few stand aside with their degrees (``odd_row``, ``odd_xy``).
    """
    right, up = remainders(cases.x, cases.y, columns, rows, q)
    bits_x, bits_y = _bits(right), _bits(up)
    words = max(-(-(bits_x + bits_y) // 16), 1)
    bits_y = min(words * 16 - bits_x, 32)
    odd = (right < 0) | (right >> bits_x > 0) | (up < 0) | (up >> bits_y > 0)
    both = np.where(odd, 0, right | (up << bits_x)).astype(np.uint64)[order]
    rest = np.empty((len(cases), words), dtype=np.uint16)
    for word in range(words):
        rest[:, word] = (both >> np.uint64(16 * word)).astype(np.uint16)
    aside = np.flatnonzero(odd[order])
    exact = np.column_stack([cases.x[order[aside]], cases.y[order[aside]]])
    return {
        "rest": rest,
        "odd_row": aside.astype(np.uint32),
        "odd_xy": exact.astype(np.float64).reshape(-1, 2),
        "rest_bits": np.array([bits_x]),
    }


def _bits(values: Ints) -> int:
    """Bits that all but one in a thousand of ``values`` fit, at most 32."""
    lengths = np.bincount(np.frexp(np.maximum(values, 0).astype(np.float64))[1], minlength=65)
    more = len(values) - np.cumsum(lengths)
    return min(int(np.flatnonzero(more * 1000 <= len(values))[0]), 32)


def _cube(category: Ints, period: Ints, segment: Any, shape: tuple[int, int, int]) -> tuple[Any, dict[str, Any]]:
    """Cases of each category and segment before each period, modulo 65,536, and in full where that is not enough."""
    flat = (period * shape[1] + category) * shape[2] + segment
    each = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    cube = np.zeros((shape[0] + 1, *shape[1:]), dtype=np.uint16)
    np.cumsum(each, axis=0, out=cube[1:], dtype=np.uint16)
    many = np.argwhere(each.sum(axis=0) >= _WRAP)
    full = np.zeros((shape[0] + 1, len(many)), dtype=np.int64)
    full[1:] = np.cumsum(each[:, many[:, 0], many[:, 1]], axis=0)
    heavy = {"heavy_category": many[:, 0].astype(np.int64), "heavy_segment": many[:, 1].astype(np.int64)}
    return cube, heavy | {"heavy": full}


def _at_edges(at: Ints, places: Any) -> Ints:
    """The times at ``places`` of all in order."""
    ordered = np.sort(at)
    return ordered[np.clip(places, 0, len(at) - 1)] if len(at) else np.zeros(len(places), dtype=np.int64)
