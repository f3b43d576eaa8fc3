"""R01, R02, R16, R18: sums per grid against the bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from geodata.problems import Severity
from geodata.rules import Communities, Grids, PlanView, check, limits, status
from geodata.standards import from_dict, load
from tests.unit.rules_plans import COMMUNITY, codes, codes_found, found, perfect, with_grids, with_units


def first_grid_with(households: int) -> np.ndarray:
    """Households of the perfect plan's units, the first grid's changed to this sum in equal parts."""
    counts = np.full(12, 100)
    counts[[0, 1, 6, 7]] = households // 4
    counts[0] += households % 4
    return counts


@pytest.mark.parametrize(
    ("households", "code", "severity", "status_"),
    [
        (299, "R01_UNDER", "W", "under"),
        (300, None, None, "within"),
        (500, None, None, "within"),
        (501, "R01_OVER", "W", "over"),
        (600, "R01_OVER", "W", "over"),
        (601, "R01_OVER", "E", "over"),
        (240, "R01_UNDER", "W", "under"),
        (239, "R01_UNDER", "E", "under"),
        (0, "R01_EMPTY", "E", "empty"),
    ],
)
def test_r01_bounds_and_tolerance(households: int, code: str | None, severity: str | None, status_: str) -> None:
    view = with_units(perfect(), households=first_grid_with(households))
    results = found(view, "R01")
    assert [(r.code, r.severity, r.grid, r.value) for r in results] == (
        [(code, severity, 0, households)] if code else []
    )
    assert status(view, load("national")).tolist() == [status_, "within", "within"]


def test_r01_sentence_is_the_briefs() -> None:
    counts = np.full(12, 100)
    counts[[0, 1, 6, 7]] = 203
    view = with_grids(perfect(), code=codes([3, 1, 2]))
    (result,) = found(with_units(view, households=counts), "R01")
    assert result.sentence("zh") == "网格003有812户，超出城镇标准上限500户312户（62%）。"
    assert result.sentence("en") == "Grid 003 has 812 households: 312 (62 %) over the urban limit of 500."
    assert not result.unavoidable and result.hint("zh")


def test_r01_one_unit_alone_is_over() -> None:
    counts = np.full(12, 100)
    counts[0] = 812
    (result,) = found(with_units(perfect(), households=counts), "R01")
    assert result.reason == "R01_REASON_UNIT" and result.unavoidable
    assert "812户" in result.reason_sentence() and result.sentence().endswith(result.reason_sentence())


def test_r01_a_community_with_too_few_households() -> None:
    view = with_units(perfect(), households=[20] * 12, grid=[0] * 12)
    results = found(view, "R01")
    assert [r.reason for r in results] == ["R01_REASON_FEW"]
    assert "240" in results[0].reason_sentence("en")


def test_r01_an_island_with_90_households() -> None:
    view = perfect()
    island = np.array([shapely.box(0, 5000, 100, 5100)], dtype=object)
    units = replace(view.units, geometry=np.concatenate([view.units.geometry[1:], island]))
    shifted = {c: np.roll(getattr(units, c), -1) for c in ("grid", "households", "population")}
    shifted["grid"][-1], shifted["households"][-1] = 3, 90
    view = with_units(replace(view, units=units), **shifted)
    view = replace(view, grids=Grids(codes([1, 2, 3, 4]), [0] * 4, ["basic"] * 4))
    by_grid = {r.grid: r for r in found(view, "R01")}
    assert by_grid[3].reason == "R01_REASON_FEW" and by_grid[3].params["total"] == 90


def test_r01_a_total_that_no_number_of_grids_can_share() -> None:
    view = with_units(perfect(), households=[46] * 11 + [44], grid=[0] * 12)
    view = replace(view, grids=Grids(codes([1]), [0], ["basic"]))
    (result,) = found(view, "R01")
    assert result.reason == "R01_REASON_TOTAL" and result.value == 550
    split = with_units(perfect(), households=[46] * 11 + [44], grid=[0] * 6 + [1] * 6)
    assert {r.reason for r in found(replace(split, grids=Grids(codes([1, 2]), [0, 0], ["basic"] * 2)), "R01")} == {None}


def test_the_class_of_the_community_picks_the_bounds() -> None:
    view = replace(perfect(), communities=Communities([COMMUNITY], ["rural"], ["向阳村"]))
    assert limits(view, load("national")).tolist() == [[200, 300]] * 3
    assert codes_found(view, "R01") == ["R01_OVER"] * 3
    assert "农村" in found(view, "R01")[0].sentence()


@pytest.mark.parametrize(
    ("class_", "profile"), [("", "national"), ("rural", "national-urban"), ("urban", "micro-grid")]
)
def test_no_bound_is_said_not_silent(class_: str, profile: str) -> None:
    view = replace(perfect(), communities=Communities([COMMUNITY], [class_]))
    results = check(view, load(profile), rules=["R01"])
    assert [(r.checked, r.severity) for r in results] == [(False, Severity.INFO)]
    assert status(view, load(profile)).tolist() == ["unchecked"] * 3
    assert results[0].sentence("zh") and "3" in results[0].sentence("en")


def test_special_purpose_grids_have_no_household_bound() -> None:
    view = with_grids(with_units(perfect(), households=first_grid_with(0)), kind=["special", "basic", "basic"])
    assert codes_found(view, "R01") == []
    assert status(view, load("national"))[0] == "unchecked"


@pytest.mark.parametrize(
    ("people", "code", "severity"),
    [(1000, None, None), (500, None, None), (499, "R02_FEW", "W"), (1500, None, None), (1501, "R02_MANY", "W"),
     (2000, "R02_MANY", "W"), (2001, "R02_ABOVE_LIMIT", "E")],
)  # fmt: skip
def test_r02_population(people: int, code: str | None, severity: str | None) -> None:
    population = np.full(12, 250)
    population[[0, 1, 6, 7]] = [people - 300, 100, 100, 100]
    results = found(with_units(perfect(), population=population), "R02")
    assert [(r.code, r.severity, r.value) for r in results] == ([(code, severity, people)] if code else [])


def test_r02_unknown_population() -> None:
    (result,) = check(with_units(perfect(), population=None), load("national"), rules=["R02"])
    assert not result.checked
    partly = with_units(perfect(), population=[-1, 10] + [250] * 10)
    results = check(partly, load("national"), rules=["R02"])
    assert [r.code for r in results] == ["R02_PARTLY_UNKNOWN"]
    over = with_units(perfect(), population=[-1, 1800] + [250] * 10)
    assert codes_found(over, "R02") == ["R02_ABOVE_LIMIT"]


def with_micro(leaf: list[int]) -> PlanView:
    """The perfect plan; grid 0 is divided into the micro-grids 3 and 4."""
    base = codes([1, 2, 3])
    grids = Grids(
        [*base, base[0] + "01", base[0] + "02"], [0] * 5, ["basic"] * 3 + ["micro"] * 2, parent=[-1, -1, -1, 0, 0]
    )
    return with_units(replace(perfect(), grids=grids), grid=leaf, households=[25, 25, *[100] * 4] * 2)


TILED = [3, 4, 1, 1, 2, 2] * 2


def test_r16_micro_grids_that_tile() -> None:
    view = with_micro(TILED)
    assert codes_found(view, "R16") == [] and codes_found(view, "R06") == [] and codes_found(view, "R13") == []
    assert status(view, load("national")).tolist() == ["under", "within", "within", "within", "within"]
    assert limits(view, load("national"))[3].tolist() == [30, 100]


def test_r16_ground_left_over() -> None:
    (result,) = found(with_micro([0, *TILED[1:]]), "R16")
    assert (result.code, result.grid, result.value) == ("R16_LEFT_OVER", 0, 10_000)
    assert "25户" in result.sentence() and result.params["total"] == 100 and result.params["divided"] == 75


def test_r16_empty_orphan_foreign_and_reaching_out() -> None:
    view = with_micro([3, 3, 1, 1, 2, 2] * 2)
    assert codes_found(view, "R16") == ["R16_EMPTY"]
    assert codes_found(with_grids(with_micro(TILED), parent=[-1, -1, -1, 0, 3]), "R16") == ["R16_NO_PARENT"]
    assert "R16_NO_PARENT" in codes_found(with_grids(with_micro(TILED), parent=[-1] * 5), "R16")
    two = Communities([COMMUNITY, "110101001002"], ["urban", "urban"])
    foreign = replace(with_grids(with_micro(TILED), community=[0, 0, 0, 0, 1]), communities=two)
    assert codes_found(foreign, "R16") == ["R16_OTHER_COMMUNITY"]
    drawn = with_grids(with_micro(TILED), geometry=[None] * 3 + [shapely.box(0, 0, 250, 200), None])
    (result,) = found(drawn, "R16")
    assert (result.code, result.grid, result.value) == ("R16_OUTSIDE", 3, 10_000)


def test_r18_missing_estimated_old_and_undated() -> None:
    assert found(perfect(), "R18") == []
    view = with_units(perfect(), missing_households=[2] + [0] * 11, estimated_households=[50, 50] + [0] * 10)
    missing, estimated = found(view, "R18")
    assert (missing.code, missing.value) == ("R18_MISSING", 2)
    assert estimated.code == "R18_ESTIMATED" and "（25%）" in estimated.sentence()
    days = np.full(12, np.datetime64("2025-11-23"))
    assert found(with_units(perfect(), oldest=days), "R18") == []
    days[0] = np.datetime64("2025-11-22")
    (old,) = found(with_units(perfect(), oldest=days), "R18")
    assert (old.code, old.grid, old.limit, old.severity) == ("R18_OLD", 0, 12, "W")
    days[0] = np.datetime64("NaT")
    assert codes_found(with_units(perfect(), oldest=days), "R18") == ["R18_UNDATED"]


def test_r18_unknown_is_said() -> None:
    bare = with_units(perfect(), missing_households=None, estimated_households=None, oldest=None)
    assert [r.checked for r in check(bare, load("national"), rules=["R18"])] == [False] * 3


def test_severity_override_and_rules_turned_off() -> None:
    data = load("national").to_dict()
    profile = from_dict(data | {"severity": {"R01": "I", "R02": "off"}})
    view = with_units(perfect(), households=first_grid_with(0), population=[900] * 12)
    results = check(view, profile, rules=["R01", "R02"])
    assert [(r.rule, r.severity, r.checked) for r in results] == [("R01", "I", True), ("R02", "I", False)]
    assert "R02" in results[1].sentence()
