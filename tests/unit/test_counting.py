"""Counts per polygon, and recounts that equal counting anew."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import box

from geodata.counting import PolygonCounts, count_by_polygon

GRIDS = np.array([box(i, 0, i + 1, 1) for i in range(4)])
XY = np.array([(0.5, 0.5), (1.0, 0.5), (3.9, 0.1), (4.0, 0.5), (9.0, 9.0)])


def test_each_point_counts_once_with_all_its_weights() -> None:
    counts = count_by_polygon(XY, [[3, 8], [5, 9], [7, 1], [2, 2], [100, 100]], GRIDS)
    assert counts.tolist() == [[3, 8], [5, 9], [0, 0], [9, 3]]


def test_one_column_of_weights() -> None:
    assert count_by_polygon(XY, np.ones(5, dtype=int), GRIDS).tolist() == [[1], [1], [0], [2]]


def test_recount_after_a_border_moved() -> None:
    kept = PolygonCounts(XY, [3, 5, 7, 2, 100], GRIDS)
    moved = kept.recount([1, 0], [box(1.5, 0, 2, 1), box(0, 0, 1.5, 1)])
    assert moved.tolist() == [1]
    assert kept.counts.ravel().tolist() == [8, 0, 0, 9]
    assert kept.counts.tolist() == count_by_polygon(XY, [3, 5, 7, 2, 100], kept.polygons).tolist()


def test_recount_gives_up_and_takes_in_points() -> None:
    kept = PolygonCounts(XY, [3, 5, 7, 2, 100], GRIDS)
    kept.recount([0], [None])
    assert (kept.owner[0], kept.counts[0, 0]) == (-1, 0)
    kept.recount([4], [box(8, 8, 10, 10)])
    assert kept.counts.ravel().tolist() == [0, 5, 0, 9, 100]


def test_changed_households_change_only_their_grid() -> None:
    kept = PolygonCounts(XY, [3, 5, 7, 2, 100], GRIDS)
    kept.reweigh([2, 4], [10, 1])
    assert kept.counts.ravel().tolist() == [3, 5, 0, 12]


def test_the_callers_arrays_stay_as_they_were() -> None:
    weights = np.array([3.0, 5, 7, 2, 100])
    kept = PolygonCounts(XY, weights, GRIDS)
    kept.recount([0], [shapely.Polygon()])
    kept.reweigh([0], [77])
    assert weights.tolist() == [3, 5, 7, 2, 100]
    assert GRIDS[0].area == 1
