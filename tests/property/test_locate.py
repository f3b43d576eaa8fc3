"""Every point of a coverage belongs to exactly one polygon, the one GEOS says where GEOS can say."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.locate import locate, locate_all


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.booleans())
def test_voronoi_coverage(seed: int, count: int, lattice: bool) -> None:
    """Points inside as GEOS says; points on vertices and edges to one of those that touch them."""
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, 12, (count, 2)) * 1.0 if lattice else rng.random((count, 2)) * 12
    frame = shapely.box(-1, -1, 13, 13)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=frame))
    if not len(cells):
        return
    vertices = np.unique(shapely.get_coordinates(cells), axis=0)
    points = np.vstack([rng.random((200, 2)) * 12, rng.integers(-2, 26, (200, 2)) / 2, vertices])
    found = locate(points, cells)
    tree = shapely.STRtree(cells)
    point, row = tree.query(shapely.points(points), predicate="intersects")
    touching: dict[int, set[int]] = {}
    for p, r in zip(point.tolist(), row.tolist(), strict=True):
        touching.setdefault(p, set()).add(r)
    for p, r in enumerate(found.tolist()):
        assert r in touching.get(p, {-1})
    # asked one by one, no polygon shares a point with another
    alone, _ = locate_all(points, cells)
    assert len(np.unique(alone)) == len(alone)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_step_east_then_north(seed: int) -> None:
    """On a lattice the rule equals moving the point a hair east and less than a hair north."""
    rng = np.random.default_rng(seed)
    corners = np.array([(0, 0), (8, 0), (0, 8), (8, 8)])
    nodes = shapely.multipoints(np.vstack([corners, rng.integers(0, 9, (10, 2))]))
    faces = shapely.get_parts(shapely.delaunay_triangles(nodes))
    points = np.array([(x, y) for x in range(9) for y in range(9)], dtype=float)
    found = locate(points, faces)
    moved = locate(points + np.array([1e-5, 1e-8]), faces)
    inner = (points < 8).all(axis=1)
    assert (found[inner] == moved[inner]).all()
    assert (found >= 0).all()
