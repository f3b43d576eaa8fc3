"""Units from coverages, clean and not: neighbours, shared borders, barriers; against unions and buffers."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import GeodataError
from geodata.redraw.barriers import of_table
from geodata.redraw.build import Built, units_from_coverage
from geodata.redraw.model import Units
from geodata.units.model import Barriers

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def squares(columns: int, rows: int, side: float = 100.0) -> Any:
    return np.array(
        [shapely.box(x * side, y * side, (x + 1) * side, (y + 1) * side) for y in range(rows) for x in range(columns)]
    )


def voronoi(n: int, seed: int = 0, side: float = 140.0) -> Any:
    points = np.random.default_rng(seed).random((n, 2)) * side * np.sqrt(n)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points)))
    return shapely.intersection(cells, shapely.box(*shapely.total_bounds(shapely.points(points))))


def each_redrawn(cells: Any, seed: int, sigma: float) -> Any:
    """Every polygon with noise of its own, as files that were digitised twice have it."""
    random = np.random.default_rng(seed)
    found = []
    for cell in cells:
        xy = shapely.get_coordinates(cell)[:-1]
        found.append(shapely.Polygon(np.round(xy + random.normal(0, sigma, xy.shape), 2)))
    return np.array(found)


def built(geoms: Any, **more: Any) -> tuple[Units, Built]:
    return units_from_coverage(geoms, np.ones(len(geoms), dtype=int), **more)


def outline_m(units: Units, members: Any) -> float:
    inside = np.isin(units.borders.i, members) & np.isin(units.borders.j, members)
    return float(units.perimeter_m[members].sum() - 2 * units.borders.length_m[inside].sum())


def pairs(units: Units, *, crossable: bool = False) -> set[tuple[int, int]]:
    keep = units.borders.crossable if crossable else np.ones(len(units.borders.i), dtype=bool)
    return set(zip(units.borders.i[keep].tolist(), units.borders.j[keep].tolist(), strict=True))


def cluster(units: Units, first: int, size: int) -> list[int]:
    near: dict[int, list[int]] = {}
    for i, j in pairs(units):
        near.setdefault(i, []).append(j)
        near.setdefault(j, []).append(i)
    found = [first]
    for unit in found:
        found += [other for other in near.get(unit, []) if other not in found][: size - len(found)]
    return found


def test_squares_have_four_neighbours_and_no_corners() -> None:
    units, made = built(squares(3, 3))
    assert pairs(units) == {
        (0, 1),
        (1, 2),
        (3, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (0, 3),
        (1, 4),
        (2, 5),
        (3, 6),
        (4, 7),
        (5, 8),
    }
    assert units.borders.length_m == pytest.approx(100)
    assert units.borders.crossable.all()
    assert (made.tiled, made.tolerance_m, made.pairs_by_tolerance, len(made.lonely)) == (True, 0.0, 0, 0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12))
def test_the_outline_of_a_union_is_the_perimeters_less_twice_the_shared_borders(seed: int, size: int) -> None:
    cells = voronoi(60, seed)
    units, _ = built(cells)
    members = cluster(units, seed % 60, size)
    assert outline_m(units, members) == pytest.approx(shapely.union_all(cells[members]).length, rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 3.0))
def test_neighbours_that_disagree_keep_their_borders(seed: int, sigma: float) -> None:
    cells = voronoi(60, seed)
    truth, _ = built(cells)
    units, made = built(each_redrawn(cells, seed, sigma))
    assert not made.tiled
    assert 0.5 <= made.tolerance_m <= 12 * sigma + 0.5
    # below half the tolerance a border is a corner; either end of it is off by up to three sigma
    clear = truth.borders.length_m > max(20, made.tolerance_m / 2 + 6 * sigma)
    long = set(zip(truth.borders.i[clear].tolist(), truth.borders.j[clear].tolist(), strict=True))
    assert len(long - pairs(units, crossable=True)) <= 1  # of some 120: the tolerance is measured, not known
    wrong = pairs(units, crossable=True) - pairs(truth)
    assert len(wrong) <= 2
    shared_m = np.bincount(units.borders.i, units.borders.length_m, 60) + np.bincount(
        units.borders.j, units.borders.length_m, 60
    )
    assert (shared_m <= units.perimeter_m + 1e-6).all()
    assert units.borders.length_m.sum() == pytest.approx(truth.borders.length_m.sum(), rel=0.03)


def test_a_border_with_vertices_on_one_side_only_is_a_border() -> None:
    units, made = built([shapely.box(0, 0, 100, 200), shapely.box(100, 0, 200, 80), shapely.box(100, 80, 200, 200)])
    assert pairs(units) == {(0, 1), (0, 2), (1, 2)}
    assert units.borders.length_m == pytest.approx([80, 120, 100])
    assert made.disagree_m == 0


def test_a_gap_between_three_units_is_shared_out_among_them() -> None:
    """One side of the gap is a single unit, the other two: both are its neighbours, not the one with more border."""
    below, left, right = shapely.box(0, 0, 400, 100), shapely.box(0, 104, 300, 200), shapely.box(300, 104, 400, 200)
    units, _ = built([below, left, right], tolerance_m=6)
    assert pairs(units) == {(0, 1), (0, 2), (1, 2)}
    assert units.borders.length_m == pytest.approx([300, 100, 96], abs=8)


def test_blocks_drawn_without_their_streets_are_neighbours() -> None:
    blocks = shapely.buffer(squares(4, 4), -6, join_style="mitre")
    units, made = built(blocks)
    assert made.tolerance_m > 12
    assert pairs(units, crossable=True) == pairs(built(squares(4, 4))[0])


def test_a_wide_gap_in_a_clean_file_is_a_river() -> None:
    banks = np.concatenate([squares(4, 2), shapely.transform(squares(4, 2), lambda xy: xy + np.array([0, 230]))])
    _, made = built(banks)
    assert made.parts == 2
    assert made.tolerance_m == 0


def test_units_on_the_same_ground_are_one_place() -> None:
    geoms = [*squares(2, 1), shapely.box(0, 0, 100, 100)]
    units, made = built(geoms)
    assert made.stacked.tolist() == [[2, 0]]
    assert units.area_m2.tolist() == [10_000, 10_000, 0]
    assert pairs(units, crossable=True) == {(0, 1), (0, 2)}
    assert outline_m(units, np.arange(3)) == pytest.approx(600)
    assert units.xy_m[2].tolist() == units.xy_m[0].tolist()


def test_fifty_units_on_one_ground_all_join_the_first() -> None:
    units, made = built([shapely.box(0, 0, 100, 100)] * 50)
    assert made.stacked.tolist() == [[unit, 0] for unit in range(1, 50)]
    assert made.parts == 1
    assert units.area_m2.sum() == 10_000


def test_units_around_one_another_end() -> None:
    units, made = built([shapely.box(-k * 10, -k * 10, 1000 + k * 10, 1000 + k * 10) for k in range(10)])
    assert made.parts == 1
    assert (units.area_m2 >= 0).all()
    hosts = set(made.stacked[:, 1].tolist())
    assert not hosts & set(made.stacked[:, 0].tolist())


def test_a_village_inside_a_unit_without_a_hole_for_it() -> None:
    units, _ = built([shapely.box(0, 0, 1000, 1000), shapely.box(400, 400, 600, 600)])
    assert pairs(units) == {(0, 1)}
    assert units.area_m2.tolist() == [960_000, 40_000]
    assert outline_m(units, np.arange(2)) == pytest.approx(4000)
    assert outline_m(units, np.array([0])) == pytest.approx(4800)


def test_holes_and_parts() -> None:
    ring = shapely.box(0, 0, 300, 300).difference(shapely.box(100, 100, 200, 200))
    two = shapely.MultiPolygon([shapely.box(100, 100, 200, 200), shapely.box(300, 0, 400, 100)])
    units, made = built([ring, two])
    assert units.borders.length_m == pytest.approx([500])
    assert made.disagree_m == 0


def test_scattered_villages_are_no_blocks_with_streets() -> None:
    far = [shapely.box(x * 5000, 0, x * 5000 + 200, 200) for x in range(6)]
    _, made = built([*far, shapely.box(230, 0, 430, 200)])
    assert (made.tolerance_m, made.parts) == (0, 7)


def test_an_island_is_named() -> None:
    _, made = built([*squares(2, 1), shapely.box(5000, 0, 5100, 100)])
    assert made.lonely.tolist() == [2]
    assert made.parts == 2


@pytest.mark.parametrize("households", [[1, np.nan], [1, -1], [1, 0.5]])
def test_households_that_are_no_counts_are_refused(households: list[float]) -> None:
    with pytest.raises(GeodataError) as caught:
        units_from_coverage(squares(2, 1), households)
    assert (caught.value.code, caught.value.row) == ("REDRAW_COUNT", 1)


def test_twenty_thousand_cells_in_seconds() -> None:
    cells = voronoi(20_000)
    started = perf_counter()
    units, _ = built(cells)
    assert len(units.borders.i) > 59_000
    assert perf_counter() - started < 3


def test_real_small_areas_against_buffers() -> None:
    path = DATA / "tsuruoka_units.geojson"
    if not path.exists():
        pytest.skip("the real small areas are not beside this checkout")
    from geodata.redraw.files import read_ground

    ground = read_ground(path, "id", ["households"], layer=None, crs=None)
    started = perf_counter()
    units, made = units_from_coverage(ground.geoms, ground.counts("households"))
    assert perf_counter() - started < 10
    assert made.parts == 1
    reach_m = made.tolerance_m
    wide = shapely.buffer(shapely.make_valid(ground.geoms), reach_m / 2)
    a, b = shapely.STRtree(wide).query(wide, predicate="intersects")
    once = a < b
    a, b = a[once], b[once]
    length_m = shapely.area(shapely.intersection(wide[a], wide[b])) / reach_m
    oracle = dict(zip(zip(a.tolist(), b.tolist(), strict=True), length_m.tolist(), strict=True))
    assert len({pair for pair, metres in oracle.items() if metres > 3 * reach_m} - pairs(units)) <= 3
    assert sum(oracle.get(pair, 0) < reach_m for pair in pairs(units, crossable=True)) <= 3
    off = []
    for first in range(0, len(units), 10):
        members = cluster(units, first, 12)
        closed = shapely.union_all(shapely.buffer(ground.geoms[members], 25, join_style="mitre"))
        off.append(outline_m(units, np.array(members)) / closed.buffer(-25, join_style="mitre").length - 1)
    assert np.abs(off).max() < 0.06
    assert abs(np.median(off)) < 0.01


# barriers: two rows of three squares with something along y = 100


def barred(*lines: tuple[str, str, Any], bridge: Any = False, tunnel: Any = False) -> Units:
    kinds, classes, shapes = zip(*lines, strict=True)
    return built(
        squares(3, 2), barriers=Barriers.of(list(shapes), list(kinds), list(classes), bridge=bridge, tunnel=tunnel)
    )[0]


def line(*xy: tuple[float, float]) -> Any:
    return shapely.LineString(xy)


ALONG = line((-10, 100), (310, 100))
VERTICAL = {(0, 3), (1, 4), (2, 5)}


def closed(units: Units) -> set[tuple[int, int]]:
    return pairs(units) - pairs(units, crossable=True)


@pytest.mark.parametrize(("kind", "cls"), [("water", "river"), ("rail", "rail"), ("wall", "wall"), ("water", "canal")])
def test_nobody_crosses_a_river_a_railway_or_a_wall(kind: str, cls: str) -> None:
    units = barred((kind, cls, ALONG))
    assert closed(units) == VERTICAL
    along = np.array(
        [pair in VERTICAL for pair in zip(units.borders.i.tolist(), units.borders.j.tolist(), strict=True)]
    )
    assert units.borders.barrier_m[along] == pytest.approx(100)
    assert units.borders.barrier_m[~along].max() <= 15


def test_a_bridge_joins_the_units_at_its_ends_and_no_others() -> None:
    units = barred(
        ("water", "river", ALONG), ("road", "residential", line((150, 90), (150, 110))), bridge=[False, True]
    )
    assert closed(units) == VERTICAL - {(1, 4)}


def test_a_level_crossing_and_an_underpass_join() -> None:
    crossing = barred(("rail", "rail", ALONG), ("road", "footway", line((50, 20), (50, 180))))
    assert closed(crossing) == VERTICAL - {(0, 3)}
    underpass = barred(("rail", "rail", ALONG), ("road", "service", line((250, 95), (250, 105))), tunnel=[False, True])
    assert closed(underpass) == VERTICAL - {(2, 5)}


def test_a_lane_along_the_bank_joins_nothing_even_where_it_grazes_the_river() -> None:
    lane = line((0, 97), (50, 101), (60, 99), (120, 97), (300, 97))
    assert closed(barred(("water", "river", ALONG), ("road", "residential", lane))) == VERTICAL


def test_a_motorway_over_the_river_is_no_way_for_people() -> None:
    units = barred(("water", "river", ALONG), ("road", "motorway", line((150, 0), (150, 200))), bridge=[False, True])
    assert closed(units) == VERTICAL


def test_a_river_with_an_area_bars_and_its_bridge_joins() -> None:
    river = shapely.box(-10, 92, 310, 108)
    bridge = ("road", "secondary", line((150, 85), (150, 115)))
    assert closed(barred(("water", "river", river))) == VERTICAL
    assert closed(barred(("water", "river", river), bridge, bridge=[False, True])) == VERTICAL - {(1, 4)}


def test_a_trunk_road_tears_and_is_crossed() -> None:
    units = barred(("road", "trunk", ALONG))
    assert closed(units) == set()
    assert units.borders.torn_m.sum() == pytest.approx(300, abs=90)
    assert barred(("road", "residential", ALONG)).borders.torn_m.sum() == 0


def test_what_runs_underground_or_through_a_unit_is_no_barrier() -> None:
    assert closed(barred(("rail", "rail", ALONG), tunnel=True)) == set()
    assert barred(("rail", "rail", ALONG), tunnel=True).borders.barrier_m.sum() == 0
    assert closed(barred(("water", "river", line((50, -10), (50, 210))))) == set()


def test_water_that_is_a_unit_belongs_to_one_bank_and_joins_nothing() -> None:
    banks = [shapely.box(0, 0, 300, 100), shapely.box(0, 100, 300, 130), shapely.box(0, 130, 300, 230)]
    river = Barriers.of([banks[1]], ["water"], ["river"])
    units, made = units_from_coverage(banks, [50, 0, 50], barriers=river)
    assert pairs(units, crossable=True) == {(0, 1)}
    assert made.opened == 1
    settled, _ = units_from_coverage(banks, [50, 3, 50], barriers=river)
    assert pairs(settled, crossable=True) == set()


def test_openstreetmap_columns_are_understood() -> None:
    table = {
        "highway": ["primary", None, None, None, None, "footway"],
        "railway": [None, "rail", None, None, None, None],
        "waterway": [None, None, "river", None, None, None],
        "barrier": [None, None, None, "wall", None, None],
        "building": [None, None, None, None, "yes", None],
        "bridge": ["yes", "no", None, None, None, None],
        "tunnel": [None, None, "culvert", None, None, "no"],
        "layer": ["1", "-1", "0", None, None, None],
    }
    barriers, others = of_table(table, [ALONG] * 6)
    assert others == 1
    assert barriers.kind.tolist() == ["road", "rail", "water", "wall", "road"]
    assert barriers.cls.tolist() == ["primary", "rail", "river", "wall", "footway"]
    assert barriers.bridge.tolist() == [True, False, False, False, False]
    assert barriers.tunnel.tolist() == [False, True, True, False, False]


def test_columns_of_kind_and_class_are_understood_in_chinese() -> None:
    table = {"类型": ["道路", "水系", "铁路", "围墙", "绿地"], "类别": ["主干路", "河流", "铁路", "", ""]}
    barriers, others = of_table(table, [ALONG] * 5)
    assert barriers.kind.tolist() == ["road", "water", "rail", "wall"]
    assert others == 1
