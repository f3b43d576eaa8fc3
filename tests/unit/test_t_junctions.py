"""A vertex on a neighbour's edge becomes the neighbour's: a cut unit and those around it tile the ground again."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from geodata.adjacency import adjacency
from geodata.redraw.fit import tiles
from geodata.synth.cells import cells
from geodata.t_junctions import with_shared_vertices


def test_what_tiles_stays_as_it_is() -> None:
    shapes = np.array([box(0, 0, 1, 1), box(1, 0, 2, 1)], dtype=object)
    assert shapely.equals_exact(with_shared_vertices(shapes), shapes).all()


def test_an_island_and_a_hole_with_more_vertices() -> None:
    inner = box(3, 3, 6, 6)
    outer = shapely.MultiPolygon([shapely.difference(box(0, 0, 10, 10), inner), box(20, 0, 30, 10)])
    finer = shapely.segmentize(inner, 1.0)
    made = with_shared_vertices(np.array([outer, finer], dtype=object))
    assert tiles(made) and shapely.get_num_coordinates(made[0]) > shapely.get_num_coordinates(outer)
    assert shapely.equals(made, np.array([outer, inner], dtype=object)).all()


def test_a_gap_that_is_meant_stays() -> None:
    apart = np.array([box(0, 0, 10, 10), box(10.05, 3, 20, 7)], dtype=object)
    assert shapely.equals_exact(with_shared_vertices(apart), apart).all()


@settings(max_examples=25)
@given(st.integers(3, 40), st.integers(0, 300), st.floats(0, np.pi), st.floats(-0.002, 0.002))
def test_a_cut_town_tiles_again(n: int, seed: int, angle: float, off: float) -> None:
    """Whatever the direction of the cut, and with its ends off the border by the rounding of a projection."""
    shapes = cells(n, seed).polygons
    unit = seed % n
    pieces = cut_through(shapes[unit], angle)
    if min(shapely.area(pieces)) < 100:  # a cut along an edge
        return
    pieces = shapely.transform(pieces, lambda xy: xy + np.where(np.isin(xy, shapely.get_coordinates(shapes)), 0, off))
    parts = np.array([*np.delete(shapes, unit), *pieces], dtype=object)
    made = with_shared_vertices(parts)
    assert tiles(made)
    assert shapely.hausdorff_distance(shapely.boundary(made), shapely.boundary(parts)).max() <= 0.011
    near = adjacency(made)
    assert ((near.i == n - 1) & (near.j == n)).sum() == 1


def cut_through(shape: Any, angle: float) -> np.ndarray:
    """The two sides of a convex polygon beside a line through its middle."""
    middle, reach = shapely.get_coordinates(shapely.centroid(shape))[0], 1e4 * np.array([np.cos(angle), np.sin(angle)])
    side = 1e4 * np.array([-np.sin(angle), np.cos(angle)])
    half = shapely.Polygon([middle - reach, middle + reach, middle + reach + side, middle - reach + side])
    return np.array([shapely.intersection(shape, half), shapely.difference(shape, half)], dtype=object)
