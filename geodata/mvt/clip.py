"""Cutting polygons at a square window: what of their rings runs within it, joined along its border.

A ring runs with the polygon to its left. Where one leaves the window, the border of what is left follows the window's
(also with the inside to the left) to where a ring next enters. Points on the window's border count as outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from geodata.mvt.plain import area2


@njit(cache=True, nogil=True)
def clip(shape: Any, rings: int, low: int, high: int, cut: Any) -> int:
    """Cut ``shape`` into ``cut`` (x, y, end of each ring, its shell); the number of rings, -1 where it is not certain.

    The first points of ``cut`` must have room for eight times those of ``shape``.
    """
    xs, ys, ends, shells = shape
    kept, used, r = 0, 0, 0
    while r < rings:
        last = r
        while last < rings and shells[last] == r:
            last += 1
        begin = ends[r - 1] if r > 0 else 0
        where = _place(xs, ys, begin, ends[r], low, high)
        if where == 1:  # wholly within, and so are its holes
            for h in range(r, last):
                kept, used = _take(shape, h, cut, kept, used, kept if h == r else cut[3][kept - 1])
        elif where == 0:
            kept, used = _part(shape, r, last, low, high, cut, kept, used)
            if kept < 0:
                return -1
        r = last
    return kept


@njit(cache=True, nogil=True)
def _place(xs: Any, ys: Any, begin: int, end: int, low: int, high: int) -> int:
    """1: a ring lies within the window; -1: beside it; 0: neither is certain."""
    west, east, south, north = xs[begin], xs[begin], ys[begin], ys[begin]
    for i in range(begin + 1, end):
        west, east = min(west, xs[i]), max(east, xs[i])
        south, north = min(south, ys[i]), max(north, ys[i])
    if west > low and east < high and south > low and north < high:
        return 1
    return -1 if west >= high or east <= low or south >= high or north <= low else 0


@njit(cache=True, nogil=True)
def _take(shape: Any, ring: int, cut: Any, kept: int, used: int, shell: int) -> tuple[int, int]:
    """Add a ring as it is; the new numbers of rings and points."""
    begin, end = shape[2][ring - 1] if ring > 0 else 0, shape[2][ring]
    size = end - begin
    for i in range(size):
        cut[0][used + i], cut[1][used + i] = shape[0][begin + i], shape[1][begin + i]
    cut[2][kept], cut[3][kept] = used + size, shell
    return kept + 1, used + size


@njit(cache=True, nogil=True)
def _part(shape: Any, first: int, last: int, low: int, high: int, cut: Any, kept: int, used: int) -> tuple[int, int]:
    """Cut one polygon, the rings ``first`` to ``last`` of ``shape``; the new numbers of rings and points."""
    xs, ys, ends, _ = shape
    room = 0
    for r in range(first, last):
        room += ends[r] - (ends[r - 1] if r > 0 else 0)
    px, py = np.empty(3 * room, np.int64), np.empty(3 * room, np.int64)
    chain = np.empty((room + 1, 2), np.int64)  # first point, end
    along = np.empty((room + 1, 2))  # where on the window's border it enters and leaves
    chains, points, open_hole = 0, 0, False
    whole = np.zeros(last - first, np.bool_)
    middle = (low + high) // 2
    around = False
    for r in range(first, last):
        begin = ends[r - 1] if r > 0 else 0
        where = _place(xs, ys, begin, ends[r], low, high)
        if where == 1:
            whole[r - first] = True
        elif where == 0:
            before = chains
            chains, points = _chains(xs, ys, begin, ends[r], low, high, px, py, chain, along, chains, points)
            if chains == before and _holds(xs, ys, begin, ends[r], middle, middle):
                if r == first:
                    around = True
                else:
                    open_hole = True
    shell = kept
    if chains == 0:
        if not around or open_hole:
            return kept, used
        for corner in range(4):
            cut[0][used], cut[1][used] = _corner(corner, low, high)
            used += 1
        cut[2][kept], cut[3][kept] = used, kept
        kept += 1
    else:
        kept, used = _join(px, py, chain, along, chains, low, high, cut, kept, used)
    end = kept
    for r in range(first, last):
        if kept < 0:
            break
        if whole[r - first]:
            begin = ends[r - 1] if r > 0 else 0
            owner = -1
            for s in range(shell, end):
                if _holds(cut[0], cut[1], cut[2][s - 1] if s > 0 else 0, cut[2][s], xs[begin], ys[begin]):
                    owner = s
            if owner < 0:
                return -1, used
            kept, used = _take(shape, r, cut, kept, used, owner)
    return kept, used


@njit(cache=True, nogil=True)
def _chains(
    xs: Any, ys: Any, begin: int, end: int, low: int, high: int,
    px: Any, py: Any, chain: Any, along: Any, chains: int, points: int,
) -> tuple[int, int]:  # fmt: skip
    """Add what of a ring runs within the window; the new numbers of chains and points."""
    start = begin
    while start < end and low < xs[start] < high and low < ys[start] < high:
        start += 1
    n = end - begin
    within = False  # the first corner is outside: the ring does not lie wholly within
    for k in range(n):
        i = begin + (start - begin + k) % n
        j = begin + (start - begin + k + 1) % n
        ax, ay, bx, by = xs[i], ys[i], xs[j], ys[j]
        dx, dy = float(bx - ax), float(by - ay)
        enters, leaves, through, out = 0.0, 1.0, -1, -1
        seen = True
        for side in range(4):
            if side == 0:
                step, left = -dy, float(ay - low)
            elif side == 1:
                step, left = dx, float(high - ax)
            elif side == 2:
                step, left = dy, float(high - ay)
            else:
                step, left = -dx, float(ax - low)
            if step == 0.0:
                seen = seen and left > 0.0
            elif step < 0.0:
                if left / step >= enters and left <= 0.0:
                    enters, through = left / step, side
            elif left / step <= leaves and left <= step:
                leaves, out = left / step, side
        if not (seen and enters < leaves):
            continue
        if not within:
            px[points], py[points], along[chains, 0] = _on_border(
                ax + enters * dx, ay + enters * dy, through, low, high
            )
            chain[chains, 0] = points
            points += 1
            within = True
        if out < 0:
            px[points], py[points] = bx, by
            points += 1
        else:
            px[points], py[points], along[chains, 1] = _on_border(ax + leaves * dx, ay + leaves * dy, out, low, high)
            points += 1
            chain[chains, 1] = points
            chains += 1
            within = False
    return chains, points


@njit(cache=True, nogil=True)
def _on_border(x: float, y: float, side: int, low: int, high: int) -> tuple[int, int, float]:
    """The whole point on a side of the window (south, east, north, west) and the way to it along the border."""
    width = float(high - low)
    if side == 0 or side == 2:
        x = min(max(x, float(low)), float(high))
        at = int(np.floor(x + 0.5))
        return (at, low, x - low) if side == 0 else (at, high, 2 * width + high - x)
    y = min(max(y, float(low)), float(high))
    at = int(np.floor(y + 0.5))
    if side == 1:
        return high, at, width + y - low
    return low, at, 3 * width + high - y if y > low else 0.0


@njit(cache=True, nogil=True)
def _corner(number: int, low: int, high: int) -> tuple[int, int]:
    return (high if number == 1 or number == 2 else low), (high if number >= 2 else low)


@njit(cache=True, nogil=True)
def _join(
    px: Any, py: Any, chain: Any, along: Any, chains: int, low: int, high: int, cut: Any, kept: int, used: int
) -> tuple[int, int]:
    """Join chains along the window's border to rings; the new numbers of both (rings: -1 where it is not certain)."""
    width = float(high - low)
    taken = np.zeros(chains, np.bool_)
    for first in range(chains):
        if taken[first]:
            continue
        begin, c = used, first
        while True:
            taken[c] = True
            for i in range(chain[c, 0], chain[c, 1]):
                used = _add(cut, begin, used, px[i], py[i])
            leaves, best, following = along[c, 1], 8 * width, -1
            for other in range(chains):
                way = along[other, 0] - leaves
                if way < 0.0:
                    way += 4 * width
                if way < best:
                    best, following = way, other
            corner = int(leaves // width) + 1
            while corner * width < leaves + best:
                x, y = _corner(corner % 4, low, high)
                used = _add(cut, begin, used, x, y)
                corner += 1
            if following == first:
                break
            if taken[following]:
                return -1, used
            c = following
        while used - begin > 1 and cut[0][used - 1] == cut[0][begin] and cut[1][used - 1] == cut[1][begin]:
            used -= 1
        area = area2(cut[0], cut[1], begin, used) if used - begin > 2 else 0.0
        if area < 0.0:
            return -1, used
        if area == 0.0:
            used = begin
            continue
        cut[2][kept], cut[3][kept] = used, kept
        kept += 1
    return kept, used


@njit(cache=True, nogil=True)
def _add(cut: Any, begin: int, used: int, x: int, y: int) -> int:
    if used > begin and cut[0][used - 1] == x and cut[1][used - 1] == y:
        return used
    cut[0][used], cut[1][used] = x, y
    return used + 1


@njit(cache=True, nogil=True)
def _holds(xs: Any, ys: Any, begin: int, end: int, x: int, y: int) -> bool:
    """Whether a ring goes around a point that does not lie on it."""
    inside = False
    j = end - 1
    for i in range(begin, end):
        if (ys[i] > y) != (ys[j] > y):
            t = (float(y) - ys[i]) / (float(ys[j]) - ys[i])
            if xs[i] + t * (xs[j] - xs[i]) > x:
                inside = not inside
        j = i
    return inside
