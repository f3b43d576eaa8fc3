"""Estimated households are marked, and follow footprint, floors and kind."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.estimate import EstimateOptions, dwelling_share, estimate_households

NAN = np.nan


def test_known_counts_stay_and_are_not_marked() -> None:
    got = estimate_households([400, 400], floors=[6, 6], households=[17, NAN], population=[40, NAN])
    assert got.households.tolist() == [17, 24]
    assert got.population.tolist() == [40, 63]
    assert got.estimated.tolist() == [False, True]


def test_population_alone_unknown_is_estimated_from_households_and_marked() -> None:
    got = estimate_households([400], floors=6, households=[10], population=[NAN])
    assert (got.households[0], got.population[0], bool(got.estimated[0])) == (10, 26, True)


def test_zero_is_a_count() -> None:
    got = estimate_households([400], floors=6, households=[0], population=[0])
    assert (got.households[0], got.population[0], bool(got.estimated[0])) == (0, 0, False)


@pytest.mark.parametrize(
    ("floors", "height_m", "households"),
    [(6, NAN, 12), (NAN, 18.5, 12), (6, 90, 12), (NAN, 2.0, 2), (NAN, NAN, 6), (0, 9, 6)],
)
def test_floors_first_then_height_then_default(floors: float, height_m: float, households: int) -> None:
    assert estimate_households([200], floors=floors, height_m=height_m).households[0] == households


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        ("apartments", 1), ("住宅", 1), (None, 1), (NAN, 1), ("office", 0), (" Retail ", 0), ("办公楼", 0),
        ("商住楼", 0.5), ("写字楼", 0), ("小学学校", 0),
    ],
)  # fmt: skip
def test_kind_decides_who_lives_there(kind: object, share: float) -> None:
    assert dwelling_share([kind], 1)[0] == share


def test_sheds_have_nobody_and_small_houses_one_household() -> None:
    assert estimate_households([10, 40], floors=1).households.tolist() == [0, 1]


def test_unknown_kind_may_count_as_no_dwelling() -> None:
    got = estimate_households(
        [500, 500], floors=5, kind=["yes", "house"], options=EstimateOptions(unknown_is_dwelling=False)
    )
    assert got.households.tolist() == [0, 25]
    assert got.estimated.all()
