"""The half-open rule, point by point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from geodata.locate import index, locate, locate_all


def cells(columns: int, rows: int) -> list[Polygon]:
    return [box(i, j, i + 1, j + 1) for j in range(rows) for i in range(columns)]


@pytest.mark.parametrize(
    ("point", "row"),
    [
        ((0.5, 0.5), 0),
        ((1.0, 0.5), 1),  # a border running north-south: to the east
        ((0.5, 1.0), 2),  # a border running east-west: to the north
        ((1.0, 1.0), 3),  # a corner: to the north-east
        ((0.0, 0.5), 0),  # western outer border
        ((2.0, 0.5), 1),  # eastern outer border: nobody lies east of it
        ((0.5, 2.0), 2),
        ((1.0, 2.0), 2),  # two meet on the northern outer border: the lower row has it
        ((2.0, 1.0), 1),  # likewise on the eastern one
        ((2.0, 2.0), 3),
        ((0.0, 0.0), 0),
        ((2.0000001, 1.5), -1),
        ((-1e-12, 0.5), -1),
        ((np.nan, 0.5), -1),
        ((np.inf, 0.5), -1),
    ],
)
def test_rule(point: tuple[float, float], row: int) -> None:
    assert locate([point], cells(2, 2)).tolist() == [row]


def test_a_sloped_border_gives_its_points_to_the_east() -> None:
    west, east = Polygon([(0, 0), (2, 0), (4, 4), (0, 4)]), Polygon([(2, 0), (6, 0), (6, 4), (4, 4)])
    assert locate([(3, 2), (2.5, 1)], [west, east]).tolist() == [1, 1]
    assert locate([(3, 2), (2.5, 1)], [east, west]).tolist() == [0, 0]


def test_a_place_one_bit_beside_a_sloped_border_is_decided_exactly() -> None:
    a, b = (0.1, 0.1), (40.3, 17.7)
    below, above = Polygon([a, (50, 0), b]), Polygon([a, b, (0, 30)])
    x = 12.3
    y0 = 0.1 + (x - 0.1) * 17.6 / 40.2
    ys = y0 + np.arange(-20, 21) * np.spacing(y0)
    got = locate(np.column_stack([np.full(len(ys), x), ys]), [below, above])
    ax, ay, bx, by = map(Fraction, (*a, *b))
    sides = [(bx - ax) * (Fraction(y) - ay) - (by - ay) * (Fraction(x) - ax) for y in ys.tolist()]
    assert got.tolist() == [1 if s > 0 else 0 for s in sides]  # on the line: east, which is below it
    assert 0 < got.sum() < len(got)


def test_holes_and_parts() -> None:
    ring = Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(3, 3), (6, 3), (6, 6), (3, 6)]])
    island = box(4, 4, 5, 5)
    both = MultiPolygon([ring, island])
    points = [(1, 1), (4.5, 4.5), (3.5, 3.5), (3, 4), (6, 4), (4, 4.5), (5, 4.5)]
    assert locate(points, [both]).tolist() == [0, 0, -1, 0, 0, 0, 0]
    assert locate(points, [ring, island]).tolist() == [0, 1, -1, 0, 0, 1, 1]


def test_overlaps_go_to_the_lower_row_and_are_all_told() -> None:
    layer = [box(0, 0, 4, 4), box(2, 0, 6, 4), box(3, 1, 4, 2)]
    assert locate([(3.5, 1.5), (5, 1)], layer).tolist() == [0, 1]
    points, rows = locate_all([(3.5, 1.5), (5, 1), (9, 9)], layer)
    assert list(zip(points.tolist(), rows.tolist(), strict=True)) == [(0, 0), (0, 1), (0, 2), (1, 1)]


def test_nothing_in_nothing() -> None:
    assert locate(np.empty((0, 2)), cells(1, 1)).tolist() == []
    assert locate([(0, 0)], []).tolist() == [-1]
    assert locate([(0.5, 0.5), (0, 0)], [None, Polygon(), box(0, 0, 1, 1)]).tolist() == [2, 2]


def test_an_index_serves_again() -> None:
    cell_index = index(cells(3, 3))
    assert locate([(1.5, 1.5)], cell_index).tolist() == locate([(1.5, 1.5)], cells(3, 3)).tolist() == [4]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(TypeError, match="polygons wanted"):
        locate([(0, 0)], [shapely.Point(0, 0)])


def test_far_from_the_origin() -> None:
    x0, y0 = 40_512_345.0, 3_456_789.0
    moved = shapely.transform(np.array(cells(4, 4)), lambda xy: xy * 0.25 + (x0, y0))
    points = np.array([(x0 + i / 8, y0 + j / 8) for i in range(8) for j in range(8)])
    want = [int((x - x0) // 0.25 + 4 * ((y - y0) // 0.25)) for x, y in points]
    assert locate(points, moved).tolist() == want
