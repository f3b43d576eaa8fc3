"""R13 and R14: codes and validity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from geodata.rules import Grids, check
from geodata.standards import load
from tests.unit.rules_plans import COMMUNITY, codes, codes_found, found, perfect, with_grids


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"{COMMUNITY}001", []),
        (f"{COMMUNITY}999", []),
        ("", ["R13_MISSING"]),
        (None, ["R13_MISSING"]),
        (f"{COMMUNITY}000", ["R13_NUMBER"]),
        (f"{COMMUNITY}01", ["R13_FORM"]),
        (f"{COMMUNITY}0001", ["R13_FORM"]),
        (f"{COMMUNITY}00A", ["R13_FORM"]),
        (f"{COMMUNITY}００１", ["R13_FORM"]),
        (f"{COMMUNITY}001\n", ["R13_FORM"]),
        (110101001001001, []),
    ],
)
def test_r13_form(code: object, expected: list[str]) -> None:
    grids = with_grids(perfect(), code=[code, *codes([2, 3])])
    assert [c for c in codes_found(grids, "R13") if c != "R13_ORDER"] == expected


def test_r13_twenty_digits_with_their_profile() -> None:
    twenty = with_grids(perfect(), code=[f"{COMMUNITY}{k:08d}" for k in (1, 2, 99_999_999)])
    assert codes_found(twenty, "R13", "national-20-digit") == []
    assert codes_found(twenty, "R13") == ["R13_FORM"] * 3


def test_r13_a_code_that_stands_twice() -> None:
    (result,) = found(with_grids(perfect(), code=codes([1, 2, 1])), "R13")
    assert (result.code, result.grid, result.severity) == ("R13_DUPLICATE", 2, "E")


def test_r13_micro_codes_extend_their_parents() -> None:
    base = codes([1, 2, 3])
    grids = Grids([*base, base[0] + "01", "77"], [0] * 5, ["basic"] * 3 + ["micro"] * 2, parent=[-1, -1, -1, 0, 0])
    (result,) = found(replace(perfect(), grids=grids), "R13")
    assert (result.code, result.grid) == ("R13_MICRO", 4)


def test_r13_order_west_to_east_north_to_south() -> None:
    assert found(with_grids(perfect(), code=codes([3, 2, 1])), "R13") == []  # west of it, but not north
    top_is_second = replace(perfect(), units=replace(perfect().units, grid=[1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 1, 2]))
    assert found(top_is_second, "R13") == []
    south_first = replace(perfect(), units=replace(perfect().units, grid=[2, 2, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2]))
    (result,) = found(south_first, "R13")
    assert (result.code, result.severity, result.value, result.community) == ("R13_ORDER", "I", 1, 0)
    assert result.sentence("zh").endswith("002在001的西北方。")


def test_r14_retired_codes_stay_retired() -> None:
    retired = replace(perfect(), retired_codes={codes([2])[0]: date(2025, 12, 31), codes([3])[0]: None})
    a, b = found(retired, "R14")
    assert (a.code, a.grid, b.code, b.grid) == ("R14_RETIRED", 1, "R14_RETIRED_UNDATED", 2)
    assert "2025-12-31" in a.sentence()
    unknown = check(replace(perfect(), retired_codes=None), load("national"), rules=["R14"])
    assert [r.checked for r in unknown] == [False]


def days(*values: str) -> np.ndarray:
    return np.array(values, dtype="datetime64[D]")


def test_r14_dates() -> None:
    backwards = with_grids(
        perfect(), valid_from=days("2026-01-01", "NaT", "2026-01-01"), valid_to=days("2025-12-31", "2027-01-01", "NaT")
    )
    (result,) = found(backwards, "R14")
    assert (result.code, result.grid) == ("R14_BACKWARDS", 0)


@pytest.mark.parametrize(
    ("first_ends", "second_begins", "overlap"),
    [("2026-06-01", "2026-06-01", False), ("2026-06-02", "2026-06-01", True), ("NaT", "2026-06-01", True)],
)
def test_r14_one_code_valid_twice(first_ends: str, second_begins: str, overlap: bool) -> None:
    view = with_grids(
        perfect(),
        code=codes([1, 2, 1]),
        valid_from=days("2026-01-01", "2026-01-01", second_begins),
        valid_to=days(first_ends, "NaT", "NaT"),
    )
    assert codes_found(view, "R14") == (["R14_OVERLAP"] if overlap else [])
