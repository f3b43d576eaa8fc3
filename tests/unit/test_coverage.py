"""Overlaps, gaps, repair and the closing of micro-gaps on shapes whose areas are known by heart."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from geodata.closing import close_micro_gaps
from geodata.coverage import edges_match, gaps, is_valid_coverage, overlaps, repair
from geodata.crs import to_metric

TSURUOKA = Path(__file__).parents[3] / "shared" / "data" / "tsuruoka_units.geojson"


def squares(n=3, side=100.0):
    corner = np.stack(np.meshgrid(range(n), range(n)), -1).reshape(-1, 2) * side
    return shapely.box(*corner.T, *(corner + side).T)


class TestOverlaps:
    def test_none_in_a_coverage(self):
        assert len(overlaps(squares()).i) == 0

    def test_pair_ground_and_area(self):
        found = overlaps([shapely.box(0, 0, 10, 10), shapely.box(8, 0, 20, 10), shapely.box(20, 0, 30, 10)])
        assert (found.i.tolist(), found.j.tolist(), found.area_m2.tolist()) == ([0], [1], [20.0])
        assert found.geometry[0].equals(shapely.box(8, 0, 10, 10))

    def test_identical_and_contained_polygons(self):
        found = overlaps([shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10), shapely.box(2, 2, 3, 3)])
        assert set(zip(found.i.tolist(), found.j.tolist(), strict=True)) == {(0, 1), (0, 2), (1, 2)}
        assert found.area_m2.tolist() == [100.0, 1.0, 1.0]

    def test_slivers_under_the_limit_are_passed_over(self):
        pair = [shapely.box(0, 0, 10, 10), shapely.box(9.99, 0, 20, 10)]
        assert len(overlaps(pair, min_m2=1.0).i) == 0
        assert overlaps(pair).area_m2[0] == pytest.approx(0.1)

    def test_touching_corners_missing_and_empty_polygons_do_not_overlap(self):
        shapes = [shapely.box(0, 0, 1, 1), None, shapely.Polygon(), shapely.box(1, 1, 2, 2)]
        assert len(overlaps(shapes).i) == 0

    def test_common_ground_that_also_touches_along_a_line_keeps_only_ground(self):
        comb = shapely.Polygon([(0, 0), (10, 0), (10, 5), (5, 5), (5, 6), (0, 6)])
        found = overlaps([comb, shapely.box(2, 5, 10, 10)])
        assert found.geometry[0].geom_type == "Polygon"
        assert found.area_m2.tolist() == [3.0]


class TestGaps:
    def test_hole_between_polygons(self):
        around = np.delete(squares(), 4)
        found = gaps(around)
        assert found.area_m2.tolist() == [10_000.0]
        assert found.geometry[0].equals(squares()[4])

    def test_uncovered_part_of_the_outer_polygon(self):
        found = gaps(np.delete(squares(), 0), within=shapely.box(0, 0, 300, 300))
        assert found.area_m2.tolist() == [10_000.0]

    def test_an_open_bay_is_no_gap_without_an_outer_polygon(self):
        assert len(gaps(np.delete(squares(), 1)).area_m2) == 0

    def test_an_island_in_a_hole_is_not_gap(self):
        ring = shapely.difference(shapely.box(0, 0, 30, 30), shapely.box(10, 10, 20, 20))
        assert gaps([ring, shapely.box(12, 12, 14, 14)]).area_m2.tolist() == [96.0]

    def test_ground_between_pieces_that_touch_at_points(self):
        left = shapely.Polygon([(0, 0), (5, 0), (2, 5), (5, 10), (0, 10)])
        right = shapely.Polygon([(5, 0), (10, 0), (10, 10), (5, 10), (8, 5)])
        assert gaps([left, right]).area_m2.tolist() == [30.0]

    def test_nothing_given(self):
        assert len(gaps([]).area_m2) == 0
        assert len(overlaps([]).i) == 0


class TestValidity:
    def test_squares_tile(self):
        assert is_valid_coverage(squares(), within=shapely.box(0, 0, 300, 300))

    def test_t_junction_without_vertex_is_not_valid(self):
        assert not is_valid_coverage([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 1), shapely.box(2, 1, 4, 2)])

    def test_hole_overlap_bow_tie_and_duplicate_are_not_valid(self):
        bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
        assert not is_valid_coverage(np.delete(squares(), 4))
        assert not is_valid_coverage([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)])
        assert not is_valid_coverage([bow])
        assert not is_valid_coverage([shapely.box(0, 0, 1, 1)] * 2)

    def test_wedge_that_ends_in_a_shared_vertex_is_sound(self):
        # what GEOS 3.14 refuses, found in the real areas of Tsuruoka
        a = shapely.Polygon([(96.121, 623.681), (0, 0), (383.796, 42.069), (253, -723), (-500, -600), (-400, 700)])
        b = shapely.Polygon([(788.83, 36.579), (430.828, 50.393), (0, 0), (96.121, 623.681), (465, 567)])
        assert edges_match([a, b])


class TestRepair:
    def test_bow_tie_counts_with_all_its_ground(self):
        fixed = repair([shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), shapely.box(0, 0, 1, 1), None])
        assert fixed.changed_m2.tolist() == [2.0, 0.0, 0.0]
        assert shapely.is_valid(fixed.geometry[0])
        assert fixed.geometry[2] is None

    def test_spikes_and_collapsed_parts_leave_polygons(self):
        spike = shapely.Polygon([(0, 0), (4, 0), (4, 4), (4, 9), (4, 4), (0, 4)])
        fixed = repair([spike]).geometry[0]
        assert fixed.geom_type == "Polygon"
        assert fixed.area == 16


def shaken(seed=1, n=6, side=100.0, noise=0.8):
    """Squares whose corners each polygon saw elsewhere: slivers and gaps on every border."""
    rng = np.random.default_rng(seed)
    boxes = shapely.segmentize(squares(n, side), 25.0)

    def shake(one):
        points = shapely.get_coordinates(one)[:-1]
        return shapely.Polygon(points + rng.normal(0, noise, points.shape))

    return np.array([shake(one) for one in boxes])


class TestClosing:
    def test_shaken_squares_become_a_coverage(self):
        given = shaken()
        closed = close_micro_gaps(given, tolerance_m=8.0)
        assert not edges_match(given)
        assert is_valid_coverage(closed.geoms)
        assert len(overlaps(closed.geoms).i) == 0
        assert closed.gaps_closed > 20
        assert closed.overlaps_removed > 20
        assert len(closed.gaps_left) == len(closed.wide_overlaps) == len(closed.vanished) == 0

    def test_ground_is_accounted_for(self):
        given = shaken()
        closed = close_micro_gaps(given, tolerance_m=8.0)
        union_m2 = shapely.area(shapely.union_all(given))
        assert shapely.area(closed.geoms).sum() == pytest.approx(union_m2 + closed.gaps_closed_m2, abs=1.0)
        differing = shapely.area(shapely.symmetric_difference(given, closed.geoms))
        assert closed.moved_m2 == pytest.approx(differing, abs=0.5)

    def test_a_coverage_stays_as_it_is(self):
        closed = close_micro_gaps(squares(), tolerance_m=5.0)
        assert shapely.equals(closed.geoms, squares()).all()
        assert closed.moved_m2.sum() == 0

    def test_wide_gap_is_left_and_named(self):
        closed = close_micro_gaps(np.delete(squares(), 4), tolerance_m=20.0)
        assert shapely.area(closed.gaps_left).tolist() == [10_000.0]
        assert closed.gaps_closed == 0

    def test_wide_overlap_goes_to_the_smaller_and_is_named(self):
        closed = close_micro_gaps([shapely.box(0, 0, 100, 100), shapely.box(40, 40, 60, 60)], tolerance_m=2.0)
        assert shapely.area(closed.geoms).tolist() == [9_600.0, 400.0]
        assert shapely.area(closed.wide_overlaps).tolist() == [400.0]
        assert closed.moved_m2.tolist() == [400.0, 0.0]

    def test_sliver_goes_to_the_longest_border(self):
        left, right = shapely.box(0, 0, 10, 100), shapely.box(10.5, 0, 30, 60)
        top = shapely.box(10, 60, 30, 100)
        bottom = shapely.box(10, -10, 30, 0)
        closed = close_micro_gaps([left, right, top, bottom], tolerance_m=1.0)
        assert closed.gaps_closed == 1
        assert shapely.area(closed.geoms).sum() == pytest.approx(1_000 + 19.5 * 60 + 800 + 200 + 30)
        assert shapely.area(closed.geoms)[2:].tolist() == [800.0, 200.0]

    def test_the_same_polygon_twice_leaves_one_and_says_which_vanished(self):
        closed = close_micro_gaps([shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10)], tolerance_m=1.0)
        assert len(closed.vanished) == 1
        assert shapely.area(closed.geoms).sum() == 100.0

    def test_invalid_polygons_are_repaired_first(self):
        bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
        assert shapely.is_valid(close_micro_gaps([bow, shapely.box(10, 0, 20, 10)], 0.5).geoms).all()

    def test_slit_open_to_the_outside_is_closed_and_a_wide_bay_is_not(self):
        slit = [shapely.box(0, 0, 10, 10), shapely.box(10.2, 0, 20, 10)]
        closed = close_micro_gaps(slit, tolerance_m=1.0)
        assert edges_match(closed.geoms)
        assert shapely.area(closed.geoms).sum() == pytest.approx(200.0)
        assert closed.gaps_closed == 1
        assert close_micro_gaps(slit, tolerance_m=0.1).gaps_closed == 0

    @pytest.mark.skipif(not TSURUOKA.exists(), reason="the shared data set of Tsuruoka is not here")
    def test_real_small_areas(self):
        import geopandas as gpd

        areas = to_metric(np.asarray(gpd.read_file(TSURUOKA).geometry.values))
        closed = close_micro_gaps(areas, tolerance_m=20.0)
        assert edges_match(closed.geoms)
        assert len(overlaps(closed.geoms).i) == 0
        assert shapely.area(gaps(closed.geoms).geometry).sum() == pytest.approx(shapely.area(closed.gaps_left).sum())
        assert closed.gaps_closed > 1_800
        assert len(closed.vanished) == 0
        everything = close_micro_gaps(areas, tolerance_m=50.0)
        assert edges_match(everything.geoms)
        assert len(everything.gaps_left) == 1  # a bay whose mouth was closed
