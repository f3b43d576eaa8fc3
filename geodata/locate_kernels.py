"""Compiled kernels of :mod:`geodata.locate`: building the cell index and exact half-open point location."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_FILTER = 3.3306690738754716e-16  # Shewchuk's ccwerrboundA
_SPLIT = 134217729.0  # 2**27 + 1, Dekker's splitter
_PAD = 1e-6  # of a cell: columns touched by an edge are taken generously
_WHOLE = -1  # bucket of an entry whose polygon fills the cell


@njit(cache=True)
def _two_product(a: float, b: float) -> Any:
    product = a * b
    c = _SPLIT * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = _SPLIT * b
    b_high = c - (c - b)
    b_low = b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@njit(cache=True)
def _exact_side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    left = np.array((ax, -ax, -px, -ay, ay, py))
    right = np.array((by, py, by, bx, px, bx))
    terms = np.zeros(12)
    size = 0
    for k in range(6):
        high, low = _two_product(left[k], right[k])
        for term in (low, high):
            carry = term
            for i in range(size):
                total = carry + terms[i]
                virtual = total - carry
                terms[i] = (carry - (total - virtual)) + (terms[i] - virtual)
                carry = total
            terms[size] = carry
            size += 1
    for i in range(size - 1, -1, -1):
        if terms[i] != 0.0:
            return 1 if terms[i] > 0.0 else -1
    return 0


@njit(cache=True)
def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """1 where p lies left of a->b, -1 right, 0 exactly on the line."""
    left = (ax - px) * (by - py)
    right = (ay - py) * (bx - px)
    det = left - right
    bound = _FILTER * (abs(left) + abs(right))
    if det > bound:
        return 1
    if det < -bound:
        return -1
    return _exact_side(ax, ay, bx, by, px, py)


@njit(cache=True)
def _clamp(value: float, count: int) -> int:
    cell = math.floor(value)
    return 0 if cell < 0 else (count - 1 if cell >= count else cell)


@njit(cache=True)
def _entries(
    edges: Any,
    first_edge: Any,
    x0: float,
    y0: float,
    per_x: float,
    per_y: float,
    columns: int,
    rows: int,
    first_bucket: Any,
    low_row: Any,
    bucket_start: Any,
    bucket_edge: Any,
    counts: Any,
    entry_polygon: Any,
    entry_bucket: Any,
    write: bool,
) -> None:
    """Count (``write`` false) or write the entries of every cell; ``counts`` is then the next free place of each."""
    touched = np.full(columns * rows, -1, np.int32)
    crossings = np.empty(64)
    for polygon in range(len(first_edge) - 1):
        for bucket in range(first_bucket[polygon], first_bucket[polygon + 1]):
            row = low_row[polygon] + bucket - first_bucket[polygon]
            bottom, top = y0 + row / per_y, y0 + (row + 1) / per_y
            middle = 0.5 * (bottom + top)
            if bucket_start[bucket + 1] - bucket_start[bucket] > len(crossings):
                crossings = np.empty(2 * (bucket_start[bucket + 1] - bucket_start[bucket]))
            found = 0
            for k in range(bucket_start[bucket], bucket_start[bucket + 1]):
                e = bucket_edge[k]
                ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
                start, end = ax, bx
                if by > ay:
                    slope = (bx - ax) / (by - ay)
                    if bottom > ay:
                        start = ax + (bottom - ay) * slope
                    if top < by:
                        end = ax + (top - ay) * slope
                    if ay <= middle < by:
                        x = ax + (middle - ay) * slope
                        at = found
                        while at > 0 and crossings[at - 1] > x:
                            crossings[at] = crossings[at - 1]
                            at -= 1
                        crossings[at] = x
                        found += 1
                west, east = min(start, end), max(start, end)
                for column in range(
                    _clamp((west - x0) * per_x - _PAD, columns), _clamp((east - x0) * per_x + _PAD, columns) + 1
                ):
                    cell = row * columns + column
                    if touched[cell] != polygon:
                        touched[cell] = polygon
                        if write:
                            entry_polygon[counts[cell]] = polygon
                            entry_bucket[counts[cell]] = bucket
                        counts[cell] += 1
            for k in range(0, found - 1, 2):
                column = _clamp((crossings[k] - x0) * per_x - 0.5, columns)
                last = _clamp((crossings[k + 1] - x0) * per_x - 0.5, columns)
                while column <= last:
                    centre = x0 + (column + 0.5) / per_x
                    cell = row * columns + column
                    if touched[cell] != polygon and crossings[k] <= centre < crossings[k + 1]:
                        if write:
                            entry_polygon[counts[cell]] = polygon
                            entry_bucket[counts[cell]] = _WHOLE
                        counts[cell] += 1
                    column += 1


@njit(cache=True)
def build(
    edges: Any, first_edge: Any, x0: float, y0: float, per_x: float, per_y: float, columns: int, rows: int
) -> Any:
    """Arrays of :class:`geodata.locate.CellIndex` from the edges of polygons."""
    n = len(first_edge) - 1
    low_row = np.zeros(n, np.int32)
    first_bucket = np.zeros(n + 1, np.int64)
    for polygon in range(n):
        low, high = rows, -1
        for e in range(first_edge[polygon], first_edge[polygon + 1]):
            low = min(low, _clamp((edges[e, 1] - y0) * per_y, rows))
            high = max(high, _clamp((edges[e, 3] - y0) * per_y, rows))
        low_row[polygon] = low
        first_bucket[polygon + 1] = first_bucket[polygon] + max(high - low + 1, 0)
    bucket_start = np.zeros(first_bucket[n] + 1, np.int32)
    for polygon in range(n):
        base = first_bucket[polygon] - low_row[polygon]
        for e in range(first_edge[polygon], first_edge[polygon + 1]):
            for row in range(_clamp((edges[e, 1] - y0) * per_y, rows), _clamp((edges[e, 3] - y0) * per_y, rows) + 1):
                bucket_start[base + row + 1] += 1
    for b in range(len(bucket_start) - 1):
        bucket_start[b + 1] += bucket_start[b]
    bucket_edge = np.empty(bucket_start[-1], np.int32)
    free = bucket_start[:-1].copy()
    for polygon in range(n):
        base = first_bucket[polygon] - low_row[polygon]
        for e in range(first_edge[polygon], first_edge[polygon + 1]):
            for row in range(_clamp((edges[e, 1] - y0) * per_y, rows), _clamp((edges[e, 3] - y0) * per_y, rows) + 1):
                bucket_edge[free[base + row]] = e
                free[base + row] += 1
    counts = np.zeros(columns * rows, np.int32)
    none = np.empty(0, np.int32)
    _entries(
        edges, first_edge, x0, y0, per_x, per_y, columns, rows, first_bucket, low_row, bucket_start, bucket_edge,
        counts, none, none, False,
    )  # fmt: skip
    cell_start = np.zeros(columns * rows + 1, np.int32)
    for c in range(columns * rows):
        cell_start[c + 1] = cell_start[c] + counts[c]
        counts[c] = cell_start[c]
    entry_polygon = np.empty(cell_start[-1], np.int32)
    entry_bucket = np.empty(cell_start[-1], np.int32)
    _entries(
        edges, first_edge, x0, y0, per_x, per_y, columns, rows, first_bucket, low_row, bucket_start, bucket_edge,
        counts, entry_polygon, entry_bucket, True,
    )  # fmt: skip
    return cell_start, entry_polygon, entry_bucket, bucket_start, bucket_edge


@njit(cache=True)
def _inside(edges: Any, bucket_edge: Any, first: int, last: int, x: float, y: float) -> bool:
    inside = False
    for k in range(first, last):
        e = bucket_edge[k]
        ay, by = edges[e, 1], edges[e, 3]
        if ay <= y < by:
            ax, bx = edges[e, 0], edges[e, 2]
            if (x < ax and x < bx) or (not (x > ax and x > bx) and side(ax, ay, bx, by, x, y) > 0):
                inside = not inside
    return inside


@njit(cache=True)
def _on_border(edges: Any, bucket_edge: Any, first: int, last: int, x: float, y: float) -> bool:
    for k in range(first, last):
        e = bucket_edge[k]
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if ay <= y <= by and min(ax, bx) <= x <= max(ax, bx) and side(ax, ay, bx, by, x, y) == 0:
            return True
    return False


@njit(cache=True)
def _cell(index: Any, x: float, y: float) -> int:
    column, row = (x - index.x0) * index.per_x, (y - index.y0) * index.per_y
    # generous by one cell: a point on the outer border may round just beyond the raster
    if not (-1.0 < column < index.columns + 1.0 and -1.0 < row < index.rows + 1.0):
        return -1
    return _clamp(row, index.rows) * index.columns + _clamp(column, index.columns)


@njit(cache=True)
def locate_points(xy: Any, index: Any) -> Any:
    """The polygon of each point, -1 outside."""
    found = np.full(len(xy), -1, np.int64)
    for p in range(len(xy)):
        x, y = xy[p, 0], xy[p, 1]
        cell = _cell(index, x, y)
        if cell < 0:
            continue
        start, end = index.cell_start[cell], index.cell_start[cell + 1]
        for k in range(start, end):
            b = index.entry_bucket[k]
            if b == _WHOLE or _inside(
                index.edges, index.bucket_edge, index.bucket_start[b], index.bucket_start[b + 1], x, y
            ):
                found[p] = index.entry_polygon[k]
                break
        if found[p] < 0:
            for k in range(start, end):
                b = index.entry_bucket[k]
                if _on_border(index.edges, index.bucket_edge, index.bucket_start[b], index.bucket_start[b + 1], x, y):
                    found[p] = index.entry_polygon[k]
                    break
    return found


@njit(cache=True)
def locate_every(xy: Any, index: Any) -> Any:
    """All (point, polygon) pairs, each polygon by itself."""
    points = np.empty(max(len(xy), 16), np.int64)
    polygons = np.empty(max(len(xy), 16), np.int64)
    size = 0
    for p in range(len(xy)):
        x, y = xy[p, 0], xy[p, 1]
        cell = _cell(index, x, y)
        if cell < 0:
            continue
        for k in range(index.cell_start[cell], index.cell_start[cell + 1]):
            b = index.entry_bucket[k]
            if b == _WHOLE or _inside(
                index.edges, index.bucket_edge, index.bucket_start[b], index.bucket_start[b + 1], x, y
            ):
                if size == len(points):
                    points = np.concatenate((points, np.empty(size, np.int64)))
                    polygons = np.concatenate((polygons, np.empty(size, np.int64)))
                points[size] = p
                polygons[size] = index.entry_polygon[k]
                size += 1
    return points[:size].copy(), polygons[:size].copy()
