"""Points near lines and polygons, in one pass over several layers: as shapely has it, point by point."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.near import near_masks

PLACE = st.tuples(st.integers(-60, 160), st.integers(-60, 160))
LINE = st.lists(PLACE, min_size=2, max_size=5, unique=True).map(shapely.LineString)
SQUARE = st.tuples(PLACE, st.integers(1, 80)).map(lambda one: shapely.box(*one[0], *(v + one[1] for v in one[0])))
POINTS = np.random.default_rng(1).random((300, 2)) * 100


@given(
    st.lists(st.tuples(st.one_of(LINE, SQUARE, st.none()), st.integers(0, 7)), max_size=8),
    st.floats(0.5, 40),
)
def test_agrees_with_shapely(rows: list[tuple[Any, int]], distance: float) -> None:
    shapes = np.array([shape for shape, _ in rows] + [None], dtype=object)[:-1]
    masks = np.array([mask for _, mask in rows], dtype=np.uint8)
    found = near_masks(POINTS, shapes, masks, distance)
    off = shapely.distance(shapely.points(POINTS)[:, None], shapes[None, :]) if len(shapes) else np.zeros((300, 0))
    clear = (np.abs(off - distance) > 1e-9) | np.isnan(off)
    wanted = np.bitwise_or.reduce(np.where(off <= distance, masks, 0), axis=1, initial=0)
    sure = clear.all(axis=1)
    assert (found[sure] == wanted[sure]).all() and sure.mean() > 0.9


def test_the_distance_itself_is_near_and_multi_parts_count() -> None:
    shape = shapely.MultiLineString([[(0, 10), (100, 10)], [(0, 500), (100, 500)]])
    points = np.array([[5.0, 0.0], [5.0, -0.001], [50.0, 505.0], [-10.0, 10.0]])
    found = near_masks(points, np.array([shape], dtype=object), np.array([4], dtype=np.uint8), 10.0)
    assert found.tolist() == [4, 0, 4, 4]


def test_nothing_is_near_nothing() -> None:
    none = np.zeros(0, dtype=object)
    assert near_masks(POINTS, none, np.zeros(0, dtype=np.uint8), 5).tolist() == [0] * 300
    assert len(near_masks(np.zeros((0, 2)), np.array([shapely.box(0, 0, 1, 1)]), np.ones(1, dtype=np.uint8), 5)) == 0


def test_one_point_and_a_line_far_longer_than_the_raster() -> None:
    long = np.array([shapely.LineString([(-1e6, -1e6 + 3), (1e6, 1e6 + 3)])], dtype=object)
    assert near_masks(np.array([[0.0, 0.0]]), long, np.ones(1, dtype=np.uint8), 5.0).tolist() == [1]
    assert near_masks(np.array([[0.0, 0.0]]), long, np.ones(1, dtype=np.uint8), 2.0).tolist() == [0]
