"""Borders of units that do not share vertices: which neighbour each piece of an outline faces.

Each outline is taken apart where a vertex of another unit lies beside it; the middle of each piece then belongs to the
nearest other outline within the tolerance. A gap between three units is so shared out among the three, which closing
it (and giving it to one of them) would not do. Every piece faces one neighbour, so shared borders never exceed the
perimeter.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import SharedBorders
from geodata.redraw.fit import Geometries
from geodata.redraw.model import Floats, Ints

#: Longer pieces are divided, since outlines part slowly: so many tolerances, or this share of a typical unit's side.
_PIECE, _SIDE_SHARE = 8.0, 0.15


def facing_borders(shapes: Geometries, tolerance_m: float) -> SharedBorders:
    """Pieces of outline (k,) with the unit they are of (``i``) and the one they face within ``tolerance_m`` (``j``).

    Unlike :func:`geodata.adjacency.shared_borders`, ``i`` may be above ``j``, and each side has pieces of its own.
    A piece deep inside another unit faces that one.
    """
    unit, start, end = _edges(shapes)
    longest_m = max(_PIECE * tolerance_m, _SIDE_SHARE * float(np.sqrt(np.median(shapely.area(shapes)))))
    edge, low, high = _pieces(unit, start, end, tolerance_m, longest_m)
    along = end[edge] - start[edge]
    first, last = start[edge] + along * low[:, None], start[edge] + along * high[:, None]
    other = _faced(shapes, unit[edge], (first + last) / 2, tolerance_m)
    met = other >= 0
    return SharedBorders(unit[edge][met], other[met], first[met], last[met])


def _edges(shapes: Geometries) -> tuple[Ints, Floats, Floats]:
    """Unit, start (e, 2) and end (e, 2) of every edge."""
    parts, of_part = shapely.get_parts(shapes, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    follows = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    return of_part[of_ring[ring[:-1][follows]]].astype(np.int64), xy[:-1][follows], xy[1:][follows]


def _pieces(
    unit: Ints, start: Floats, end: Floats, tolerance_m: float, longest_m: float
) -> tuple[Ints, Floats, Floats]:
    """Edge, and from where to where along it (0 to 1), of every piece."""
    along = end - start
    length_m = np.hypot(along[:, 0], along[:, 1])
    lines: NDArray[np.object_] = np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object)
    vertex, edge = shapely.STRtree(lines).query(shapely.points(start), predicate="dwithin", distance=tolerance_m)
    foreign = unit[vertex] != unit[edge]
    vertex, edge = vertex[foreign], edge[foreign]
    beside = ((start[vertex] - start[edge]) * along[edge]).sum(axis=1) / np.square(length_m[edge])
    inner = (beside > 1e-6) & (beside < 1 - 1e-6)
    parts = np.clip(np.ceil(length_m / longest_m), 1, 1000).astype(np.int64)
    even = np.repeat(np.arange(len(unit)), parts)
    step = np.arange(len(even)) - np.repeat(np.cumsum(parts) - parts, parts)
    edges = np.concatenate([even, edge[inner]])
    places = np.concatenate([step / parts[even], beside[inner]])
    order = np.lexsort((places, edges))
    edges, places = edges[order], places[order]
    closing = np.append(edges[1:] != edges[:-1], True)
    until = np.where(closing, 1.0, np.append(places[1:], 1.0))
    real = until > places
    return edges[real], places[real], until[real]


def _faced(shapes: Geometries, own: Ints, middle: Floats, tolerance_m: float) -> Ints:
    """The unit (k,) whose outline is nearest to each point within the tolerance, or that holds it; -1 for none."""
    points: NDArray[np.object_] = np.asarray(shapely.points(middle), dtype=object)
    at, other = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=tolerance_m)
    foreign = own[at] != other
    at, other = at[foreign], other[foreign]
    off_m = shapely.distance(points[at], shapely.boundary(shapes)[other])
    order = np.lexsort((other, off_m, at))
    points_met, first = np.unique(at[order], return_index=True)
    faced = np.full(len(own), -1, dtype=np.int64)
    faced[points_met] = other[order][first]
    return faced
