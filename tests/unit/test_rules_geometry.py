"""R03 to R10, R15, R19: the shape of grids on the ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapely import LineString, MultiPolygon, Point, Polygon, box

from geodata.rules import Barriers, Buildings, Communities, Compounds, Grids, Misfit, PlanView, check
from geodata.standards import from_dict, load
from tests.unit.rules_plans import (
    COMMUNITY,
    buildings,
    codes,
    codes_found,
    found,
    lattice,
    perfect,
    with_grids,
    with_units,
)


def five_by_five(grid: list[int], kinds: list[str]) -> PlanView:
    """A 5 x 5 community in rows from the south-west."""
    units = replace(
        perfect().units, geometry=lattice(5, 5), community=[0] * 25, grid=grid, households=[20] * 25,
        **dict.fromkeys(("population", "missing_households", "estimated_households", "oldest", "compound")),
    )  # fmt: skip
    return replace(
        perfect(),
        units=units,
        communities=Communities([COMMUNITY], ["urban"], ["幸福社区"], [box(0, 0, 500, 500)]),
        grids=Grids(codes(list(range(1, len(kinds) + 1))), [0] * len(kinds), kinds),
    )


RING = [1 if 1 <= k % 5 <= 3 and 1 <= k // 5 <= 3 else 0 for k in range(25)]


def test_the_perfect_plan_has_no_fault_at_all() -> None:
    assert [r for r in check(perfect(), load("national")) if r.checked] == []
    assert {r.rule for r in check(perfect(), load("national"))} == {"R11", "R12", "R17"}


# --- R03, R04: gaps and overlaps


def test_r03_unassigned_units_by_connected_piece() -> None:
    view = with_units(perfect(), grid=[-1, -1, 1, 1, 2, -1, 0, 0, 1, 1, 2, 2])
    a, b = sorted(found(view, "R03"), key=lambda r: r.value or 0)
    assert (a.value, b.value) == (10_000, 20_000) and b.params["households"] == 200
    assert b.geometry is not None and b.geometry.equals(box(0, 0, 200, 100))
    assert a.community == 0 and a.grid is None and "幸福社区" in a.sentence()


def test_r03_ground_that_no_unit_covers() -> None:
    wide = Communities([COMMUNITY], ["urban"], ["幸福社区"], [box(0, 0, 610, 200)])
    (result,) = found(replace(perfect(), communities=wide), "R03")
    assert (result.code, result.value) == ("R03_NO_UNIT", 2000)
    sliver = Communities([COMMUNITY], ["urban"], ["幸福社区"], [box(0, 0, 600.004, 200)])
    assert found(replace(perfect(), communities=sliver), "R03") == []


def test_r03_r04_r05_drawn_grids() -> None:
    exact = [box(0, 0, 200, 200), box(200, 0, 400, 200), box(400, 0, 600, 200)]
    assert [r for r in check(with_grids(perfect(), geometry=exact), load("national")) if r.checked] == []
    drawn = with_grids(perfect(), geometry=[box(0, 0, 210, 200), box(200, 0, 390, 200), box(400, 0, 620, 200)])
    (gap,), (overlap,), (outside,) = (found(drawn, rule) for rule in ("R03", "R04", "R05"))
    assert (gap.code, gap.value) == ("R03_DRAWN_GAP", 2000)
    assert (overlap.code, overlap.grid, overlap.params["other"], overlap.value) == ("R04_OVERLAP", 0, "002", 2000)
    assert (outside.code, outside.grid, outside.value) == ("R05_OUTSIDE", 2, 4000)


def test_r03_a_shifted_drawing_of_the_same_area_is_seen() -> None:
    shifted = with_grids(perfect(), geometry=[None, None, box(410, 0, 610, 200)])
    assert codes_found(shifted, "R03") == ["R03_DRAWN_GAP"] and codes_found(shifted, "R05") == ["R05_OUTSIDE"]


@pytest.mark.parametrize(
    ("kind", "rule", "code"),
    [("gap", "R03", "R03_MISFIT_GAP"), ("overlap", "R04", "R04_MISFIT_OVERLAP"),
     ("outside", "R05", "R05_MISFIT_OUTSIDE"),
     ("pieces", "R06", "R06_MISFIT_PIECES"), ("building_cut", "R07", "R07_MISFIT_CUT"),
     ("compound_split", "R08", "R08_MISFIT_SPLIT"), ("unit_cut", "R09", "R09_MISFIT_UNIT_CUT")],
)  # fmt: skip
def test_misfits_are_told_under_their_rule(kind: str, rule: str, code: str) -> None:
    misfit = Misfit(kind, (1, 2), 0, 25.0, 30, box(0, 0, 5, 5), "阳光小区")
    (result,) = found(replace(perfect(), misfits=[misfit]), rule)
    assert result.code == code and result.grid == 1 and result.geometry is not None
    assert result.sentence("zh") and result.sentence("en")


def test_slivers_are_no_misfits_and_unknown_kinds_are_refused() -> None:
    assert found(replace(perfect(), misfits=[Misfit("overlap", (0, 1), area_m2=0.9)]), "R04") == []
    with pytest.raises(ValueError, match="'lap'"):
        found(replace(perfect(), misfits=[Misfit("lap")]), "R04")


# --- R05


def two_communities() -> PlanView:
    both = Communities(
        [COMMUNITY, "110101001002"],
        ["urban"] * 2,
        ["幸福社区", "和平社区"],
        [box(0, 0, 400, 200), box(400, 0, 600, 200)],
    )
    grids = Grids([*codes([1, 2]), "110101001002001"], [0, 0, 1], ["basic"] * 3)
    return with_units(replace(perfect(), communities=both, grids=grids), community=[0, 0, 0, 0, 1, 1] * 2)


def test_r05_units_of_another_community() -> None:
    assert found(two_communities(), "R05") == []
    (result,) = found(with_units(two_communities(), grid=[0, 0, 1, 1, 1, 2, 0, 0, 1, 1, 2, 2]), "R05")
    assert (result.code, result.grid, result.value) == ("R05_OTHER_COMMUNITY", 1, 10_000)
    assert "和平社区" in result.sentence("zh")


def test_r05_prefix_and_no_community() -> None:
    wrong = with_grids(two_communities(), code=[*codes([1, 2]), "110101001001003"])
    assert codes_found(wrong, "R05") == ["R05_PREFIX"]
    assert codes_found(with_grids(two_communities(), community=[-1, 0, 1]), "R05") == ["R05_NO_COMMUNITY"]


# --- R06


def test_r06_touching_at_a_point_is_not_connected() -> None:
    view = with_units(perfect(), grid=[0, 1, 1, 1, 2, 2, 1, 0, 1, 1, 2, 2])
    results = {r.grid: r for r in found(view, "R06")}
    assert results[0].value == 2 and results[0].params["households"] == 100 and results[1].value == 2
    assert not results[0].unavoidable


def test_r06_a_grid_without_units() -> None:
    (result,) = found(with_units(perfect(), grid=[0, 0, 0, 0, 2, 2] * 2), "R06")
    assert (result.code, result.grid) == ("R06_NO_UNITS", 1)


def test_r06_a_hole_needs_a_special_purpose_grid() -> None:
    (result,) = found(five_by_five(RING, ["basic", "basic"]), "R06")
    assert (result.code, result.grid, result.value) == ("R06_HOLE", 0, 90_000) and not result.unavoidable
    assert found(five_by_five(RING, ["basic", "special"]), "R06") == []
    hollow = [-1 if g else 0 for g in RING]
    assert codes_found(five_by_five(hollow, ["basic"]), "R06") == ["R06_HOLE"]


def test_r06_a_hole_that_is_another_community() -> None:
    view = five_by_five(RING, ["basic", "basic"])
    two = Communities([COMMUNITY, "110101001002"], ["urban"] * 2)
    view = with_units(replace(view, communities=two), community=RING)
    (result,) = found(with_grids(view, community=[0, 1]), "R06")
    assert result.reason == "R06_REASON_ENCLAVE"


def test_r06_islands_too_small_for_a_grid() -> None:
    moved = perfect().units.geometry.copy()
    moved[0] = box(0, 9000, 100, 9100)
    alone = replace(perfect(), grids=Grids(codes([1]), [0], ["basic"]))
    (result,) = found(with_units(alone, geometry=moved, grid=[0] * 12), "R06")
    assert result.reason == "R06_REASON_ISLANDS"
    rich = with_units(alone, geometry=moved, grid=[0] * 12, households=[400] + [100] * 11)
    assert not found(rich, "R06")[0].unavoidable


# --- R07, R08, R10: buildings and compounds


def test_r07_a_building_on_the_border_of_two_grids() -> None:
    (result,) = found(replace(perfect(), buildings=buildings([(202, 50)], [2])), "R07")
    assert (result.code, result.grid, result.value) == ("R07_CUT", 1, 30)
    assert result.params["other"] == "001"


@pytest.mark.parametrize("centre", [(205, 50), (100, 50), (204.95, 50), (300, 100)])
def test_r07_touching_a_border_or_within_a_grid_is_no_cut(centre: tuple[float, float]) -> None:
    assert found(replace(perfect(), buildings=buildings([centre], [0])), "R07") == []


def test_r07_points_and_no_buildings_are_said() -> None:
    points = Buildings([Point(200, 50)], [3], [0])
    assert [r.code for r in check(replace(perfect(), buildings=points), load("national"), rules=["R07"])] == [
        "R07_ONLY_POINTS"
    ]
    assert [r.code for r in check(replace(perfect(), buildings=None), load("national"), rules=["R07"])] == [
        "R07_NO_BUILDINGS"
    ]


def test_r08_a_split_compound_unless_it_is_over_alone() -> None:
    view = with_units(perfect(), compound=[-1, 0, 0] + [-1] * 9)
    (result,) = found(replace(view, compounds=Compounds(["阳光小区"], [200])), "R08")
    assert (result.code, result.value, result.params["others"]) == ("R08_SPLIT", 2, ["001", "002"])
    assert result.sentence("zh") == "小区“阳光小区”（200户）被分在2个网格（001、002）中。"
    assert "(001, 002)" in result.sentence("en")
    assert found(replace(view, compounds=Compounds(["阳光小区"], [501])), "R08") == []
    assert found(with_units(perfect(), compound=[0, 0] + [-1] * 10), "R08") == []


def test_r10_buildings_in_no_grid_or_counted_elsewhere() -> None:
    lost = replace(perfect(), buildings=buildings([(50, 50), (900, 900)], [0, -1]))
    (result,) = found(lost, "R10")
    assert (result.code, result.value, result.community) == ("R10_OUTSIDE", 1, None)
    free = with_units(perfect(), grid=[-1, *perfect().units.grid[1:]])
    (result,) = found(free, "R10")
    assert (result.code, result.params["households"], result.community) == ("R10_BUILDINGS", 10, 0)
    assert codes_found(replace(free, buildings=None), "R10") == ["R10_UNITS"]
    assert codes_found(replace(perfect(), buildings=buildings([(550, 50)], [0])), "R10") == ["R10_ELSEWHERE"]
    empty = replace(perfect(), buildings=buildings([(900, 900)], [-1], households=0))
    assert found(empty, "R10") == []


# --- R09, R15: barriers


def roads(*lines: LineString, classes: str = "residential", **flags: bool) -> Barriers:
    return Barriers.of(list(lines), "road", classes, **flags)


def test_r09_share_of_the_inner_border() -> None:
    off = LineString([(195, 0), (195, 120)])
    view = replace(perfect(), barriers=roads(off, LineString([(400, 0), (400, 200)])))
    (result,) = found(view, "R09")
    assert result.grid == 0 and result.value == pytest.approx(0.65, abs=0.02) and result.severity == "W"
    assert result.geometry is not None and result.geometry.equals(LineString([(200, 100), (200, 200)]))
    assert (
        found(
            replace(view, barriers=roads(LineString([(209, 0), (209, 150)]), LineString([(400, 0), (400, 200)]))), "R09"
        )
        == []
    )


def test_r09_too_far_tunnels_and_community_borders_do_not_count() -> None:
    far = roads(LineString([(188, 0), (188, 200)]), LineString([(400, 0), (400, 200)]))
    assert [r.grid for r in found(replace(perfect(), barriers=far), "R09")] == [0, 1]
    tunnel = roads(LineString([(200, 0), (200, 200)]), LineString([(400, 0), (400, 200)]), tunnel=True)
    assert {r.value for r in found(replace(perfect(), barriers=tunnel), "R09")} == {0}
    alone = with_units(perfect(), grid=[0] * 12)
    assert found(replace(alone, barriers=roads(LineString([(0, 900), (9, 900)]))), "R09") == []


def test_r15_compactness_is_polsby_popper() -> None:
    strip = five_by_five([k // 5 for k in range(25)], ["basic"] * 5)
    profile = from_dict(load("national").to_dict() | {"shape": {"compactness_min": 0.5}})
    results = found(strip, "R15", profile)
    assert [r.value for r in results] == pytest.approx([4 * np.pi * 5 / 12**2] * 5)
    assert found(strip, "R15") == []
    whole = found(
        five_by_five([0] * 25, ["basic"]),
        "R15",
        from_dict(load("national").to_dict() | {"shape": {"compactness_min": 0.9}}),
    )
    assert [r.reason for r in whole] == ["R15_REASON_COMMUNITY"]


@pytest.mark.parametrize(
    ("kind", "class_", "torn"),
    [("water", "river", True), ("rail", "rail", True), ("road", "trunk", True), ("road", "快速路", True),
     ("road", "residential", False), ("water", "stream", False), ("wall", "wall", False)],
)  # fmt: skip
def test_r15_what_tears_a_grid(kind: str, class_: str, torn: bool) -> None:
    barriers = Barriers.of([LineString([(100, -50), (100, 250)])], kind, class_)
    results = found(replace(perfect(), barriers=barriers), "R15")
    assert [(r.code, r.grid, r.value) for r in results] == ([("R15_TORN", 0, 2)] if torn else [])


def test_r15_a_bridge_or_crossing_joins_and_a_tunnel_does_not_tear() -> None:
    river = LineString([(100, -50), (100, 250)])
    street, bank = LineString([(60, 30), (140, 30)]), LineString([(80, 0), (80, 200)])
    for bridge in (True, False):
        crossed = Barriers.of([river, street], ["water", "road"], ["river", "residential"], bridge=[False, bridge])
        assert found(replace(perfect(), barriers=crossed), "R15") == []
    beside = Barriers.of([river, bank], ["water", "road"], ["river", "residential"])
    assert codes_found(replace(perfect(), barriers=beside), "R15") == ["R15_TORN"]
    for flag in ("bridge", "tunnel"):
        lifted = Barriers.of([river], "road", "motorway", **{flag: True})
        assert found(replace(perfect(), barriers=lifted), "R15") == []


def test_no_barriers_is_said() -> None:
    view = replace(perfect(), barriers=None, misfits=None)
    assert [r.code for r in check(view, load("national"), rules=["R09", "R15"])] == [
        "R09_NO_BARRIERS",
        "R15_NO_BARRIERS",
    ]


# --- R19


def test_r19_invalid_empty_missing_and_undeclared() -> None:
    bow = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    geometry = perfect().units.geometry.copy()
    geometry[:4] = [bow, None, Polygon(), Point(0, 0)]
    view = with_units(replace(perfect(), crs=None), geometry=geometry)
    results = found(view, "R19")
    assert [r.code for r in results] == ["R19_NO_CRS"] + ["R19_UNIT"] * 4
    assert [r.params["unit"] for r in results[1:]] == [1, 2, 3, 4]
    drawn = with_grids(perfect(), geometry=[bow, None, MultiPolygon()])
    assert [(r.code, r.grid) for r in found(drawn, "R19")] == [("R19_GRID", 0), ("R19_GRID", 2)]
    crooked = Communities([COMMUNITY], ["urban"], ["幸福社区"], [bow])
    assert codes_found(replace(perfect(), communities=crooked), "R19") == ["R19_COMMUNITY"]


def test_r19_units_that_lie_on_each_other() -> None:
    geometry = perfect().units.geometry.copy()
    geometry[0] = box(0, 0, 130, 100)
    (result,) = found(with_units(perfect(), geometry=geometry), "R19")
    assert (result.code, result.value, result.params["unit"], result.params["other"]) == (
        "R19_UNITS_OVERLAP",
        3000,
        1,
        2,
    )


def test_faulty_geometry_never_stops_a_check() -> None:
    bow = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    rng = np.random.default_rng(0)
    for _ in range(10):
        geometry = perfect().units.geometry.copy()
        geometry[rng.integers(0, 12, 4)] = [bow, None, Polygon(), box(0, 0, 600, 200)]
        drawn = np.array([bow, None, box(0, 0, 500, 500)], dtype=object)
        odd = Barriers.of([None, LineString(), Point(1, 1), bow], ["road", "water", "rail", "water"], "")
        view = with_grids(with_units(perfect(), geometry=geometry), geometry=rng.permutation(drawn))
        view = replace(
            view, barriers=odd, buildings=Buildings([None, bow, Polygon(), Point(0, 0)], [1] * 4, [0, 1, -1, 2])
        )
        for result in check(view, load("national")):
            assert result.sentence("zh") and result.sentence("en")


def test_r04_names_the_community_of_a_grid_of_another_one() -> None:
    drawn = with_grids(two_communities(), geometry=[None, box(200, 0, 410, 200), box(400, 0, 600, 200)])
    (result,) = found(drawn, "R04")
    assert result.sentence("zh") == "网格002与网格和平社区001重叠2,000.0平方米。"


def test_r05_a_shorter_prefix_is_compared_at_its_length() -> None:
    profile = from_dict(load("national").to_dict() | {"code": {"prefix_length": 9, "number_max": 999_999}})
    assert found(perfect(), "R05", profile) == []
    assert codes_found(with_grids(perfect(), code=["110101002001001", *codes([2, 3])]), "R05", profile) == [
        "R05_PREFIX"
    ]
