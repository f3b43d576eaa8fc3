"""Whatever polygons come in, what comes out of closing neither overlaps nor loses or invents ground silently."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.closing import close_micro_gaps
from geodata.coverage import edges_match, gaps, overlaps


@st.composite
def rough_tilings(draw):
    """Voronoi cells, each shaken on its own and some of them dropped or doubled."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seeds = shapely.MultiPoint(rng.uniform(0, 1_000, (draw(st.integers(4, 25)), 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=shapely.box(0, 0, 1_000, 1_000)))
    cells = shapely.intersection(cells, shapely.box(0, 0, 1_000, 1_000))
    noise = draw(st.sampled_from([0.0, 0.01, 0.5, 3.0, 20.0]))
    shaken = []
    for cell in shapely.segmentize(cells, 60.0):
        points = shapely.get_coordinates(cell)[:-1]
        shaken.append(shapely.Polygon(points + rng.normal(0, noise, points.shape)))
    if draw(st.booleans()):
        shaken.append(shaken[0])
    if draw(st.booleans()):
        del shaken[1]
    return np.array(shaken, dtype=object)


@settings(max_examples=40, deadline=None)
@given(rough_tilings(), st.sampled_from([0.5, 5.0, 30.0]))
def test_closing_gives_a_coverage_with_a_balance(cells, tolerance_m):
    closed = close_micro_gaps(cells, tolerance_m)
    assert len(closed.geoms) == len(cells)
    assert edges_match(closed.geoms)
    assert len(overlaps(closed.geoms).i) == 0
    before = shapely.area(shapely.union_all(shapely.make_valid(cells, method="structure")))
    after = shapely.area(closed.geoms).sum()
    assert after == pytest.approx(before + closed.gaps_closed_m2, abs=2.0)
    left = gaps(closed.geoms)
    assert left.area_m2.sum() == pytest.approx(shapely.area(closed.gaps_left).sum(), abs=2.0)


@settings(max_examples=40, deadline=None)
@given(rough_tilings())
def test_overlaps_and_gaps_balance_the_areas(cells):
    valid = shapely.make_valid(cells, method="structure")
    frame = shapely.union_all([shapely.box(-200, -200, 1_200, 1_200)])
    uncovered = gaps(valid, within=frame).area_m2.sum()
    assert frame.area - uncovered == pytest.approx(shapely.area(shapely.union_all(valid)), abs=1e-3)
    pairs = overlaps(valid)
    brute = sum(shapely.area(shapely.intersection(valid[i], valid[j])) for i in range(len(valid)) for j in range(i))
    assert pairs.area_m2.sum() == pytest.approx(brute, abs=1e-6)
