"""Polygons of WKB in the raster of a tile, cut at a window, as the commands of a vector tile."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from geodata.mvt.clip import clip
from geodata.mvt.plain import area2, plain
from geodata.mvt.protobuf import copied, varint

_MULTI, _POLYGON, _SRID = 6, 3, 0x20000000
#: Radians from the middle of the tile up to which the series is exact enough.
_NEAR = 1e-3


@njit(cache=True, nogil=True)
def commands(data: Any, where: Any, frame: Any, low: int, high: int) -> tuple[Any, Any, Any]:
    """The commands of the shapes at ``where`` (first byte, bytes) in ``data``: all of them, where those of each
    shape lie, and which shapes are too hard to be told here (not plain after rounding, or no polygon).

    ``frame`` leads from degrees to steps; one of zeros: the shapes are whole steps already, and within the window
    ``low`` to ``high``.
    """
    n = len(where)
    most = 0
    for k in range(n):
        most = max(most, where[k, 1])
    points = most // 16 + 4
    raw = np.empty(points * 16, np.uint8)
    shape = (
        np.empty(points, np.int64),
        np.empty(points, np.int64),
        np.empty(points, np.int64),
        np.empty(points, np.int64),
    )
    room = 8 * points + 16
    cut = (np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64))
    lines, pieces, hard = np.empty(len(data) + 64, np.uint8), np.zeros((n, 2), np.int64), np.zeros(n, np.bool_)
    used = 0
    settled = frame[0] == 0.0
    for k in range(n):
        pieces[k, 0] = used
        if where[k, 1] <= 0:
            continue
        rings = _read(data, where[k, 0], frame, raw, shape)
        if rings < 0:
            hard[k] = True
            continue
        if settled:
            told, kept = shape, rings
        else:
            told = cut
            kept = clip(shape, rings, low, high, cut)
            if kept < 0 or not plain(cut, kept):
                hard[k] = True
                continue
        if kept == 0:
            continue
        need = used + 10 * told[2][kept - 1] + 16 * kept
        if need > len(lines):
            more = np.empty(2 * need, np.uint8)
            copied(more, 0, lines, 0, used)
            lines = more
        end = _write(told, kept, lines, used)
        pieces[k, 1] = end - used
        used = end
    return lines[:used], pieces, hard


@njit(cache=True, nogil=True)
def _read(data: Any, at: int, frame: Any, raw: Any, shape: Any) -> int:
    """Read one shape into ``shape`` (x, y, end of each ring, its shell); the number of rings, -1 for no polygon.

    A ring comes open, without the same point twice in a row; shells run with a positive area, holes with a negative
    one; what has none after rounding is left out, and the holes of such a shell with it.
    """
    xs, ys, ends, shells = shape
    lonlat = raw.view(np.float64)
    kind, at = _head(data, at)
    parts = 1
    if kind == _MULTI:
        parts, at = _number(data, at), at + 4
    elif kind != _POLYGON:
        return -1
    rings, used = 0, 0
    for _ in range(parts):
        if kind == _MULTI:
            inner, at = _head(data, at)
            if inner != _POLYGON:
                return -1
        count, at = _number(data, at), at + 4
        shell = -1
        for r in range(count):
            n, at = _number(data, at), at + 4
            for i in range(16 * n):
                raw[i] = data[at + i]
            at += 16 * n
            if r > 0 and shell < 0:
                continue
            end = _snap(lonlat, n, frame, xs, ys, used)
            area = area2(xs, ys, used, end) if end - used > 2 else 0.0
            if area == 0.0:
                continue
            if (area > 0.0) != (r == 0):
                for i in range((end - used) // 2):
                    j, k = used + i, end - 1 - i
                    xs[j], xs[k] = xs[k], xs[j]
                    ys[j], ys[k] = ys[k], ys[j]
            if r == 0:
                shell = rings
            ends[rings], shells[rings] = end, shell
            rings += 1
            used = end
    return rings


@njit(cache=True, nogil=True)
def _head(data: Any, at: int) -> tuple[int, int]:
    """The kind of the WKB at ``at``, -1 where it is not of this machine's order, and where its content begins."""
    if data[at] != 1:
        return -1, at
    kind = _number(data, at + 1)
    return (kind & ~_SRID, at + 9) if kind & _SRID else (kind, at + 5)


@njit(cache=True, nogil=True)
def _number(data: Any, at: int) -> int:
    low = np.int64(data[at]) | np.int64(data[at + 1]) << 8
    return int(low | np.int64(data[at + 2]) << 16 | np.int64(data[at + 3]) << 24)


@njit(cache=True, nogil=True)
def _snap(lonlat: Any, n: int, frame: Any, xs: Any, ys: Any, used: int) -> int:
    """Round ``n`` points (the last repeats the first) to steps behind ``used``; the new end."""
    east, west, up, north, middle, height, first, second, third, fourth = frame
    end = used
    for i in range(n - 1):
        x, y = lonlat[2 * i], lonlat[2 * i + 1]
        if east != 0.0:
            d = math.radians(y) - middle
            if abs(d) < _NEAR:
                y = height + d * (first + d * (second + d * (third + d * fourth)))
            else:
                y = math.atanh(math.sin(d + middle))
            x, y = x * east + west, north - up * y
        px, py = math.floor(x + 0.5), math.floor(y + 0.5)
        if end == used or px != xs[end - 1] or py != ys[end - 1]:
            xs[end], ys[end] = px, py
            end += 1
    while end - used > 1 and xs[end - 1] == xs[used] and ys[end - 1] == ys[used]:
        end -= 1
    return end


@njit(cache=True, nogil=True)
def _write(shape: Any, rings: int, lines: Any, used: int) -> int:
    """Write the commands of each shell and then of its holes; the new end."""
    xs, ys, ends, shells = shape
    x, y = 0, 0
    for s in range(rings):
        if shells[s] != s:
            continue
        for r in range(s, rings):
            if shells[r] != s:
                continue
            begin, end = ends[r - 1] if r > 0 else 0, ends[r]
            for i in range(begin, end):
                if i == begin:
                    used = varint(lines, used, 9)
                elif i == begin + 1:
                    used = varint(lines, used, (end - begin - 1) << 3 | 2)
                used = varint(lines, used, _zigzag(xs[i] - x))
                used = varint(lines, used, _zigzag(ys[i] - y))
                x, y = xs[i], ys[i]
            used = varint(lines, used, 15)
    return used


@njit(cache=True, nogil=True)
def _zigzag(value: int) -> int:
    return value << 1 ^ value >> 63
