"""Grids beside each other share a border, not only a corner."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.incidents.neighbours import beside


@given(st.integers(1, 6), st.integers(1, 6))
def test_squares_of_a_board_have_those_at_their_sides(rows: int, columns: int) -> None:
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    squares = shapely.box(x.ravel(), y.ravel(), x.ravel() + 1, y.ravel() + 1)
    number = np.arange(rows * columns).reshape(rows, columns)
    told = {*zip(number[:, :-1].ravel().tolist(), number[:, 1:].ravel().tolist(), strict=True)}
    told |= {*zip(number[:-1].ravel().tolist(), number[1:].ravel().tolist(), strict=True)}
    assert {*zip(*(one.tolist() for one in beside(squares)), strict=True)} == told


def test_a_grid_without_ground_and_one_within_another() -> None:
    ring = shapely.box(0, 0, 9, 9).difference(shapely.box(3, 3, 6, 6))
    i, j = beside([ring, None, shapely.box(3, 3, 6, 6), shapely.MultiPolygon([])])
    assert (i.tolist(), j.tolist()) == ([0], [2])
    assert beside([])[0].tolist() == []
