"""Compiled kernels of :mod:`geodata.locate`: building the cell index and exact half-open point location."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_FILTER = 3.3306690738754716e-16  # Shewchuk's ccwerrboundA
_SPLIT = 134217729.0  # 2**27 + 1, Dekker's splitter
_PAD = 1e-6  # of a cell: columns touched by an edge are taken generously
_RUN = 6  # points near borders are visited in runs of 2**6 cells
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
def _edge(xy: Any, v: int) -> Any:
    """Ends of the edge from vertex v to v + 1, the lower one first: neighbours compute with the same numbers."""
    ax, ay, bx, by = xy[v, 0], xy[v, 1], xy[v + 1, 0], xy[v + 1, 1]
    return (ax, ay, bx, by) if ay <= by else (bx, by, ax, ay)


@njit(cache=True)
def _clamp(value: float, count: int) -> int:
    cell = math.floor(value)
    return 0 if cell < 0 else (count - 1 if cell >= count else cell)


@njit(cache=True)
def _room(table: Any, size: int, more: int) -> Any:
    """``table`` with room for ``more`` rows after ``size``."""
    if size + more <= len(table):
        return table
    wider = np.empty((2 * len(table) + more, 3), np.int32)
    wider[:size] = table[:size]
    return wider


@njit(cache=True)
def _entries(
    xy: Any, x0: float, y0: float, per_x: float, per_y: float, columns: int, rows: int,
    first_bucket: Any, low_row: Any, bucket_start: Any, bucket_edge: Any,
) -> Any:  # fmt: skip
    """(cell, polygon, bucket) of every cell that a polygon touches with an edge, or fills (bucket ``_WHOLE``)."""
    touched = np.full(columns * rows, -1, np.int32)
    table = np.empty((2 * columns * rows + 1024, 3), np.int32)  # pages never written cost nothing
    size = 0
    crossings = np.empty(64)
    for polygon in range(len(low_row)):
        for bucket in range(first_bucket[polygon], first_bucket[polygon + 1]):
            row = low_row[polygon] + bucket - first_bucket[polygon]
            bottom, top = y0 + row / per_y, y0 + (row + 1) / per_y
            middle = 0.5 * (bottom + top)
            if bucket_start[bucket + 1] - bucket_start[bucket] > len(crossings):
                crossings = np.empty(2 * (bucket_start[bucket + 1] - bucket_start[bucket]))
            found = 0
            for k in range(bucket_start[bucket], bucket_start[bucket + 1]):
                e = bucket_edge[k]
                ax, ay, bx, by = _edge(xy, e)
                start, end = ax, bx
                if by > ay and (bottom > ay or top < by or ay <= middle < by):
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
                first = _clamp((min(start, end) - x0) * per_x - _PAD, columns)
                last = _clamp((max(start, end) - x0) * per_x + _PAD, columns)
                table = _room(table, size, last - first + 1)
                for cell in range(row * columns + first, row * columns + last + 1):
                    if touched[cell] != polygon:
                        touched[cell] = polygon
                        table[size, 0], table[size, 1], table[size, 2] = cell, polygon, bucket
                        size += 1
            for k in range(0, found - 1, 2):
                first = _clamp((crossings[k] - x0) * per_x - 0.5, columns)
                last = _clamp((crossings[k + 1] - x0) * per_x - 0.5, columns)
                table = _room(table, size, last - first + 1)
                for column in range(first, last + 1):
                    centre = x0 + (column + 0.5) / per_x
                    cell = row * columns + column
                    if touched[cell] != polygon and crossings[k] <= centre < crossings[k + 1]:
                        table[size, 0], table[size, 1], table[size, 2] = cell, polygon, _WHOLE
                        size += 1
    return table[:size]


@njit(cache=True)
def _buckets(row: Any, rings: Any, first_ring: Any) -> Any:
    """For each polygon its lowest row and first bucket; for each bucket its edges (number of their first vertex).

    ``row`` is the raster row of each vertex; a bucket holds the edges of one polygon that reach into one row.
    """
    n = len(first_ring) - 1
    low_row = np.zeros(n, np.int32)
    first_bucket = np.zeros(n + 1, np.int64)
    for polygon in range(n):
        start, end = rings[first_ring[polygon]], rings[first_ring[polygon + 1]]
        buckets = 0
        if end > start:
            low_row[polygon] = row[start:end].min()
            buckets = row[start:end].max() - low_row[polygon] + 1
        first_bucket[polygon + 1] = first_bucket[polygon] + buckets
    # shifted by one: what counts the next free place here is the start of the bucket afterwards
    bucket_start = np.zeros(first_bucket[n] + 2, np.int32)
    for place in (False, True):
        if place:
            for b in range(len(bucket_start) - 2):
                bucket_start[b + 2] += bucket_start[b + 1]
            bucket_edge = np.empty(bucket_start[-1], np.int32)
        for polygon in range(n):
            base = first_bucket[polygon] - low_row[polygon]
            for ring in range(first_ring[polygon], first_ring[polygon + 1]):
                for v in range(rings[ring], rings[ring + 1] - 1):
                    for r in range(min(row[v], row[v + 1]), max(row[v], row[v + 1]) + 1):
                        if place:
                            bucket_edge[bucket_start[base + r + 1]] = v
                            bucket_start[base + r + 1] += 1
                        else:
                            bucket_start[base + r + 2] += 1
    return low_row, first_bucket, bucket_start[:-1], bucket_edge


@njit(cache=True)
def build(
    xy: Any, rings: Any, first_ring: Any, x0: float, y0: float, per_x: float, per_y: float, columns: int, rows: int
) -> Any:
    """Arrays of :class:`geodata.locate.CellIndex` from rings ((r + 1,) offsets into ``xy``) of polygons (offsets)."""
    row = np.empty(len(xy), np.int32)
    for v in range(len(xy)):
        row[v] = _clamp((xy[v, 1] - y0) * per_y, rows)
    low_row, first_bucket, bucket_start, bucket_edge = _buckets(row, rings, first_ring)
    table = _entries(
        xy, x0, y0, per_x, per_y, columns, rows, first_bucket, low_row, bucket_start, bucket_edge
    )  # fmt: skip
    cell_start = np.zeros(columns * rows + 2, np.int32)
    for k in range(len(table)):
        cell_start[table[k, 0] + 2] += 1
    for c in range(columns * rows):
        cell_start[c + 2] += cell_start[c + 1]
    entry_polygon = np.empty(len(table), np.int32)
    entry_bucket = np.empty(len(table), np.int32)
    # shifted by one: what counts the next free place here is the start of the cell afterwards
    for k in range(len(table)):
        cell = table[k, 0]
        at = cell_start[cell + 1]
        cell_start[cell + 1] += 1
        entry_polygon[at], entry_bucket[at] = table[k, 1], table[k, 2]
    cell_owner = np.full(columns * rows, -1, np.int32)
    for cell in range(columns * rows):
        start = cell_start[cell]
        if start < cell_start[cell + 1] and entry_bucket[start] == _WHOLE:
            cell_owner[cell] = entry_polygon[start]
    return cell_owner, cell_start[:-1], entry_polygon, entry_bucket, bucket_start, bucket_edge


@njit(cache=True)
def _inside(xy: Any, bucket_edge: Any, first: int, last: int, x: float, y: float) -> bool:
    """Half-open ray crossing to the east, without branches; where rounding might decide, it is asked exactly."""
    crossings = 0
    unsure = False
    for k in range(first, last):
        v = bucket_edge[k]
        ax, ay, bx, by = xy[v, 0] - x, xy[v, 1] - y, xy[v + 1, 0] - x, xy[v + 1, 1] - y
        left, right = ax * by, ay * bx
        upward = ay <= 0.0
        straddles = upward != (by <= 0.0)
        crossings += straddles & ((left > right) == upward)
        unsure |= straddles & (abs(left - right) <= _FILTER * (abs(left) + abs(right)))
    if unsure:
        return _inside_exactly(xy, bucket_edge, first, last, x, y)
    return crossings % 2 == 1


@njit(cache=True)
def _inside_exactly(xy: Any, bucket_edge: Any, first: int, last: int, x: float, y: float) -> bool:
    inside = False
    for k in range(first, last):
        ax, ay, bx, by = _edge(xy, bucket_edge[k])
        if ay <= y < by and side(ax, ay, bx, by, x, y) > 0:
            inside = not inside
    return inside


@njit(cache=True)
def _on_border(xy: Any, bucket_edge: Any, first: int, last: int, x: float, y: float) -> bool:
    for k in range(first, last):
        e = bucket_edge[k]
        ax, ay, bx, by = _edge(xy, e)
        if ay <= y <= by and min(ax, bx) <= x <= max(ax, bx) and side(ax, ay, bx, by, x, y) == 0:
            return True
    return False


@njit(cache=True)
def _cell(x: float, y: float, x0: float, y0: float, per_x: float, per_y: float, columns: int, rows: int) -> int:
    """The cell of a point, -1 outside the raster."""
    column, row = (x - x0) * per_x, (y - y0) * per_y
    # generous by one cell: a point on the outer border may round just beyond the raster
    if -1.0 < column < columns + 1.0 and -1.0 < row < rows + 1.0:
        return _clamp(row, rows) * columns + _clamp(column, columns)
    return -1


@njit(cache=True)
def _by_run(points: Any, cells: Any, count: int) -> Any:
    """Order of ``points`` by runs of cells, so that near points find the same edges in the cache."""
    free = np.zeros((count >> _RUN) + 2, np.int32)
    for k in range(len(points)):
        free[(cells[k] >> _RUN) + 1] += 1
    for run in range(len(free) - 1):
        free[run + 1] += free[run]
    order = np.empty(len(points), np.int32)
    for k in range(len(points)):
        order[free[cells[k] >> _RUN]] = k
        free[cells[k] >> _RUN] += 1
    return order


@njit(cache=True)
def locate_points(xy: Any, index: Any, found: Any) -> None:
    """Write the polygon of each point to ``found``, -1 outside."""
    # locals: an attribute of the index read inside the loop costs more than the search
    x0, y0, per_x, per_y, columns, rows = index.x0, index.y0, index.per_x, index.per_y, index.columns, index.rows
    owner, cell_start, polygons, buckets = index.cell_owner, index.cell_start, index.entry_polygon, index.entry_bucket
    bucket_start, bucket_edge, corners = index.bucket_start, index.bucket_edge, index.xy
    points, cells = np.empty(len(xy), np.int32), np.empty(len(xy), np.int32)
    size = 0
    for p in range(len(xy)):
        cell = _cell(xy[p, 0], xy[p, 1], x0, y0, per_x, per_y, columns, rows)
        found[p] = -1 if cell < 0 else owner[cell]
        if cell >= 0 and found[p] < 0:
            points[size], cells[size] = p, cell
            size += 1
    for i in _by_run(points[:size], cells[:size], len(owner)):
        p = points[i]
        x, y = xy[p, 0], xy[p, 1]
        start, end = cell_start[cells[i]], cell_start[cells[i] + 1]
        for k in range(start, end):
            b = buckets[k]
            if b == _WHOLE or _inside(corners, bucket_edge, bucket_start[b], bucket_start[b + 1], x, y):
                found[p] = polygons[k]
                break
        if found[p] < 0:
            for k in range(start, end):
                b = buckets[k]
                if _on_border(corners, bucket_edge, bucket_start[b], bucket_start[b + 1], x, y):
                    found[p] = polygons[k]
                    break


@njit(cache=True)
def add_weights(found: Any, weights: Any, sums: Any) -> None:
    """Add the weights (n, k) of each point to its polygon's row of ``sums``."""
    for p in range(len(found)):
        if found[p] >= 0:
            for k in range(weights.shape[1]):
                sums[found[p], k] += weights[p, k]


@njit(cache=True)
def locate_every(xy: Any, index: Any) -> Any:
    """All (point, polygon) pairs, each polygon by itself."""
    points = np.empty(max(len(xy), 16), np.int64)
    polygons = np.empty(max(len(xy), 16), np.int64)
    size = 0
    x0, y0, per_x, per_y, columns, rows = index.x0, index.y0, index.per_x, index.per_y, index.columns, index.rows
    for p in range(len(xy)):
        x, y = xy[p, 0], xy[p, 1]
        cell = _cell(x, y, x0, y0, per_x, per_y, columns, rows)
        if cell < 0:
            continue
        for k in range(index.cell_start[cell], index.cell_start[cell + 1]):
            b = index.entry_bucket[k]
            if b == _WHOLE or _inside(
                index.xy, index.bucket_edge, index.bucket_start[b], index.bucket_start[b + 1], x, y
            ):
                if size == len(points):
                    points = np.concatenate((points, np.empty(size, np.int64)))
                    polygons = np.concatenate((polygons, np.empty(size, np.int64)))
                points[size] = p
                polygons[size] = index.entry_polygon[k]
                size += 1
    return points[:size].copy(), polygons[:size].copy()
