"""Counting in bins finer than cells: where in its cell a case lies decides on its bin, so every case is looked at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

from geodata.heat.kernels import _SUB, _WITHIN, _micro, _seconds, add_cases, add_whole

#: Fewer runs of cases (a cell in a period) than this are not worth a second thread.
_ALONE = 30_000
_CORES = os.cpu_count() or 1
_helpers = ThreadPoolExecutor(max(_CORES, 2), "heat")  # it has no thread before the first question


def add_fine(
    store: Any, whole: Any, cut: Any, periods: tuple[int, int, int, int], partly: Sequence[int], rest: Any
) -> None:
    """Add the cases of a question; ``whole`` and ``cut``: segments and first bins of cells within and at the sides.

    ``periods``: begin, first and end of the whole ones, end; ``partly``: those that the span cuts. ``rest``: span,
    categories, view, frame, counts. Many cases are counted by two threads: the kernels hold no lock.
    """
    span, categories, view, frame, counts = rest
    begin, first, last, end = periods
    every = bool(categories.all())

    def edges(counts: Any, since: int) -> None:
        for p in partly:
            add_part(store, whole[0], whole[1], p, span, categories, every, frame, counts)
        add_cases(store, cut[0], cut[1], True, begin, end, span, categories, view, frame, counts)
        add_whole(store, whole[0], whole[1], since, last, categories, frame, counts)

    if _CORES < 2 or len(whole[0]) * (last - first) < _ALONE:
        edges(counts, first)
        return
    middle, others = first + (last - first) * 2 // 3, np.zeros_like(counts)
    helping = _helpers.submit(edges, others, middle)
    add_whole(store, whole[0], whole[1], first, middle, categories, frame, counts)
    helping.result()
    counts += others


@njit(cache=True, nogil=True)
def add_part(
    store: Any, segments: Any, bins: Any, p: int, span: Any, categories: Any, every: bool, frame: Any, counts: Any
) -> None:
    """Add the cases of the span in one period that it cuts, in cells that lie wholly in the view."""
    shift = np.uint32(store.level + _SUB - frame[0])
    within, bits, wide = np.uint32(_WITHIN), np.uint32(_SUB), np.uint64(frame[3])
    places, moments, late_row, late_micro = store.place, store.moment, store.late_row, store.late_micro
    time_bits, begins = np.uint32(store.time_bits), store.period_start[p]
    mask = np.uint32((1 << store.time_bits) - 1)
    first, end, unsure_first, unsure_end = _seconds(store, p, span)
    start = store.start[p]
    for k in range(len(segments)):
        s = segments[k]
        base = np.uint64(bins[k])
        for j in range(np.uint64(start[s]), np.uint64(start[s + 1])):
            moment, place = moments[j], places[j]
            second = np.int64(moment & mask)
            known = every or categories[moment >> time_bits]
            # without branches: nothing foretells them
            found = known & (second >= first) & (second < end)
            if second in (unsure_first, unsure_end):
                at = begins + second * 1_000_000 + _micro(late_row, late_micro, j)
                found = found | (known & (span[0] <= at < span[1]))
            down, right = (place & within) >> shift, place >> (bits + shift)
            counts[base + np.uint64(down) * wide + np.uint64(right)] += found
