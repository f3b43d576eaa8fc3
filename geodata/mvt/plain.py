"""Whether rings are plain: none crosses or touches itself or another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def area2(xs: Any, ys: Any, begin: int, end: int) -> float:
    """Twice the area of an open ring, positive where it runs with its inside to the left (x to y)."""
    total = 0.0
    x0, y0 = xs[begin], ys[begin]
    for i in range(begin + 1, end - 1):
        total += float(xs[i] - x0) * float(ys[i + 1] - y0) - float(xs[i + 1] - x0) * float(ys[i] - y0)
    return total


@njit(cache=True, nogil=True)
def plain(shape: Any, rings: int) -> bool:
    """Whether no two sides of all rings meet, but neighbours of a ring at their common corner.

    Corners are whole numbers small enough for products of two differences (a window).
    """
    xs, ys, ends, _ = shape
    n = ends[rings - 1] if rings else 0
    after, west, east = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    begin = 0
    for r in range(rings):
        for i in range(begin, ends[r]):
            j = i + 1 if i + 1 < ends[r] else begin
            after[i] = j
            west[i], east[i] = min(xs[i], xs[j]), max(xs[i], xs[j])
        begin = ends[r]
    order = _sorted(west)
    for a in range(n):
        i = order[a]
        low, high = min(ys[i], ys[after[i]]), max(ys[i], ys[after[i]])
        for b in range(a + 1, n):
            j = order[b]
            if west[j] > east[i]:
                break
            if min(ys[j], ys[after[j]]) > high or max(ys[j], ys[after[j]]) < low:
                continue
            if after[i] == j:
                if _turns_back(xs, ys, i, j, after[j]):
                    return False
            elif after[j] == i:
                if _turns_back(xs, ys, j, i, after[i]):
                    return False
            elif _meet(xs, ys, i, after[i], j, after[j]):
                return False
    return True


@njit(cache=True, nogil=True)
def _sorted(keys: Any) -> Any:
    """The order of ``keys`` (Shell's sort: rings are short, and compiling a library's takes seconds)."""
    n = len(keys)
    order = np.arange(n)
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, n):
            one, j = order[i], i
            while j >= gap and keys[order[j - gap]] > keys[one]:
                order[j] = order[j - gap]
                j -= gap
            order[j] = one
        gap //= 3
    return order


@njit(cache=True, nogil=True)
def _side(xs: Any, ys: Any, a: int, b: int, c: int) -> int:
    return int((xs[b] - xs[a]) * (ys[c] - ys[a]) - (ys[b] - ys[a]) * (xs[c] - xs[a]))


@njit(cache=True, nogil=True)
def _turns_back(xs: Any, ys: Any, a: int, b: int, c: int) -> bool:
    """Whether the way a, b, c goes back over itself."""
    ahead = (xs[b] - xs[a]) * (xs[c] - xs[b]) + (ys[b] - ys[a]) * (ys[c] - ys[b])
    return bool(_side(xs, ys, a, b, c) == 0 and ahead < 0)


@njit(cache=True, nogil=True)
def _meet(xs: Any, ys: Any, a: int, b: int, c: int, d: int) -> bool:
    """Whether two sides whose boxes overlap have a point in common."""
    first, second = _side(xs, ys, a, b, c), _side(xs, ys, a, b, d)
    if (first > 0 and second > 0) or (first < 0 and second < 0):
        return False
    third, fourth = _side(xs, ys, c, d, a), _side(xs, ys, c, d, b)
    return not ((third > 0 and fourth > 0) or (third < 0 and fourth < 0))
