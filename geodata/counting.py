"""Counts per polygon (households, population, cases) from points, and recounts of only what a change touches."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.locate import Floats, Geometries, Ints, as_xy, index, locate


def count_by_polygon(xy: Any, weights: Any, polygons: Any) -> Floats:
    """Sums of ``weights`` ((n,) or (n, k)) of the points ``xy`` ((n, 2), same CRS) in each polygon: (polygons, k)
    float64.

    A point counts once, in the polygon :func:`geodata.locate.locate` gives it to; points outside count nowhere.
    Whole numbers below 2**53 are exact.
    """
    from geodata.locate_kernels import add_weights, locate_points

    points, columns = as_xy(xy), _columns(weights)
    found = np.empty(len(points), np.int32)
    locate_points(points, index(polygons), found)
    sums = np.zeros((len(polygons), columns.shape[1]))
    add_weights(found, columns, sums)
    return sums


class PolygonCounts:
    """Counts of a layer of polygons that stay right while polygons change, at the cost of what changed.

    ``polygons`` is a coverage (no overlaps); ``owner`` (n,) is the polygon of each point, -1 none; ``counts``
    (polygons, k) equals ``count_by_polygon`` of the present polygons at every moment.
    """

    def __init__(self, xy: Any, weights: Any, polygons: Any) -> None:
        self.xy = as_xy(xy)
        self.weights: Floats = _columns(weights).astype(np.float64)
        self.polygons: Geometries = np.array(polygons, dtype=object)
        self.owner: Ints = locate(self.xy, self.polygons)
        self.counts: Floats = _sum(self.owner, self.weights, len(self.polygons))

    def recount(self, touched: Any, geometry: Any) -> Ints:
        """Give the polygons ``touched`` (rows; one beyond the end appends) their new ``geometry``; return moved points.

        Only points of the touched polygons, and points that were in none, are located again.
        """
        touched = np.asarray(touched, dtype=np.int64)
        order = np.argsort(touched, kind="stable")
        touched, geometry = touched[order], np.asarray(geometry, dtype=object)[order]
        grown = max(len(self.polygons), int(touched.max(initial=-1)) + 1)
        if grown > len(self.polygons):
            extra = grown - len(self.polygons)
            self.polygons = np.concatenate([self.polygons, np.full(extra, None, dtype=object)])
            self.counts = np.vstack([self.counts, np.zeros((extra, self.counts.shape[1]))])
        self.polygons[touched] = geometry
        loose = np.zeros(grown + 1, dtype=bool)  # the last place stands for owner -1
        loose[touched] = loose[-1] = True
        points = np.flatnonzero(loose[self.owner])
        local = locate(self.xy[points], index(geometry))
        fresh = np.where(local >= 0, touched[local], -1)
        moved: Ints = points[fresh != self.owner[points]]
        self.owner[points] = fresh
        self.counts[touched] = _sum(local, self.weights[points], len(touched))
        return moved

    def reweigh(self, points: Any, weights: Any) -> None:
        """Give the points (rows) new weights ((m,) or (m, k)), for instance corrected household numbers."""
        points = np.asarray(points, dtype=np.int64)
        self.weights[points] = _columns(weights)
        touched = np.unique(self.owner[points])
        touched = touched[touched >= 0]
        rank = np.full(len(self.polygons) + 1, -1)
        rank[touched] = np.arange(len(touched))
        self.counts[touched] = _sum(rank[self.owner], self.weights, len(touched))


def _columns(weights: Any) -> Floats | Ints:
    """``weights`` as (n, k); whole numbers stay what they are, for a copy would cost more than the count."""
    columns = np.asarray(weights)
    columns = columns.astype(np.int64 if columns.dtype.kind in "iub" else np.float64, copy=False)
    return columns[:, None] if columns.ndim == 1 else columns


def _sum(owner: Ints, weights: Floats | Ints, n: int) -> Floats:
    from geodata.locate_kernels import add_weights

    sums = np.zeros((n, weights.shape[1]))
    add_weights(owner, weights, sums)
    return sums
