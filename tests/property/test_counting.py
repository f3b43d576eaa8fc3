"""Counts equal GeoPandas on any coverage, and any sequence of recounts equals counting anew."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.counting import PolygonCounts, count_by_polygon

FRAME = shapely.box(0, 0, 100, 100)


def coverage(rng: np.random.Generator, count: int) -> np.ndarray:  # type: ignore[type-arg]
    cells = shapely.voronoi_polygons(shapely.multipoints(rng.random((count, 2)) * 100), extend_to=FRAME)
    return np.array(shapely.get_parts(cells), dtype=object)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 80))
def test_same_totals_as_geopandas(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    polygons, xy, weights = coverage(rng, count), rng.random((400, 2)) * 100, rng.integers(0, 50, (400, 2))
    counts = count_by_polygon(xy, weights, polygons)
    joined = gpd.sjoin(gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T)), gpd.GeoDataFrame(geometry=polygons))
    want = np.zeros_like(counts)
    np.add.at(want, joined["index_right"].to_numpy(), weights[joined.index.to_numpy()])
    assert (counts == want).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_recounts_equal_counting_anew(seed: int) -> None:
    """Small pieces change hands among polygons; totals are those of a fresh count each time."""
    rng = np.random.default_rng(seed)
    pieces = coverage(rng, 60)
    xy, weights = rng.random((300, 2)) * 100, rng.integers(0, 50, 300)
    owner = rng.integers(0, 8, len(pieces))

    def polygons(groups: np.ndarray) -> list[shapely.Geometry]:  # type: ignore[type-arg]
        return [shapely.union_all(pieces[owner == g]) if (owner == g).any() else None for g in groups]

    kept = PolygonCounts(xy, weights, polygons(np.arange(8)))
    for _ in range(5):
        moved = rng.integers(0, len(pieces), 3)
        touched = owner[moved]
        owner[moved] = rng.integers(0, 8, 3)
        touched = np.unique([*touched, *owner[moved]])
        kept.recount(touched, polygons(touched))
        assert (kept.counts == count_by_polygon(xy, weights, polygons(np.arange(8)))).all()
