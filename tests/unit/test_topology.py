"""Arcs of units: each border once with its two units, rings that give the polygons back, grids by choice of arcs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geodata.crs import to_lonlat as metric_to_lonlat
from geodata.synth.cells import cells
from geodata.topology import Topology, polygons, ring_lonlat, to_lonlat, to_world, topology

M = 1e-5  # a metre or so, in degrees
STEP_DEG2 = (360 * 2.0**-34) ** 2


def boxes(*bounds: tuple[float, float, float, float]) -> np.ndarray:
    """Boxes given in about metres, near 120 E 30 N."""
    return np.array([shapely.affinity.translate(box(*(M * v for v in one)), 120, 30) for one in bounds], dtype=object)


def town(n: int, seed: int) -> np.ndarray:
    moved = shapely.transform(cells(n, seed).polygons, lambda xy: xy + np.array([505_000.0, 3_340_000.0]))
    return np.asarray(metric_to_lonlat(moved, 120.0), dtype=object)


def same(found: Any, wanted: Any) -> bool:
    """Equal but for the rounding of vertices to the step (a strip along the outline)."""
    strip = shapely.length(wanted) * 360 * 2.0**-34 * 6
    return bool((shapely.area(shapely.symmetric_difference(found, wanted)) <= strip + STEP_DEG2).all())


def arc_line(found: Topology, arc: int) -> Any:
    span = slice(found.arc_start[arc], found.arc_start[arc + 1])
    return shapely.LineString(to_lonlat(found.lattice.world(np.stack([found.arc_x[span], found.arc_y[span]], axis=1))))


def check_sides(found: Topology, shapes: np.ndarray) -> None:
    """A centimetre left and right of the middle of each arc's longest edge lie the units that it names."""
    for arc in range(len(found.arc_left)):
        line = arc_line(found, arc)
        xy = shapely.get_coordinates(line)
        length = np.hypot(*np.diff(xy, axis=0).T)
        (x0, y0), (x1, y1) = xy[length.argmax() :][:2]
        if length.max() < M / 2:
            continue
        middle, off = np.array([x0 + x1, y0 + y1]) / 2, np.array([y0 - y1, x1 - x0])
        off *= 0.01 * M / np.hypot(*off)
        for side, unit in ((1, found.arc_left[arc]), (-1, found.arc_right[arc])):
            holds = np.flatnonzero(shapely.intersects_xy(shapes, *(middle + side * off)))
            assert holds.tolist() == ([unit] if unit >= 0 else []), arc


def check_rings(found: Topology) -> None:
    """Rings close, every arc is walked once a side, with its unit on the left."""
    walked: list[tuple[int, int]] = []
    for unit in range(len(found.unit_rings) - 1):
        for ring in range(found.unit_rings[unit], found.unit_rings[unit + 1]):
            outline = ring_lonlat(found, ring)
            assert (outline[0] == outline[-1]).all()
            for signed in found.ring_arc[found.ring_start[ring] : found.ring_start[ring + 1]].tolist():
                left, right = found.arc_left, found.arc_right
                assert (left[signed] if signed >= 0 else right[~signed]) == unit
                walked.append((signed, unit))
    assert len(set(walked)) == len(walked) == (found.arc_left >= 0).sum() + (found.arc_right >= 0).sum()


def test_two_boxes_share_one_arc_with_them_on_its_sides() -> None:
    shapes = boxes((0, 0, 10, 10), (10, 0, 20, 10))
    found = topology(shapes)
    assert len(found.arc_left) == 3
    shared = np.flatnonzero(found.arc_right >= 0)
    assert [(found.arc_left[a], found.arc_right[a]) for a in shared] == [(0, 1)]
    assert found.arc_start[shared[0] + 1] - found.arc_start[shared[0]] == 2
    check_sides(found, shapes)
    check_rings(found)


def test_an_enclave_is_one_closed_arc() -> None:
    inner, outer = boxes((3, 3, 6, 6), (0, 0, 10, 10))
    shapes = np.array([shapely.difference(outer, inner), inner], dtype=object)
    found = topology(shapes)
    assert len(found.arc_left) == 2 and np.diff(found.unit_rings).tolist() == [2, 1]
    check_sides(found, shapes)
    check_rings(found)
    assert same(polygons(found), shapes)


def test_parts_holes_touching_corners_and_ground_that_is_missing() -> None:
    a, b, c, d = boxes((0, 0, 10, 10), (10, 10, 20, 20), (10, 0, 20, 10), (0, 10, 10, 20))
    shapes = np.array([MultiPolygon([a, b]), c, None, Polygon(), d], dtype=object)
    found = topology(shapes)
    assert np.diff(found.unit_rings).tolist() == [2, 1, 0, 0, 1]
    check_sides(found, shapes)
    check_rings(found)
    assert same(polygons(found)[[0, 1, 4]], shapes[[0, 1, 4]])


def test_direction_of_rings_in_the_file_does_not_matter() -> None:
    shapes = town(40, 3)
    turned = np.array([shapely.reverse(s) if k % 2 else s for k, s in enumerate(shapes)], dtype=object)
    one, other = topology(shapes), topology(turned)
    check_sides(other, shapes)
    sides = [sorted(zip(t.arc_left.tolist(), t.arc_right.tolist(), strict=True)) for t in (one, other)]
    assert sides[0] == sides[1]


def test_a_t_junction_is_shared_by_both_sides() -> None:
    shapes = boxes((0, 0, 10, 20), (10, 0, 20, 7), (10, 7, 20, 20))
    found = topology(shapes)
    pairs = {(found.arc_left[a], found.arc_right[a]) for a in np.flatnonzero(found.arc_right >= 0)}
    assert pairs == {(0, 1), (0, 2), (1, 2)}
    check_sides(found, shapes)
    check_rings(found)


def test_edges_that_overlap_in_part_share_that_part() -> None:
    shapes = boxes((0, 0, 10, 10), (10, 5, 20, 15))
    found = topology(shapes)
    (shared,) = np.flatnonzero(found.arc_right >= 0)
    assert shapely.length(arc_line(found, shared)) == pytest.approx(5 * M, rel=1e-3)
    check_rings(found)


def test_ground_held_twice_has_arcs_of_its_own() -> None:
    one = boxes((0, 0, 10, 10))[0]
    found = topology(np.array([one, one], dtype=object))
    assert set(found.arc_left.tolist()) == {0, 1} and set(found.arc_right.tolist()) == {-1}
    check_rings(found)


def test_ground_narrower_than_the_step_has_no_ring() -> None:
    found = topology(boxes((0, 0, 1e-4, 10), (0, 0, 10, 10)))
    assert np.diff(found.unit_rings).tolist() == [0, 1]


def test_nothing_at_all() -> None:
    found = topology(np.array([None, Polygon()], dtype=object))
    assert found.unit_rings.tolist() == [0, 0, 0] and found.arc_start.tolist() == [0]
    assert found.bounds_lonlat() is None
    assert len(topology(np.zeros(0, dtype=object)).unit_rings) == 1


def test_world_coordinates_are_leaflets() -> None:
    world = to_world(np.array([[0.0, 0.0], [180.0, 0.0], [121.47, 31.23]]))
    assert world[0].tolist() == [0.5, 0.5] and world[1, 0] == 1.0
    lat = np.radians(31.23)
    wanted = (1 - np.log(np.tan(lat) + 1 / np.cos(lat)) / np.pi) / 2
    assert world[2].tolist() == pytest.approx([(121.47 + 180) / 360, wanted], abs=1e-15)
    assert np.abs(to_lonlat(world) - [[0, 0], [180, 0], [121.47, 31.23]]).max() < 1e-12


@settings(max_examples=20)
@given(st.integers(2, 120), st.integers(0, 1000), st.randoms())
def test_towns_come_back_and_dissolve(n: int, seed: int, random: Any) -> None:
    shapes = town(n, seed)
    found = topology(shapes)
    check_rings(found)
    check_sides(found, shapes) if n < 40 else None
    back = polygons(found)
    assert same(back, shapes)
    assert shapely.area(back).sum() == pytest.approx(shapely.area(shapely.union_all(back)), rel=1e-9)
    assert np.abs(shapely.area(back) - shapely.area(shapes)).max() < 1e-4 * shapely.area(shapes).max()
    grid = np.array([random.randrange(4) for _ in range(n)])
    of = np.append(grid, -1)
    for one in np.unique(grid):
        union = shapely.coverage_union_all(back[grid == one])
        inside = (of[found.arc_left] == one) != (of[found.arc_right] == one)
        lines = shapely.union_all([arc_line(found, arc) for arc in np.flatnonzero(inside)])
        outline = shapely.boundary(union)
        assert shapely.length(lines) == pytest.approx(shapely.length(outline), rel=1e-9)
        assert shapely.hausdorff_distance(lines, outline) < 1e-9


@settings(max_examples=20)
@given(st.integers(2, 60), st.integers(0, 1000), st.randoms())
def test_a_part_of_the_units_is_the_topology_of_that_part(n: int, seed: int, random: Any) -> None:
    shapes = town(n, seed)
    units = np.array(sorted(random.sample(range(n), random.randrange(n + 1))), dtype=np.int64)
    part = topology(shapes).take(units)
    check_rings(part)
    assert same(polygons(part), shapes[units])
    left, right = part.arc_left, part.arc_right
    assert (left[right >= 0] != right[right >= 0]).all() and ((left >= 0) | (right >= 0)).all()


def test_small_areas_that_share_no_vertices_stay_one_sided(shared_data: Path) -> None:
    shapes = gpd.read_file(shared_data / "tsuruoka_units.geojson").geometry.to_numpy()
    found = topology(shapes)
    back = polygons(found)
    off = shapely.area(shapely.symmetric_difference(back, shapely.make_valid(shapes)))
    assert (off <= shapely.length(shapes) * 360 * 2.0**-34 * 6 + STEP_DEG2).all()
    check_rings(found)
    assert (found.arc_right < 0).mean() > 0.5
