"""The synthetic town of blocks tiles its square, and its arrays agree with its polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.adjacency import components
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Instance
from geodata.synth.cells import CELL_M, cells


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 300), seed=st.integers(0, 2**32))
def test_blocks_tile_the_square_in_one_piece(n: int, seed: int) -> None:
    town = cells(n, seed)
    units, borders = town.units, town.units.borders
    assert len(units) == len(town.polygons) == n
    assert shapely.coverage_is_valid(town.polygons, gap_width=0.0)
    assert units.area_m2.sum() == pytest.approx(n * CELL_M**2)
    assert components(n, borders.i, borders.j).max() == 0
    rim_m = units.perimeter_m.sum() - 2 * borders.length_m.sum()
    assert rim_m == pytest.approx(4 * CELL_M * np.sqrt(n), abs=1e-3)
    assert town.households.min() >= 1
    assert town.households.max() <= 250


def test_households_have_the_mean_and_spread_of_the_design() -> None:
    households = cells(20_000).households
    assert households.mean() == pytest.approx(40, rel=0.02)
    assert np.log(households).std() == pytest.approx(0.8, abs=0.02)


def test_same_seed_same_town() -> None:
    one, same, other = cells(500, 7), cells(500, 7), cells(500, 8)
    assert shapely.equals_exact(one.polygons, same.polygons).all()
    assert (one.households == same.households).all()
    assert not (one.households == other.households).all()


def test_measured_compactness_is_that_of_the_dissolved_polygons() -> None:
    town = cells(400, 3)
    plan = (town.units.xy_m // 500).astype(np.int64) @ np.array([10, 1])
    grids = measure(Instance.of(town.units, Band(300, 500)), plan).grids
    for k, grid in enumerate(grids.grid):
        shape = shapely.union_all(town.polygons[plan == grid])
        assert grids.polsby_popper[k] == pytest.approx(4 * np.pi * shape.area / shape.length**2, rel=1e-6)
        assert grids.pieces[k] == shapely.get_num_geometries(shape)
