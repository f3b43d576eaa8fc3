"""Which units share a border, and how much of it.

Units tile a community, so neighbours repeat each other's edges vertex by vertex: edges are matched by sorting, without
one overlay. Edges that find no twin (a T-junction on one side only) are compared pairwise along their common line.
Rook adjacency: pieces that touch at a point do not share a border.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

_STEP_M = 1e-4  # vertices closer than this are one vertex
_PARALLEL = 0.05  # sine of the angle up to which two edges may follow each other
_RUN = 10  # a common run is longer than this many tolerances, else it is but a corner


class SharedBorders(NamedTuple):
    """Straight pieces of border between two units.

    ``i < j`` are unit indices (k,); ``start`` and ``end`` are the ends of each piece (k, 2), in the CRS of the units.
    """

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each piece (k,)."""
        return np.asarray(np.hypot(*(self.end - self.start).T), dtype=np.float64)

    def take(self, mask: NDArray[np.bool_]) -> SharedBorders:
        """The pieces where ``mask`` (k,) holds."""
        return SharedBorders(self.i[mask], self.j[mask], self.start[mask], self.end[mask])

    def lines(self) -> NDArray[np.object_]:
        """The pieces as LineStrings (k,)."""
        return _lines(self.start, self.end)


class Adjacency(NamedTuple):
    """Pairs of neighbours ``i < j`` (m,), sorted, and the length of the border they share, in metres (m,)."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    border_m: NDArray[np.float64]


def adjacency(geoms: NDArray[np.object_], tolerance_m: float = 0.01) -> Adjacency:
    """Neighbours in a coverage of (Multi)Polygons in a metric CRS, with the length of border they share.

    Rook, not queen: a common point is no border. Edges that differ count as common where they run within
    ``tolerance_m`` of each other for more than ten times that; equal edges always do. None and empty geometries have
    no neighbours.
    """
    return summarise(shared_borders(geoms, tolerance_m), len(geoms))


def summarise(borders: SharedBorders, n_units: int) -> Adjacency:
    """Add up the pieces of border between each pair of the ``n_units`` units."""
    pairs, inverse = np.unique(borders.i * np.int64(n_units) + borders.j, return_inverse=True)
    length_m = np.bincount(inverse, weights=borders.length_m, minlength=len(pairs)).astype(np.float64)
    return Adjacency(pairs // max(n_units, 1), pairs % max(n_units, 1), length_m)


def components(n: int, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label (n,) of the connected piece each of ``n`` nodes lies in, given undirected edges ``i``-``j``."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(i), dtype=np.int8), (i, j)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def shared_borders(geoms: NDArray[np.object_], tolerance_m: float = 0.01) -> SharedBorders:
    """The straight pieces of border that two units have in common; see :func:`adjacency` for what counts."""
    unit, start, end = _edges(geoms)
    first, second = _twins(start, end)
    differ = unit[first] != unit[second]
    first, second = first[differ], second[differ]
    lone = np.ones(len(unit), dtype=bool)
    lone[first] = lone[second] = False
    left = np.flatnonzero(lone)
    part = _overlaps(unit[left], start[left], end[left], tolerance_m)
    a, b = np.concatenate([unit[first], part.i]), np.concatenate([unit[second], part.j])
    return SharedBorders(
        np.minimum(a, b),
        np.maximum(a, b),
        np.concatenate([start[first], part.start]),
        np.concatenate([end[first], part.end]),
    )


def _edges(
    geoms: NDArray[np.object_],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Unit, start and end of every edge of every ring; edges of no length are left out."""
    parts, unit_of_part = shapely.get_parts(geoms, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    start, end = points[:-1][follows], points[1:][follows]
    unit = np.asarray(unit_of_part[part_of_ring[ring[:-1][follows]]], dtype=np.int64)
    real = (start != end).any(axis=1)
    return unit[real], start[real], end[real]


def _twins(start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of edges with the same two ends, in whichever direction.

    Ends are hashed to one 64-bit key (splitmix64), so that one sort of integers finds them; equal keys are compared.
    """
    a, b = _vertex_key(start), _vertex_key(end)
    low, high = np.minimum(a, b), np.maximum(a, b)
    key = _mix(low ^ _mix(high))
    order = np.argsort(key, kind="stable")
    here, there = order[:-1], order[1:]
    same = (key[here] == key[there]) & (low[here] == low[there]) & (high[here] == high[there])
    return here[same], there[same]


def _vertex_key(points: NDArray[np.float64]) -> NDArray[np.uint64]:
    x, y = np.round(points / _STEP_M).astype(np.int64).T.view(np.uint64)
    return _mix(x ^ _mix(y))


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _lines(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.object_]:
    return np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object)


def _overlaps(
    unit: NDArray[np.int64], start: NDArray[np.float64], end: NDArray[np.float64], tolerance_m: float
) -> SharedBorders:
    """Common runs of edges of different units: where they are nearly parallel and within ``tolerance_m``."""
    lines = _lines(start, end)
    a, b = shapely.STRtree(lines.tolist()).query(lines, predicate="dwithin", distance=tolerance_m)
    once = unit[a] < unit[b]
    a, b = a[once], b[once]
    along, other = end[a] - start[a], end[b] - start[b]
    length_m, other_m = np.hypot(*along.T), np.hypot(*other.T)
    along, other = along / length_m[:, None], other / other_m[:, None]
    slope = _cross(along, other)  # sine of the angle between the two
    level = np.abs(slope) <= _PARALLEL
    a, b, along, other, slope = a[level], b[level], along[level], other[level], slope[level]
    length_m, other_m = length_m[level], other_m[level]
    reach = start[b] - start[a]
    off_m, from_m = _cross(along, reach), (along * reach).sum(axis=1)  # where b starts, across and along a
    cosine = (along * other).sum(axis=1)
    ends_m = np.sort(np.stack([from_m, from_m + cosine * other_m], axis=1), axis=1)
    run_m = np.stack([np.maximum(ends_m[:, 0], 0), np.minimum(ends_m[:, 1], length_m)], axis=1)
    grade = slope / cosine  # metres across a for each metre along it
    tilted = grade != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        within_m = np.sort([from_m + (s * tolerance_m - off_m) / grade for s in (-1, 1)], axis=0)
    within_m[0][~tilted], within_m[1][~tilted] = -np.inf, np.inf
    run_m = np.stack([np.maximum(run_m[:, 0], within_m[0]), np.minimum(run_m[:, 1], within_m[1])], axis=1)
    common = (run_m[:, 1] - run_m[:, 0] > _RUN * tolerance_m) & (tilted | (np.abs(off_m) <= tolerance_m))
    a, b, run_m, along = a[common], b[common], run_m[common], along[common]
    return SharedBorders(unit[a], unit[b], start[a] + along * run_m[:, :1], start[a] + along * run_m[:, 1:])


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product
