"""Share of a border near barriers, against exact overlay with a buffer."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata.adjacency import SharedBorders
from geodata.rules.nearness import share_near


def pieces(start: np.ndarray, end: np.ndarray) -> SharedBorders:
    index = np.arange(len(start))
    return SharedBorders(index, index + 1, start.astype(float), end.astype(float))


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_a_buffer_to_one_step_at_each_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    borders = pieces(rng.uniform(0, 500, (40, 2)), rng.uniform(0, 500, (40, 2)))
    lines = [shapely.LineString(points) for points in rng.uniform(0, 500, (6, 3, 2))]
    barriers = np.array([*lines, shapely.box(100, 100, 180, 160), None, shapely.LineString()], dtype=object)
    step_m = 0.5
    near = shapely.intersection(borders.lines(), shapely.buffer(shapely.union_all(barriers), 10, quad_segs=64))
    changes = 2 * shapely.get_num_geometries(near)
    off_m = np.abs(share_near(borders, barriers, 10, step_m) * borders.length_m - shapely.length(near))
    assert (off_m <= changes * step_m).all()
    assert shapely.length(near).sum() > 100


def test_nothing_near_and_nothing_asked() -> None:
    borders = pieces(np.array([[0, 0]]), np.array([[100, 0]]))
    empty = np.array([], dtype=object)
    assert share_near(borders, empty, 10, 5).tolist() == [0]
    far, along = shapely.LineString([(0, 10.1), (100, 10.1)]), shapely.LineString([(0, 9.9), (100, 9.9)])
    assert share_near(borders, np.array([far]), 10, 5).tolist() == [0]
    assert share_near(borders, np.array([along]), 10, 5).tolist() == [1]
    assert len(share_near(pieces(np.empty((0, 2)), np.empty((0, 2))), np.array([along]), 10, 5)) == 0
