"""How much of a border runs along barriers, by points along it."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import SharedBorders
from geodata.rules.view import Objects


def share_near(pieces: SharedBorders, barriers: Objects, distance_m: float, step_m: float) -> NDArray[np.float64]:
    """Share (k,) of each straight piece of border within ``distance_m`` of a barrier.

    Measured at the middles of equal parts of at most ``step_m``; lines are taken apart into edges first, so that the
    index is tight around them, while polygons (water) stay whole: their inside is near.
    """
    length_m = pieces.length_m
    parts = np.maximum(np.ceil(length_m / step_m), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(parts)), parts)
    first = np.cumsum(parts) - parts
    along = ((np.arange(len(piece)) - first[piece]) + 0.5) / parts[piece]
    points = pieces.start[piece] + (pieces.end - pieces.start)[piece] * along[:, None]
    near = np.zeros(len(piece), dtype=bool)
    hit, _ = shapely.STRtree(_edges(barriers).tolist()).query(
        shapely.points(points), predicate="dwithin", distance=distance_m
    )
    near[hit] = True
    return np.bincount(piece, weights=near, minlength=len(parts)) / parts


def _edges(barriers: Objects) -> Objects:
    parts = shapely.get_parts(barriers)
    polygons = shapely.get_dimensions(parts) == 2
    points, line = shapely.get_coordinates(parts[~polygons], return_index=True)
    follows = line[1:] == line[:-1]
    edges = shapely.linestrings(np.stack([points[:-1][follows], points[1:][follows]], axis=1))
    return np.concatenate([np.asarray(edges, dtype=object).reshape(-1), parts[polygons]])
