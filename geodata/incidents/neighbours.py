"""Which grids lie beside each other: they share a border, not only a corner."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def beside(geometry: Any) -> tuple[Ints, Ints]:
    """Pairs i < j of polygons (n,) that share more of their outlines than points; None has no neighbour.

    Meant for coverages, whose polygons share their corners exactly, as unions of units do. Any CRS: a length of more
    than nought is a border.
    """
    shapes = np.asarray(geometry, dtype=object)
    i, j = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    i, j = i[i < j], j[i < j]
    shared = shapely.intersection(shapes[i], shapes[j])
    # two polygons of a coverage meet in lines and points; areas are overlaps of grids that others drew
    border = shapely.length(shared) > 0
    return i[border].astype(np.int64), j[border].astype(np.int64)
