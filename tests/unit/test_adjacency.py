"""Adjacency by matching edges, against overlay as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import shapely.affinity

from geodata.adjacency import adjacency, components, shared_borders
from tests.unit.rules_plans import lattice


def overlaid(geoms: np.ndarray) -> dict[tuple[int, int], float]:
    """Shared border lengths by intersecting every pair of outlines."""
    pairs = {}
    for i in range(len(geoms)):
        for j in range(i + 1, len(geoms)):
            length_m = shapely.intersection(geoms[i].boundary, geoms[j].boundary).length
            if length_m > 0.01:
                pairs[i, j] = length_m
    return pairs


def as_dict(geoms: np.ndarray) -> dict[tuple[int, int], float]:
    found = adjacency(geoms)
    return {(int(i), int(j)): m for i, j, m in zip(found.i, found.j, found.border_m, strict=True)}


def test_squares_that_touch_at_a_corner_are_no_neighbours() -> None:
    assert as_dict(lattice(2, 2)) == {(0, 1): 100, (0, 2): 100, (1, 3): 100, (2, 3): 100}


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_overlay_on_voronoi_cells(seed: int) -> None:
    points = shapely.multipoints(np.random.default_rng(seed).uniform(0, 1000, (60, 2)))
    cells = np.asarray(shapely.get_parts(shapely.voronoi_polygons(points)))
    oracle, mine = overlaid(cells), as_dict(cells)
    assert mine.keys() == oracle.keys()
    assert all(mine[pair] == pytest.approx(oracle[pair]) for pair in oracle)


def test_a_t_junction_with_a_vertex_on_one_side_only() -> None:
    geoms = np.array([shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 40), shapely.box(100, 40, 200, 100)])
    assert as_dict(geoms) == pytest.approx({(0, 1): 40, (0, 2): 60, (1, 2): 100})


def test_a_crossing_line_is_no_shared_border() -> None:
    cross = np.array([shapely.box(0, 40, 100, 60), shapely.box(40, 0, 60, 100)])
    assert as_dict(cross) == {}


def test_multipolygons_none_and_empty() -> None:
    two = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])
    geoms = np.array([two, shapely.box(1, 0, 2, 1), None, shapely.Polygon()], dtype=object)
    assert as_dict(geoms) == pytest.approx({(0, 1): 2})
    assert as_dict(np.array([], dtype=object)) == {}


def test_pieces_of_border_lie_on_the_border() -> None:
    geoms = lattice(3, 3)
    borders = shared_borders(geoms)
    assert (shapely.distance(borders.lines(), shapely.boundary(geoms[borders.i])) < 1e-9).all()
    assert borders.length_m.sum() == pytest.approx(1200)


def test_components_of_a_path_and_a_lone_node() -> None:
    labels = components(4, np.array([0, 1]), np.array([1, 2]))
    assert labels[0] == labels[1] == labels[2] != labels[3]


def test_edges_that_part_slowly_share_the_run_on_which_they_are_close() -> None:
    left = shapely.Polygon([(0, 0), (-100, 500), (0, 1000)])
    right = shapely.Polygon([(0, 0), (100, 500), (0.02, 1000)])  # 2 cm off after a kilometre
    assert as_dict(np.array([left, right])) == pytest.approx({(0, 1): 500}, abs=0.1)


@pytest.mark.parametrize("angle_deg", [5, 45, 90])
def test_edges_that_meet_in_a_corner_at_an_angle_do_not_follow_each_other(angle_deg: float) -> None:
    up = shapely.Polygon([(0, 0), (100, 0), (100, 100)])
    down = shapely.affinity.rotate(shapely.Polygon([(0, 0), (100, 0), (100, -90)]), -angle_deg, origin=(0, 0))
    assert as_dict(np.array([up, down])) == {}
