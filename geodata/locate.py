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

_CELLS_PER_POLYGON = 40
_CELLS_PER_VERTEX = 0.5
_CELLS_MAX = 64_000_000


class CellIndex(NamedTuple):
    """Raster over polygons: cell -> entries (polygon, row bucket), row bucket -> edges (their first
    vertices in ``xy``). Build it with :func:`index`."""

    x0: float
    y0: float
    per_x: float
    per_y: float
    columns: int
    rows: int
    cell_owner: NDArray[np.int32]
    cell_start: NDArray[np.int32]
    entry_polygon: NDArray[np.int32]
    entry_bucket: NDArray[np.int32]
    bucket_start: NDArray[np.int32]
    bucket_edge: NDArray[np.int32]
    xy: Floats


def index(polygons: Any) -> CellIndex:
    """The cell index of ``polygons`` ((n,) Polygon or MultiPolygon; None and empty ones hold nothing)."""
    from geodata.locate_kernels import build

    xy, rings, first_ring = _rings(polygons)
    if not len(xy):
        zero = np.zeros(2, np.int32)
        return CellIndex(0.0, 0.0, 1.0, 1.0, 1, 1, zero[:1] - 1, zero, zero[:0], zero[:0], zero, zero[:0], xy)
    (x0, x1), (y0, y1) = ((xy[:, k].min(), xy[:, k].max()) for k in (0, 1))
    width, height = max(x1 - x0, 1e-9), max(y1 - y0, 1e-9)
    wanted = min(_CELLS_PER_POLYGON * (len(first_ring) - 1) + _CELLS_PER_VERTEX * len(xy), _CELLS_MAX)
    columns = int(np.clip(np.sqrt(wanted * width / height), 1, wanted))
    rows = int(np.clip(wanted / columns, 1, wanted))
    per_x, per_y = columns / width, rows / height
    owner, start, polygon, bucket, bucket_start, bucket_edge = build(
        xy, rings, first_ring, x0, y0, per_x, per_y, columns, rows
    )
    return CellIndex(
        x0, y0, per_x, per_y, columns, rows, owner, start, polygon, bucket, bucket_start, bucket_edge, xy
    )  # fmt: skip


def _rings(polygons: Any) -> tuple[Floats, Ints, Ints]:
    """Vertices of all rings (m, 2), offsets of rings into them, and offsets of polygons into rings."""
    shapes = np.array(polygons, dtype=object)
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    if not len(shapes):
        return np.empty((0, 2)), np.zeros(1, np.int64), np.zeros(1, np.int64)
    kind, xy, offsets = shapely.to_ragged_array(shapes, include_z=False)
    if kind not in (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON):
        raise TypeError(f"polygons wanted, not {kind.name}")
    rings, parts = offsets[:2]
    polygon_rings = parts if kind == shapely.GeometryType.POLYGON else parts[offsets[2]]
    return np.ascontiguousarray(xy), rings.astype(np.int64), polygon_rings.astype(np.int64)


def locate(xy: Any, polygons: Any) -> Ints:
    """Row of the polygon that each point belongs to, (n,) int64, -1 outside all (NaN points too).

    ``xy`` is (n, 2) in the CRS of ``polygons``; a :class:`CellIndex` may be passed instead of polygons.
    """
    from geodata.locate_kernels import locate_points

    cells = polygons if isinstance(polygons, CellIndex) else index(polygons)
    points = as_xy(xy)
    found = np.empty(len(points), np.int64)
    locate_points(points, cells, found)
    return found


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
