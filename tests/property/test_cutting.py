"""A cut makes two pieces that tile the unit exactly, and unions with uncut neighbours stay whole."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geodata.crs import to_lonlat, to_metric
from geodata.cutting import SLIVER_M2, noded, split
from geodata.errors import GeodataError

LON0 = 120.0
ORIGIN = np.array([521_345.678, 3_345_678.901])


def _town(seed: int) -> np.ndarray:
    """Units (lon/lat) of a bent lattice 4 by 4, 80 m a side, each border with some vertices of its own."""
    rng = np.random.default_rng(seed)
    knots = np.stack(np.meshgrid(np.arange(5) * 80.0, np.arange(5) * 80.0), axis=-1) + rng.uniform(-12, 12, (5, 5, 2))

    def side(a: np.ndarray, b: np.ndarray, number: int) -> np.ndarray:
        own = np.random.default_rng((seed, number))
        t = np.sort(own.uniform(0.2, 0.8, own.integers(0, 3)))
        bend = own.uniform(-2, 2, (len(t), 2))
        return np.vstack([a, a + t[:, None] * (b - a) + bend])

    across = {(r, c): side(knots[r, c], knots[r, c + 1], 100 + 10 * r + c) for r in range(5) for c in range(4)}
    up = {(r, c): side(knots[r, c], knots[r + 1, c], 500 + 10 * r + c) for r in range(4) for c in range(5)}
    shapes = []
    for r in range(4):
        for c in range(4):
            south, east = across[r, c], up[r, c + 1]
            north = np.vstack([knots[r + 1, c + 1], across[r + 1, c][:0:-1]])
            west = np.vstack([knots[r + 1, c], up[r, c][:0:-1]])
            shapes.append(np.vstack([south, east, north, west]) + ORIGIN)
    lonlat = {}

    def place(xy: np.ndarray) -> tuple[float, float]:
        key = tuple(xy)
        if key not in lonlat:
            lonlat[key] = tuple(to_lonlat(xy.reshape(1, 2), LON0)[0])
        return lonlat[key]

    return np.array([shapely.Polygon([place(xy) for xy in shape]) for shape in shapes], dtype=object)


def _line(rng: np.random.Generator, unit: object, bends: int) -> np.ndarray:
    metric = to_metric(unit, LON0)
    middle = np.array(shapely.get_coordinates(shapely.point_on_surface(metric))[0])
    angle = rng.uniform(0, 2 * np.pi)
    way = np.array([np.cos(angle), np.sin(angle)])
    middle = middle + rng.uniform(-15, 15, 2)
    stops = [middle - way * 120, *(middle + way * s for s in sorted(rng.uniform(-20, 20, bends))), middle + way * 120]
    path = np.array(stops)
    path[1:-1] += rng.uniform(-5, 5, (bends, 2))
    return np.asarray(to_lonlat(path, LON0))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.integers(1, 8), bends=st.integers(0, 3))
def test_pieces_tile_and_unions_stay_whole(seed: int, cuts: int, bends: int) -> None:
    rng = np.random.default_rng(seed)
    units = list(_town(seed % 1000))
    ends: list[list[object]] = [[] for _ in units]
    done = 0
    for _ in range(cuts):
        k = int(rng.integers(len(units)))
        try:
            halves = split(units[k], _line(rng, units[k], bends))
        except GeodataError as error:
            assert error.code in ("CUT_MISSES", "CUT_PIECES", "CUT_SLIVER")
            continue
        done += 1
        assert min(halves.area_m2) >= SLIVER_M2
        whole = shapely.area(to_metric(units[k], LON0))
        assert abs(sum(halves.area_m2) - whole) < 0.01, "projected edges bend a little"
        united = shapely.coverage_union_all(list(halves.pieces))
        met = [tuple(end) for end in halves.ends]
        assert shapely.equals(united, noded(np.array([units[k]]), met)[0]), "the pieces tile the unit exactly"
        assert shapely.area(shapely.symmetric_difference(united, units[k])) < 1e-10 * shapely.area(units[k])
        ends[k : k + 1] = [[*ends[k], *met], [*ends[k], *met]]
        units[k : k + 1] = halves.pieces
    assume(done > 0)
    shapes = np.array(units, dtype=object)
    for _ in range(4):
        group = rng.integers(0, 4, len(shapes))
        for g in range(4):
            mine = np.flatnonzero(group == g)
            if not len(mine):
                continue
            met = [end for unit in mine for end in ends[unit]]
            united = shapely.coverage_union_all(noded(shapes[mine], met))
            assert shapely.is_valid(united)
            total = shapely.area(shapes[mine]).sum()
            assert abs(shapely.area(united) - total) < 1e-10 * total
            snapped = shapely.union_all(shapes[mine], grid_size=1e-11)
            assert shapely.area(shapely.symmetric_difference(united, snapped)) < 1e-12
            rings = shapely.polygons(shapely.get_rings(shapely.get_parts(united)))
            assert shapely.area(rings).min() > 2e-10, "no sliver along a border that was cut: all is of whole pieces"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ([(0, -50), (10, -50)], "CUT_MISSES"),
        ([(-10, 40), (40, 40)], "CUT_MISSES"),
        ([(-10, 1), (90, 1), (90, 30), (-10, 30)], "CUT_PIECES"),
        ([(-10, 0.04), (90, 0.04)], "CUT_MISSES"),
        ([(-10, 78), (2, 92)], "CUT_MISSES"),
        ([(-10, 79), (3, 92)], "CUT_MISSES"),
        ([(-2, 77.5), (2.5, 82)], "CUT_SLIVER"),
        ([(40, 40), (40, 40)], "CUT_MISSES"),
        ([(-10, 30), (50, 30), (50, 50), (30, 50), (30, -10)], "CUT_PIECES"),
    ],
)
def test_what_cannot_be_cut_is_said(line: list[tuple[float, float]], code: str) -> None:
    square = np.array([(0, 0), (80, 0), (80, 80), (0, 80)], dtype=float) + ORIGIN
    unit = shapely.Polygon(to_lonlat(square, LON0))
    with pytest.raises(GeodataError) as caught:
        split(unit, to_lonlat(np.array(line, dtype=float) + ORIGIN, LON0))
    assert caught.value.code == code
    assert caught.value.sentence("zh") and caught.value.sentence("en")


def test_a_line_that_ends_just_inside_is_drawn_on() -> None:
    square = np.array([(0, 0), (80, 0), (80, 80), (0, 80)], dtype=float) + ORIGIN
    unit = shapely.Polygon(to_lonlat(square, LON0))
    halves = split(unit, to_lonlat(np.array([(10.0, 40.0), (72.0, 40.0)]) + ORIGIN, LON0))
    assert halves.area_m2 == pytest.approx((3200, 3200), abs=0.01) and len(halves.ends) == 2


def test_a_line_across_a_courtyard_makes_two() -> None:
    shell = np.array([(0, 0), (80, 0), (80, 80), (0, 80)], dtype=float) + ORIGIN
    hole = np.array([(30, 30), (50, 30), (50, 50), (30, 50)], dtype=float) + ORIGIN
    unit = shapely.Polygon(to_lonlat(shell, LON0), [to_lonlat(hole, LON0)])
    halves = split(unit, to_lonlat(np.array([(-5.0, 40.0), (85.0, 41.0)]) + ORIGIN, LON0))
    assert len(halves.ends) == 4 and sum(halves.area_m2) == pytest.approx(6000, abs=0.01)
