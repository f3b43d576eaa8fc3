"""Which polygon a point lies in, by a half-open rule that gives a point on a shared border to exactly one polygon.

The rule: a point belongs to the polygon that contains the place one infinitely small step **east** of it and, where the
border runs exactly east-west, one step **north**. So a western and a southern border belong to the polygon, an eastern
and a northern one to the neighbour. On the outer border, where no polygon lies east or north, the point belongs to the
polygon whose border it lies on (the lowest row if several meet there). Where polygons overlap, the lowest row wins.
The rule looks at axes of the CRS given; gridmap calls it in the local metric projection (x east, y north).

Ray crossing with exact arithmetic: J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust
Geometric Predicates", 1997. Points in raster cells that one polygon fills are answered by lookup.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CELLS_PER_POLYGON = 36
_CELLS_PER_EDGE = 1.5
_CELLS_MAX = 64_000_000


class CellIndex(NamedTuple):
    """Raster over polygons: cell -> entries (polygon, row bucket), row bucket -> edges. Build it with :func:`index`."""

    x0: float
    y0: float
    per_x: float
    per_y: float
    columns: int
    rows: int
    cell_start: NDArray[np.int32]
    entry_polygon: NDArray[np.int32]
    entry_bucket: NDArray[np.int32]
    bucket_start: NDArray[np.int32]
    bucket_edge: NDArray[np.int32]
    edges: Floats


def index(polygons: Any) -> CellIndex:
    """The cell index of ``polygons`` ((n,) Polygon or MultiPolygon; None and empty ones hold nothing)."""
    from geodata.locate_kernels import build

    edges, first_edge = polygon_edges(polygons)
    if not len(edges):
        zero = np.zeros(2, np.int32)
        return CellIndex(0.0, 0.0, 1.0, 1.0, 1, 1, zero, zero[:0], zero[:0], zero, zero[:0], edges)
    x0, y0 = edges[:, [0, 2]].min(), edges[:, [1, 3]].min()
    width = max(edges[:, [0, 2]].max() - x0, 1e-9)
    height = max(edges[:, [1, 3]].max() - y0, 1e-9)
    wanted = min(_CELLS_PER_POLYGON * (len(first_edge) - 1) + _CELLS_PER_EDGE * len(edges), _CELLS_MAX)
    columns = int(np.clip(np.sqrt(wanted * width / height), 1, wanted))
    rows = int(np.clip(wanted / columns, 1, wanted))
    per_x, per_y = columns / width, rows / height
    arrays: Any = build(edges, first_edge, x0, y0, per_x, per_y, columns, rows)
    return CellIndex(x0, y0, per_x, per_y, columns, rows, *arrays, edges)


def polygon_edges(polygons: Any) -> tuple[Floats, Ints]:
    """Edges of all rings as (m,4) x1 y1 x2 y2, lower end first, in polygon order, and (n+1,) offsets of polygons."""
    polygons = np.asarray(polygons, dtype=object)
    parts, polygon_of_part = shapely.get_parts(polygons, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    same = ring_of_vertex[1:] == ring_of_vertex[:-1]
    edges = np.hstack([xy[:-1], xy[1:]])[same]
    owner = polygon_of_part[part_of_ring[ring_of_vertex[:-1][same]]]
    swap = (edges[:, 3] < edges[:, 1]) | ((edges[:, 3] == edges[:, 1]) & (edges[:, 2] < edges[:, 0]))
    edges[swap] = edges[swap][:, [2, 3, 0, 1]]
    first = np.searchsorted(owner, np.arange(len(polygons) + 1))
    return np.ascontiguousarray(edges), first.astype(np.int64)


def locate(xy: Any, polygons: Any) -> Ints:
    """Row of the polygon that each point belongs to, (n,) int64, -1 outside all (NaN points too).

    ``xy`` is (n, 2) in the CRS of ``polygons``; a :class:`CellIndex` may be passed instead of polygons.
    """
    from geodata.locate_kernels import locate_points

    found = polygons if isinstance(polygons, CellIndex) else index(polygons)
    return locate_points(as_xy(xy), found)  # type: ignore[no-any-return]


def locate_all(xy: Any, polygons: Any) -> tuple[Ints, Ints]:
    """Every (point row, polygon row) where the point belongs to the polygon, for layers that overlap.

    Each polygon is asked alone, with the half-open rule and without the exception for outer borders.
    """
    from geodata.locate_kernels import locate_every

    found = polygons if isinstance(polygons, CellIndex) else index(polygons)
    points, rows = locate_every(as_xy(xy), found)
    return points, rows


def as_xy(xy: Any) -> Floats:
    """``xy`` as a contiguous (n, 2) float64 array."""
    return np.ascontiguousarray(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
