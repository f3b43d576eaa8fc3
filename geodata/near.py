"""Which points lie near lines or polygons: a raster of segments, exact distances, several layers in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.locate import locate

Floats = NDArray[np.float64]
Masks = NDArray[np.uint8]

_CELLS_MAX = 4_000_000


def near_masks(points: Floats, shapes: Any, masks: Masks, distance_m: float) -> Masks:
    """The bits (k,) of all ``masks`` (s,) of lines and polygons within ``distance_m`` of each point (k, 2).

    Metric CRS; the distance itself is near, and so is the inside of polygons. None and empty shapes are near nothing.
    """
    from geodata.near_kernels import index, look

    found = np.zeros(len(points), dtype=np.uint8)
    parts, of = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    if not len(points) or not len(parts):
        return found
    points, bits = np.ascontiguousarray(points, dtype=np.float64), masks[of]
    solid = shapely.get_type_id(parts) == 3
    for bit in np.unique(bits[solid]):
        found[locate(points, parts[solid & (bits == bit)]) >= 0] |= bit
    segments, owner = _segments(parts)
    low, high = points.min(axis=0), points.max(axis=0)
    cell_m = max(4 * distance_m, float(np.sqrt(np.prod(high - low) / _CELLS_MAX)), float((high - low).max()) / 30_000)
    columns, rows = (int(side) + 1 for side in (high - low) // cell_m)
    start, entry = index(segments, float(low[0]), float(low[1]), cell_m, columns, rows, distance_m)
    look(points, segments, bits[owner], float(low[0]), float(low[1]), cell_m, columns, start, entry, distance_m, found)
    return found


def _segments(parts: Any) -> tuple[Floats, NDArray[np.int64]]:
    """Straight pieces (s, 4) of lines and of the outlines of polygons, and the part that each is of."""
    lines, of = shapely.get_parts(shapely.boundary(parts[shapely.get_dimensions(parts) == 2]), return_index=True)
    flat, line_of = (
        np.flatnonzero(shapely.get_dimensions(parts) == 1),
        np.flatnonzero(shapely.get_dimensions(parts) == 2),
    )
    lines, of = np.concatenate([parts[flat], lines]), np.concatenate([flat, line_of[of]])
    xy, line = shapely.get_coordinates(lines, return_index=True)
    follows = line[1:] == line[:-1]
    return np.hstack([xy[:-1][follows], xy[1:][follows]]), of[line[:-1][follows]]
