"""How well the polygons of a file tile the ground: do neighbours repeat each other's vertices, and if not, how far off?

Small areas of real files were simplified or digitised each on its own, so slivers and micro-gaps lie along every
border. A *tolerance* is the distance up to which two outlines are one border; it is measured at the vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.redraw.model import Floats, Ints

Geometries = NDArray[np.object_]

#: No river, wall or lane is narrower than this: such gaps are always rounding.
LEAST_M = 0.5
#: Neighbours that disagree by more do so on purpose, and so they do beyond a tenth of a typical unit's side.
_MOST_M = 50.0
_SIDE_SHARE = 0.1
_SAME_M = 1e-3
_QUANTILE, _ROOM = 0.99, 2.0
_SAMPLE = 60_000
#: Share of vertices inside another unit from which on neighbours are said to disagree.
_DISAGREE = 0.005
#: Share of units that touch no other from which on the streets are taken to be left out of the file.
_LONELY = 0.5
_MOST_STREETS = 0.9
_ASKED = 1_000
_SAME_GROUND = 0.9


class Twice(NamedTuple):
    """Ground that two units hold: ``stacked`` (s, 2) units on the same ground, the second keeps it; ``area_m2`` (n,)
    of each unit without what it shares with a smaller one."""

    stacked: Ints
    area_m2: Floats


def tiles(shapes: Geometries, gap_m: float = LEAST_M) -> bool:
    """Neighbours share every vertex, nothing overlaps, no gap is narrower than ``gap_m``, and most units touch one."""
    solid = shapes[~shapely.is_empty(shapes)]
    return bool(shapely.coverage_is_valid(solid, gap_width=gap_m)) and _street_m(solid) == 0


def held_twice(shapes: Geometries) -> Twice:
    """Which units lie on the same ground (nine tenths of both), and areas in which no ground counts twice."""
    own_m2 = np.asarray(shapely.area(shapes), dtype=np.float64)
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    left, right = shapely.STRtree(shapes).query(shapes[suspects], predicate="intersects")
    ends = np.sort(np.stack([suspects[left], right]), axis=0)
    first, second = np.unique(ends[:, ends[0] != ends[1]], axis=1)
    common_m2 = np.asarray(shapely.area(shapely.intersection(shapes[first], shapes[second])), dtype=np.float64)
    same = common_m2 >= _SAME_GROUND * np.maximum(own_m2[first], own_m2[second])
    host: dict[int, int] = {}
    for low, high in sorted(zip(first[same].tolist(), second[same].tolist(), strict=True), key=lambda pair: pair[::-1]):
        if low not in host:
            host.setdefault(high, low)
    larger = np.where(own_m2[first] > own_m2[second], first, second)
    area_m2 = np.maximum(own_m2 - np.bincount(larger[~same], common_m2[~same], len(shapes)), 0.0)
    pairs = np.array(sorted(host.items()), dtype=np.int64).reshape(-1, 2)
    area_m2[pairs[:, 0]] = 0.0
    return Twice(pairs, area_m2)


def disagreement_m(shapes: Geometries) -> float:
    """How far, in metres, the outlines of neighbours may lie apart: twice as far as 99 % of overlaps are deep.

    A vertex inside another unit cannot be meant, so overlaps show how a file was drawn, and its gaps are as wide. Where
    nothing overlaps, gaps count only if most units would have no neighbour without them (blocks drawn without the
    streets between them); else they are water or the like, and meant. 0 where nothing disagrees.
    """
    most_m = min(_MOST_M, _SIDE_SHARE * float(np.sqrt(np.median(shapely.area(shapes)))))
    xy, unit = shapely.get_coordinates(shapes, return_index=True)
    pick = np.arange(0, len(xy), max(1, len(xy) // _SAMPLE))
    points: Geometries = np.asarray(shapely.points(xy[pick]), dtype=object)
    unit = unit[pick]
    at, other = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=most_m)
    foreign = unit[at] != other
    at, other = at[foreign], other[foreign]
    off_m = shapely.distance(points[at], shapely.boundary(shapes)[other])
    nearest_m = np.full(len(pick), np.inf)
    np.minimum.at(nearest_m, at, off_m)
    inside = np.zeros(len(pick), dtype=bool)
    inside[at[(off_m > _SAME_M) & shapely.intersects(shapes[other], points[at])]] = True
    deep_m = nearest_m[inside & (nearest_m > _SAME_M) & (nearest_m <= most_m)]
    if len(deep_m) and len(deep_m) >= _DISAGREE * np.isfinite(nearest_m).sum():
        return float(np.quantile(deep_m, _QUANTILE)) * _ROOM
    return _street_m(shapes)


def _street_m(shapes: Geometries) -> float:
    """The gap to the next unit that nine in ten stay within, if most touch none; else 0."""
    asked = shapes[:: max(1, len(shapes) // _ASKED)]
    _, gap_m = shapely.STRtree(shapes).query_nearest(
        asked, max_distance=_MOST_M, exclusive=True, all_matches=False, return_distance=True
    )
    if (gap_m > _SAME_M).sum() <= _LONELY * len(asked):
        return 0.0
    return min(float(np.quantile(gap_m, _MOST_STREETS)) * _ROOM, _MOST_M)
