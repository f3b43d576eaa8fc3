"""Checking as a whole: choice of rules, changed grids only, tables that do not fit, speed of thought."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from geodata.errors import GeodataError
from geodata.rules import RULES, Communities, Grids, PlanView, Units, check, limits, status
from geodata.standards import load
from tests.unit.rules_plans import perfect, with_units

NATIONAL = load("national")


def test_every_rule_of_the_table_stands_in_order() -> None:
    assert [rule.id for rule in RULES] == [f"R{k:02d}" for k in range(1, 20)]


def test_rules_can_be_chosen_and_unknown_ones_are_refused() -> None:
    view = with_units(perfect(), grid=[-1] * 12)
    assert {r.rule for r in check(view, NATIONAL, rules=["R03", "R10"])} == {"R03", "R10"}
    assert check(view, NATIONAL, rules=[]) == []
    with pytest.raises(GeodataError) as caught:
        check(view, NATIONAL, rules=["R1"])
    assert caught.value.code == "RULES_UNKNOWN" and caught.value.sentence("zh")


@pytest.mark.parametrize("crs", [4490, "EPSG:4326"])
def test_degrees_are_refused(crs: object) -> None:
    with pytest.raises(GeodataError) as caught:
        check(replace(perfect(), crs=crs), NATIONAL)
    assert caught.value.code == "RULES_NOT_METRIC" and caught.value.sentence("en")


def test_an_empty_plan_says_what_was_not_checked() -> None:
    view = PlanView(Units([], [], [], []), Grids([], [], []), Communities([], []))
    results = check(view, NATIONAL)
    assert {r.rule for r in results if not r.checked} >= {"R02", "R07", "R08", "R09", "R11", "R12", "R14", "R15", "R17"}
    assert [r.code for r in results if r.checked] == ["R19_NO_CRS"]
    assert len(status(view, NATIONAL)) == 0 and limits(view, NATIONAL).shape == (0, 2)
    assert check(view, NATIONAL, only=[]) == []


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Grids\.kind has 2 rows, not 1"):
        Grids(["1"], [0], ["basic", "basic"])


def test_parameters_are_json() -> None:
    view = with_units(perfect(), households=np.arange(12) * 100, grid=[0, 1, 0, 1] * 3, missing_households=[1] * 12)
    for result in check(view, NATIONAL):
        json.dumps([result.params, result.value, result.limit, result.grid, result.community], ensure_ascii=False)


def test_a_recheck_of_one_grid_is_the_checks_part_for_it() -> None:
    view = with_units(perfect(), grid=[0, 1, 1, 2, -1, 2] * 2, households=[812, 5] * 6)
    whole = check(view, NATIONAL)
    for grid in range(3):
        part = check(view, NATIONAL, only=[grid])
        assert keys(part) == keys([r for r in whole if r.grid == grid or (r.grid is None and r.community == 0)])


def keys(results: list) -> list[tuple[object, ...]]:
    return [(r.code, r.grid, r.community, r.value, r.limit, r.reason, r.sentence()) for r in results]
