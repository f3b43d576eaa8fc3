"""Which grids lie beside each other: they share a border, not only a corner."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def beside(geometry: Any) -> tuple[Ints, Ints]:
    """Pairs i < j of polygons (n,) that share more of their outlines than points; None has no neighbour.

    Meant for coverages, whose polygons share their corners exactly, as unions of units do: there an edge of both is
    found by its ends, ten times faster than by geometry, which decides the rest. Any CRS: a length of more than nought
    is a border.
    """
    shapes = np.asarray(geometry, dtype=object)
    i, j = shapely.STRtree(shapes).query(shapes)
    i, j = i[i < j].astype(np.int64), j[i < j].astype(np.int64)
    west, south, east, north = shapely.bounds(shapes).T
    wide = np.minimum(east[i], east[j]) - np.maximum(west[i], west[j])
    high = np.minimum(north[i], north[j]) - np.maximum(south[i], south[j])
    more = (wide > 0) | (high > 0)  # else their boxes meet in a point, and so do they
    i, j = i[more], j[more]
    border = np.isin(i * len(shapes) + j, _edges(shapes))
    rest = np.flatnonzero(~border)
    meet = rest[shapely.intersects(shapes[i[rest]], shapes[j[rest]])]
    # two polygons of a coverage meet in lines and points; areas are overlaps of grids that others drew
    border[meet] = shapely.length(shapely.intersection(shapes[i[meet]], shapes[j[meet]])) > 0
    return i[border], j[border]


def _edges(shapes: NDArray[np.object_]) -> Ints:
    """Pairs i < j of polygons that have an edge in common, as i * n + j."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    _, number = np.unique(np.ascontiguousarray(corners).view(np.complex128)[:, 0], return_inverse=True)
    along = np.flatnonzero(ring[1:] == ring[:-1])
    ends = np.sort(np.column_stack([number[along], number[along + 1]]), axis=1).astype(np.int64)
    polygon = owner[part[ring[along]]].astype(np.int64)
    key = ends[:, 0] * (len(corners) + 1) + ends[:, 1]
    order = np.lexsort((polygon, key))
    same = np.flatnonzero((key[order][1:] == key[order][:-1]) & (polygon[order][1:] != polygon[order][:-1]))
    pairs: Ints = polygon[order[same]] * len(shapes) + polygon[order[same + 1]]
    return np.unique(pairs)
