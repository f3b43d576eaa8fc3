"""Shares of scenarios against a plain loop, against what is known for sure, and fast."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from geodata.errors import GeodataError
from geodata.redraw import robust
from geodata.redraw.model import Band, Borders, Floats, Instance, Ints, Units
from geodata.redraw.robust import robustness
from tests.unit.redraw.towns import graph, town


def slow(instance: Instance, plan: Ints, scenarios: int, seed: int, spread: float, growth: Floats) -> dict[str, Floats]:
    """The same scenarios one by one, unit by unit."""
    held = [unit for unit in np.argsort(plan, kind="stable").tolist() if plan[unit] >= 0]
    own, common = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    grids = np.unique(plan[plan >= 0]).tolist()
    band = instance.bands[0]
    counts = {"together": np.zeros(len(grids)), "alone": np.zeros(len(grids)), "all": np.zeros(2)}
    for _ in range(scenarios):
        factors = 1 - spread + 2 * spread * own.random(len(held), dtype=np.float32)
        for at, every in enumerate((common.uniform(1 - spread, 1 + spread), 1.0)):
            stays = []
            for grid in grids:
                sums = [
                    sum(
                        float(factor) * values[unit] * growth[unit]
                        for unit, factor in zip(held, factors, strict=True)
                        if plan[unit] == grid
                    )
                    for values in (instance.units.households, instance.units.population)
                ]
                households, people = round(every * sums[0]), round(every * sums[1])
                stays.append(
                    band.households_min <= households <= band.households_max
                    and band.population_min <= people <= band.population_max
                )
            counts["together" if at == 0 else "alone"] += stays
            counts["all"][at] += all(stays)
    return {name: count / scenarios for name, count in counts.items()}


@pytest.mark.parametrize("room", [7, 40, 10**6])
def test_shares_are_those_of_a_plain_loop(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robust, "_ROOM", room)
    instance = town(2, 30, start=True, population=True, band=Band(300, 500, 500, 1500))
    plan = instance.start.copy()
    plan[plan == 2] = -1
    growth = np.random.default_rng(1).uniform(0.8, 1.3, 30)
    made = robustness(instance, plan, scenarios=60, seed=5, spread=0.2, growth=growth)
    known = slow(instance, plan, 60, 5, 0.2, growth)
    assert np.allclose(made.in_band, known["together"], atol=1.01 / 60)  # a sum at .5 may round either way
    assert np.allclose(made.in_band_alone, known["alone"], atol=1.01 / 60)
    assert made.all_in_band == pytest.approx(known["all"][0], abs=1.01 / 60)
    assert made.all_in_band_alone == pytest.approx(known["all"][1], abs=1.01 / 60)
    assert made.mean_in_band == pytest.approx(made.in_band.mean())
    assert made.grid.tolist() == np.unique(plan[plan >= 0]).tolist()


def test_what_is_certain() -> None:
    instance = graph([400, 340, 320, 500, 100], [], Band(300, 500))
    made = robustness(instance, np.arange(5))
    assert made.in_band[0] == 1.0  # 324 to 484 at the most
    assert made.in_band_alone[1] == 1.0  # 306 and more
    assert 0.76 < made.in_band_alone[2] < 0.88  # a factor of at least 299.5 / 320: 82 %
    assert 0.4 < made.in_band[3] < 0.6
    assert made.in_band[4] == 0.0
    assert made.all_in_band == 0.0
    still = robustness(instance, np.arange(5), spread=0.0)
    assert still.in_band.tolist() == [1, 1, 1, 1, 0]


def test_many_units_even_out_but_not_when_all_grow() -> None:
    instance = graph([10] * 48, [], Band(300, 500))
    made = robustness(instance, np.zeros(48, dtype=np.int64))
    assert made.in_band_alone[0] > 0.99
    assert made.in_band[0] < 0.9


def test_growth_takes_a_grid_out_of_the_band() -> None:
    instance = graph([400, 400], [], Band(300, 500))
    made = robustness(instance, np.arange(2), growth=np.array([1.0, 2.0]))
    assert made.in_band.tolist() == [1.0, 0.0]


def test_the_seed_fixes_the_scenarios() -> None:
    instance = town(3, 40, start=True)
    first, again, other = (robustness(instance, instance.start, scenarios=200, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.in_band, again.in_band)
    assert not np.array_equal(first.in_band, other.in_band)


def test_a_plan_without_grids() -> None:
    instance = graph([400, 400], [], Band(300, 500))
    made = robustness(instance, np.full(2, -1))
    assert len(made.grid) == 0
    assert (made.all_in_band, made.mean_in_band) == (1.0, 1.0)


def test_what_makes_no_sense_is_refused() -> None:
    instance = graph([400, 400], [], Band(300, 500))
    plan = np.arange(2)
    for options, code in [
        ({"spread": 1.0}, "REDRAW_SPREAD"),
        ({"spread": -0.1}, "REDRAW_SPREAD"),
        ({"spread": float("nan")}, "REDRAW_SPREAD"),
        ({"scenarios": 0}, "REDRAW_SPREAD"),
        ({"growth": np.ones(3)}, "REDRAW_LENGTH"),
        ({"growth": np.array([1.0, -1.0])}, "REDRAW_COUNT"),
        ({"growth": np.array([1.0, np.nan])}, "REDRAW_COUNT"),
    ]:
        with pytest.raises(GeodataError) as caught:
            robustness(instance, plan, **options)  # type: ignore[arg-type]
        assert caught.value.code == code


def test_twenty_thousand_units_and_a_thousand_scenarios() -> None:
    n = 20_000
    households = np.random.default_rng(1).integers(1, 90, n)
    borders = Borders.plain([], [], [])
    units = Units.of(households, np.ones(n), np.ones(n), np.zeros((n, 2)), borders, population=3 * households)
    instance = Instance.of(units, Band(300, 500))
    times = []
    for _ in range(2):
        began = monotonic()
        made = robustness(replace(instance), np.arange(n) // 9)
        times.append(monotonic() - began)
    assert min(times) < 2.0
    assert 0.3 < made.mean_in_band < 0.9
