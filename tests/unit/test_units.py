"""Units of small made-up communities whose right answer can be seen by eye."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from geodata.errors import GeodataError
from geodata.units import Barriers, Buildings, Compounds, UnitOptions, Units, build_county, build_units

SQUARE = box(0, 0, 400, 400)
NO_BARRIERS = Barriers.of()
NO_COMPOUNDS = Compounds.of()


def houses(*places: tuple[float, float], households: Any = 10, **more: Any) -> Buildings:
    return Buildings.of([Point(p) for p in places], households, 25, **more)


def road(*points: tuple[float, float]) -> LineString:
    return LineString(points)


def assert_tiles(units: Units, communities: list[Any]) -> None:
    assert shapely.coverage_is_valid(units.geometry)
    assert set(shapely.get_type_id(units.geometry)) == {3}
    assert shapely.is_valid(units.geometry).all()
    for row, community in enumerate(communities):
        union = shapely.coverage_union_all(units.geometry[units.community == row])
        assert shapely.equals(union, units.communities[row])
        assert shapely.symmetric_difference(union, community).area < 1e-2


def unit_at(units: Units, x: float, y: float) -> int:
    rows = np.flatnonzero(shapely.intersects_xy(units.geometry, x, y))
    assert len(rows) == 1
    return int(rows[0])


CROSS = [road((200, -50), (200, 450)), road((-50, 200), (450, 200))]
FOUR = houses((100, 100), (300, 100), (100, 300), (300, 300))


def test_a_crossing_makes_four_blocks() -> None:
    units = build_units(SQUARE, Barriers.of(CROSS, "road", "residential"), NO_COMPOUNDS, FOUR)
    assert_tiles(units, [SQUARE])
    assert len(units) == 4
    assert shapely.area(units.geometry) == pytest.approx([40_000] * 4)
    assert units.households.tolist() == [10] * 4
    assert units.population.tolist() == [25] * 4
    assert units.buildings.tolist() == [1] * 4
    assert sorted(units.building_unit.tolist()) == [0, 1, 2, 3]
    assert set(units.provenance) == {"face"}


@pytest.mark.parametrize(
    "barriers",
    [
        Barriers.of(CROSS, "road", "footway"),
        Barriers.of(CROSS, "road", "service"),
        Barriers.of(CROSS, "road", "台阶"),
        Barriers.of(CROSS, "rail", "subway"),
        Barriers.of(CROSS, "road", "primary", tunnel=True),
        Barriers.of(CROSS, "water", "river", bridge=True),
    ],
    ids=["footway", "service", "steps", "subway", "tunnel", "bridge"],
)
def test_what_does_not_cut(barriers: Barriers) -> None:
    options = UnitOptions(cell_households=1000)
    assert len(build_units(SQUARE, barriers, NO_COMPOUNDS, FOUR, options)) == 1


@pytest.mark.parametrize(
    ("kind", "cls"), [("road", "主干路"), ("water", "河流"), ("rail", "铁路"), ("wall", ""), ("road", "新类")]
)
def test_what_cuts(kind: str, cls: str) -> None:
    assert len(build_units(SQUARE, Barriers.of(CROSS, kind, cls), NO_COMPOUNDS, FOUR)) == 4


def test_the_classes_that_cut_can_be_chosen() -> None:
    options = UnitOptions(cutting=frozenset({"road/footway"}))
    assert len(build_units(SQUARE, Barriers.of(CROSS, "road", "footway"), NO_COMPOUNDS, FOUR, options)) == 4
    options = UnitOptions(cutting=frozenset(), cell_households=1000)
    assert len(build_units(SQUARE, Barriers.of(CROSS, "road", "primary"), NO_COMPOUNDS, FOUR, options)) == 1


def test_an_empty_face_joins_the_neighbour_with_the_longest_shared_border() -> None:
    lines = [road((0, 150), (400, 150)), road((100, 150), (100, 400))]
    people = houses((200, 50), (50, 300))  # the face at the right above has nobody: 300 m to one, 250 m to the other
    units = build_units(SQUARE, Barriers.of(lines, "road", "tertiary"), NO_COMPOUNDS, people)
    assert_tiles(units, [SQUARE])
    assert len(units) == 2
    assert unit_at(units, 300, 300) == unit_at(units, 200, 50)


def test_empty_ground_joins_its_own_bank_of_a_river() -> None:
    """Though its border along the river is the longer one."""
    lines = [road((0, 200), (400, 200)), road((300, 200), (300, 400))]
    barriers = Barriers.of(lines, ["water", "road"], ["river", "residential"])
    units = build_units(SQUARE, barriers, NO_COMPOUNDS, houses((100, 100), (350, 300)))
    assert len(units) == 2
    assert unit_at(units, 100, 300) == unit_at(units, 350, 300)


def test_the_strip_between_carriageways_and_a_roundabout_vanish() -> None:
    lines = [
        road((0, 195), (400, 195)),
        road((0, 205), (400, 205)),
        road((200, 0), (200, 185)),
        Point(200, 200).buffer(15).exterior,
    ]
    units = build_units(
        SQUARE, Barriers.of(lines, "road", "primary"), NO_COMPOUNDS, houses((100, 100), (300, 100), (200, 300))
    )
    assert_tiles(units, [SQUARE])
    assert len(units) == 3


def test_a_sliver_vanishes_with_the_house_that_was_put_in_it() -> None:
    lines = [road((0, 200), (400, 200)), road((0, 203), (400, 203))]
    units = build_units(
        SQUARE, Barriers.of(lines, "road", "primary"), NO_COMPOUNDS, houses((9, 9), (200, 201.5), (9, 300))
    )
    assert len(units) == 2
    assert units.households.sum() == 30


def test_a_road_that_stops_short_of_the_border_is_taken_to_reach_it() -> None:
    line = [road((200, 3), (200, 398))]
    assert len(build_units(SQUARE, Barriers.of(line), NO_COMPOUNDS, FOUR)) == 2
    assert (
        len(build_units(SQUARE, Barriers.of(line), NO_COMPOUNDS, FOUR, UnitOptions(dangle_m=1, cell_households=99)))
        == 1
    )


def test_a_compound_is_bounded_by_its_outline_and_not_cut_by_lanes() -> None:
    outline = box(120, 120, 280, 280)
    corners = [(20, 20), (380, 380), (20, 380), (380, 20)]
    people = houses((150, 150), (250, 250), *corners, compound=[7, 7, -1, -1, -1, -1])
    units = build_units(SQUARE, Barriers.of(CROSS, "road", "residential"), Compounds.of([outline], [7]), people)
    assert_tiles(units, [SQUARE])
    inside = unit_at(units, 150, 250)
    assert units.geometry[inside].equals(outline)
    assert units.compound[inside] == 7
    assert units.households[inside] == 20
    assert (np.delete(units.compound, inside) == -1).all()


def test_a_river_cuts_a_compound_only_where_it_truly_crosses() -> None:
    outline = box(120, 120, 280, 280)
    people = houses((150, 150), (270, 270))
    across, along = [road((0, 200), (400, 200))], [road((0, 125), (400, 125))]
    for line, parts in ((across, 2), (along, 1)):
        units = build_units(SQUARE, Barriers.of(line, "water", "river"), Compounds.of([outline]), people)
        assert_tiles(units, [SQUARE])
        assert (units.compound == 0).sum() == parts


def test_a_compound_over_the_limit_stays_whole() -> None:
    rng = np.random.default_rng(0)
    places = [tuple(p) for p in rng.uniform(130, 270, (40, 2))]
    units = build_units(
        SQUARE,
        NO_BARRIERS,
        Compounds.of([box(120, 120, 280, 280)]),
        houses(*places, (10, 10), households=[20] * 40 + [1]),
    )
    assert units.households[units.compound == 0].tolist() == [800]


def test_without_barriers_cells_of_the_buildings() -> None:
    rng = np.random.default_rng(1)
    places = [tuple(p) for p in rng.uniform(5, 395, (60, 2))]
    units = build_units(SQUARE, NO_BARRIERS, NO_COMPOUNDS, houses(*places))
    assert_tiles(units, [SQUARE])
    assert len(units) == 15
    assert (units.households >= 20).all() and (units.households <= 80).all()
    assert set(units.provenance) == {"cell"}
    one_each = build_units(SQUARE, NO_BARRIERS, NO_COMPOUNDS, houses(*places), UnitOptions(cell_households=0))
    assert_tiles(one_each, [SQUARE])
    assert one_each.buildings.tolist() == [1] * 60


def test_cells_keep_a_named_compound_and_buildings_at_one_place_together() -> None:
    rng = np.random.default_rng(2)
    places = [tuple(p) for p in rng.uniform(5, 395, (40, 2))]
    named = [3] * 8 + [-1] * 32
    places[:8] = [(100 + 6 * k, 100) for k in range(8)]
    places[8:12] = [(300, 300)] * 4
    units = build_units(
        SQUARE, NO_BARRIERS, NO_COMPOUNDS, houses(*places, compound=named), UnitOptions(cell_households=0)
    )
    assert_tiles(units, [SQUARE])
    assert len(set(units.building_unit[:8])) == 1
    assert len(set(units.building_unit[8:12])) == 1
    assert units.compound[units.building_unit[0]] == 3


def test_cells_do_not_cut_footprints() -> None:
    rng = np.random.default_rng(3)
    places = np.array([(x, y) for x in range(20, 380, 45) for y in range(20, 380, 30)], dtype=float)
    footprints = shapely.box(*places.T, *(places + rng.uniform(8, 28, places.shape)).T)
    units = build_units(SQUARE, NO_BARRIERS, NO_COMPOUNDS, Buildings.of(footprints, 9, 20))
    assert_tiles(units, [SQUARE])
    assert len(units) > 10
    held = shapely.area(shapely.intersection(footprints, units.geometry[units.building_unit]))
    assert held == pytest.approx(shapely.area(footprints), abs=0.01)


def test_a_border_leads_round_the_building_it_would_cut() -> None:
    """A road drawn under a building: the building goes whole to the side with its largest share."""
    block = box(190, 80, 220, 120)
    people = Buildings.of([block, Point(50, 50), Point(350, 50)], [12, 5, 6], 0)
    units = build_units(SQUARE, Barriers.of([road((200, 0), (200, 400))]), NO_COMPOUNDS, people)
    assert_tiles(units, [SQUARE])
    assert len(units) == 2
    assert units.building_unit[0] == units.building_unit[2]
    assert shapely.covers(units.geometry[units.building_unit[0]], block)
    assert shapely.area(units.geometry[units.building_unit[1]]) == pytest.approx(400 * 200 - 10 * 40, abs=0.1)


def test_a_river_with_banks_is_shared_by_what_lies_on_them() -> None:
    water = box(-10, 180, 410, 220)
    lines = [water, road((200, 0), (200, 180)), road((200, 220), (200, 400))]
    barriers = Barriers.of(lines, ["water", "road", "road"], ["river", "primary", "primary"])
    units = build_units(SQUARE, barriers, NO_COMPOUNDS, FOUR)
    assert_tiles(units, [SQUARE])
    assert len(units) == 4
    assert shapely.area(units.geometry) == pytest.approx([40_000] * 4, rel=0.01)


def test_a_community_without_buildings_is_one_unit() -> None:
    units = build_units(SQUARE, Barriers.of(CROSS), NO_COMPOUNDS, Buildings.of())
    assert_tiles(units, [SQUARE])
    assert len(units) == 1
    assert units.households.tolist() == [0]


def test_an_exclave_is_a_unit_of_its_own() -> None:
    community = MultiPolygon([box(0, 0, 100, 100), box(300, 300, 400, 400)])
    units = build_units(community, NO_BARRIERS, NO_COMPOUNDS, houses((50, 50)))
    assert_tiles(units, [community])
    assert sorted(units.households.tolist()) == [0, 10]


def test_neighbouring_communities_share_every_vertex() -> None:
    """Roads meet the common border from one side only; nobody lives twice; the border itself belongs to one."""
    left, right = box(0, 0, 200, 400), box(200, 0, 400, 400)
    lines = [road((-10, 130.5), (200, 133.3)), road((200, 250), (410, 270)), road((150, 300), (250, 311))]
    people = houses((100, 50), (100, 300), (300, 100), (300, 350), (200, 77), (500, 500))
    units = build_county([left, right], Barriers.of(lines), NO_COMPOUNDS, people)
    assert_tiles(units, [left, right])
    assert units.building_unit[5] == -1
    assert units.households.sum() == 50
    assert units.community[units.building_unit[4]] == 1  # on the border: to the east
    footprint = Buildings.of([box(190, 10, 215, 20)], 8, 16)
    units = build_county([left, right], Barriers.of(lines), NO_COMPOUNDS, footprint)
    assert units.community[units.building_unit[0]] == 1


def test_broken_input_is_refused_with_its_row() -> None:
    bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(GeodataError) as caught:
        build_county([SQUARE, bow_tie], NO_BARRIERS, NO_COMPOUNDS, Buildings.of())
    assert (caught.value.code, caught.value.row) == ("UNITS_COMMUNITY_INVALID", 2)
    assert "第 2 个" in caught.value.sentence("zh")
    assert "community 2" in str(caught.value)


def test_empty_and_odd_geometries_do_no_harm() -> None:
    lines = [LineString(), Polygon(), Point(5, 5), None, *CROSS]
    people = Buildings.of([Point(), None, Polygon([(0, 0), (20, 20), (20, 0), (0, 20)]), *FOUR.geometry], 1, 1)
    units = build_units(SQUARE, Barriers.of(lines), NO_COMPOUNDS, people)
    assert_tiles(units, [SQUARE])
    assert units.building_unit[:2].tolist() == [-1, -1]
    assert units.households.sum() == 5


def test_the_same_input_gives_the_same_units() -> None:
    first, second = (build_units(SQUARE, Barriers.of(CROSS), NO_COMPOUNDS, FOUR) for _ in range(2))
    assert shapely.equals_exact(first.geometry, second.geometry).all()
