"""Rates, hot spots, stacks and periods against other libraries, slow obvious ways, and known answers."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geodata.incidents.hotspots import HotSpot, Local, false_share, hot, hot_spots, local_g, together
from geodata.incidents.periods import BARS_MAX, STEPS, compared, compared_all, histogram, step_of, week
from geodata.incidents.rates import rates
from geodata.incidents.stacks import stacks, unplaced

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries' own imports
    esda_smoothing = pytest.importorskip("esda.smoothing", reason="esda is a development dependency")
    from esda.getisord import G_Local
    from libpysal.weights import W

HOUSTON = Path(__file__).parents[3] / "shared" / "data" / "houston_crime_2010_core.csv"
COUNTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 900)), min_size=1, max_size=40)


def lattice(side: int) -> tuple[Any, Any]:
    """Neighbours (rook) of a square of ``side`` by ``side`` grids."""
    at = np.arange(side * side).reshape(side, side)
    pairs = [(at[:, :-1], at[:, 1:]), (at[:-1], at[1:])]
    return tuple(np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1))  # type: ignore[return-value]


class TestRates:
    def test_as_esda_where_it_has_an_answer(self) -> None:
        rng = np.random.default_rng(3)
        households = rng.integers(20, 600, 300)
        cases = rng.poisson(households * rng.gamma(4, 0.02, 300))
        assert np.allclose(
            rates(cases, households).smoothed, 1000 * esda_smoothing.Empirical_Bayes(cases, households).r.ravel()
        )

    @given(COUNTS)
    def test_between_the_own_rate_and_that_of_all(self, both: list[tuple[int, int]]) -> None:
        cases, households = np.array(both).T
        found = rates(cases, households)
        lived = households > 0
        assert np.isnan(found.raw[~lived]).all()
        if not lived.any():
            assert np.isnan(found.smoothed).all()
            return
        low, high = np.fmin(found.raw, found.mean), np.fmax(found.raw, found.mean)
        assert ((found.smoothed >= low - 1e-9) & (found.smoothed <= high + 1e-9)).all()
        assert (found.weight[~lived] == 0).all()
        assert ((found.weight >= 0) & (found.weight <= 1)).all()
        order = np.argsort(households)
        assert (np.diff(found.weight[order]) >= -1e-12).all(), "the fewer households, the less the own rate says"

    def test_chance_alone_leaves_no_differences(self) -> None:
        found = rates([10, 10, 10], [100, 100, 100])
        assert (found.smoothed == 100).all() and (found.weight == 0).all()

    def test_a_small_grid_does_not_lead(self) -> None:
        households = np.full(60, 400)
        cases = np.tile([4, 30], 30)
        households[0], cases[0] = 3, 1
        found = rates(cases, households)
        assert found.raw.argmax() == 0 and found.smoothed.argmax() != 0

    def test_counts_only(self) -> None:
        with pytest.raises(ValueError, match="counts"):
            rates([1, -1], [5, 5])


class TestHotSpots:
    def test_z_as_esda(self) -> None:
        i, j = lattice(12)
        values = np.random.default_rng(5).gamma(2, 3, 144)
        neighbours: dict[int, list[int]] = {k: [] for k in range(144)}
        for a, b in zip(i.tolist(), j.tolist(), strict=True):
            neighbours[a].append(b)
            neighbours[b].append(a)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = G_Local(values, W(neighbours, silence_warnings=True), transform="B", permutations=0, star=True)
        assert np.allclose(local_g(values, i, j).z, theirs.Zs)

    @settings(deadline=None)
    @given(st.lists(st.one_of(st.floats(0, 50), st.just(float("nan"))), min_size=16, max_size=16))
    def test_z_as_written_out(self, given_: list[float]) -> None:
        i, j = lattice(4)
        values = np.array(given_)
        known = values[np.isfinite(values)]
        found = local_g(values, i, j)
        n = len(known)
        for k in range(16):
            if not np.isfinite(values[k]):
                assert np.isnan(found.z[k]) and np.isnan(found.q[k])
                continue
            near = [k, *j[i == k].tolist(), *i[j == k].tolist()]
            near = [one for one in near if np.isfinite(values[one])]
            spread = np.sqrt(((known - known.mean()) ** 2).mean())
            if spread <= 1e-12 * abs(known.mean()) or n * len(near) == len(near) ** 2:
                assert found.z[k] == 0
                continue
            above = values[near].sum() - known.mean() * len(near)
            below = spread * np.sqrt((n * len(near) - len(near) ** 2) / (n - 1))
            assert found.z[k] == pytest.approx(above / below, rel=1e-6, abs=1e-6)

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
    def test_false_finds_as_scipy(self, p: list[float]) -> None:
        assert np.allclose(false_share(np.array(p)), stats.false_discovery_control(p))

    def test_of_chance_few_are_found_and_of_a_planted_one_all(self) -> None:
        i, j = lattice(40)
        rng = np.random.default_rng(8)
        households = rng.integers(200, 500, 1600)
        quiet = rng.poisson(households * 0.05)
        found = hot(local_g(quiet / households, i, j), quiet, households)
        assert found.sum() <= 16, "one grid in a hundred"
        loud = quiet.copy()
        planted = [40 * row + column for row in range(10, 14) for column in range(20, 24)]
        loud[planted] *= 6
        local = local_g(loud / households, i, j)
        spots = hot_spots(loud, households, i, j, local)
        assert set(planted) <= set(spots[0].grids.tolist())
        assert spots[0].ratio > 2 and spots[0].excess > 0 and spots[0].q <= 0.05
        assert loud[spots[0].grids[0]] == loud[spots[0].grids].max()
        assert [one.excess for one in spots] == sorted((one.excess for one in spots), reverse=True)

    def test_new_lasting_and_fading(self) -> None:
        i, j = lattice(6)
        households, cases = np.full(36, 100), np.full(36, 5)
        cases[[0, 1, 34, 35]] = 40
        z = np.where(cases > 5, 5.0, -0.5)
        local = Local(z, np.where(z > 0, 0.01, 1.0))
        before = np.zeros(36, dtype=bool)
        before[[1, 2, 18, 19]] = True
        kinds = {
            tuple(sorted(one.grids.tolist())): one.kind
            for one in hot_spots(cases, households, i, j, local, before=before)
        }
        assert kinds == {(0, 1): "lasting", (34, 35): "new", (18, 19): "fading"}
        assert {one.kind for one in hot_spots(cases, households, i, j, local)} == {None}

    def test_groups_hang_together(self) -> None:
        i, j = lattice(3)
        assert [part.tolist() for part in together(np.array([1, 1, 0, 0, 0, 0, 0, 1, 1], dtype=bool), i, j)] == [
            [0, 1],
            [7, 8],
        ]
        assert together(np.zeros(9, dtype=bool), i, j) == []

    def test_a_town_where_nothing_happens(self) -> None:
        i, j = lattice(3)
        found: list[HotSpot] = hot_spots(np.zeros(9), np.full(9, 300), i, j, local_g(np.zeros(9), i, j))
        assert found == []


class TestStacks:
    def test_a_station_is_one_and_a_block_is_none(self) -> None:
        rng = np.random.default_rng(1)
        scattered = rng.uniform(120, 120.1, (3000, 2))
        block = np.tile([[120.05, 120.05]], (15, 1))
        station = np.tile([[120.02, 120.02]], (90, 1))
        found = stacks(np.concatenate([scattered, block, station]))
        assert found.cases.tolist() == [90] and found.lonlat.tolist() == [[120.02, 120.02]]
        assert (found.of[-90:] == 0).all() and (found.of[:-90] == -1).all()

    def test_nothing_and_everything_on_one_point(self) -> None:
        assert len(stacks(np.empty((0, 2))).cases) == 0
        assert stacks(np.tile([[120.0, 30.0]], (25, 1))).cases.tolist() == [25]
        assert len(stacks(np.tile([[120.0, 30.0]], (5, 1))).cases) == 0

    def test_many_addresses_on_one_point_were_not_found_there(self) -> None:
        assert unplaced([515, 280, 30, 20], [149, 1, 9, 10]).tolist() == [True, False, False, True]

    @pytest.mark.skipif(not HOUSTON.exists(), reason="../shared/data is not on this machine")
    def test_the_point_of_houston_is_found(self) -> None:
        with HOUSTON.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["lon"] and row["lat"]]
        found = stacks(np.array([(row["lon"], row["lat"]) for row in rows], dtype=np.float64))
        assert found.cases[0] == 515
        assert (found.of >= 0).sum() == found.cases.sum()
        on_it = [row for row, number in zip(rows, found.of.tolist(), strict=True) if number == 0]
        addresses = len({(row["block"], row["street"]) for row in on_it})
        assert unplaced([515], [addresses]).all(), "where the middle of the town was written down"


class TestPeriods:
    @given(st.lists(st.integers(0, 2 * 10**9), max_size=50))
    def test_the_week_is_the_calendars(self, at: list[int]) -> None:
        table = np.zeros((7, 24), dtype=np.int64)
        for moment in at:
            local = np.datetime64(moment + 8 * 3600, "s").item()
            table[local.weekday(), local.hour] += 1
        assert (week(at) == table).all()

    @given(st.integers(0, 10**9), st.integers(1, 5 * 10**8), st.data())
    def test_bars_hold_every_case_once(self, since: int, length: int, data: Any) -> None:
        until = since + length
        at = data.draw(st.lists(st.integers(since - 10, until + 10), max_size=40))
        found = histogram(at, since, until)
        assert found.edges[0] == since and found.edges[-1] == until and (np.diff(found.edges) > 0).all()
        for low, high, count in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True):
            assert count == sum(low <= moment < high for moment in at)
        assert len(found.counts) <= BARS_MAX + 2 or step_of(length) == STEPS[-1]
        assert ((found.edges[1:-1] + 8 * 3600) % min(step_of(length), 86_400) == 0).all(), "bars begin at local times"

    def test_weeks_begin_on_mondays(self) -> None:
        since = int(np.datetime64("2026-01-01T00:00", "s").astype(np.int64)) - 8 * 3600
        found = histogram([], since, since + 400 * 86_400)
        days = {np.datetime64(int(edge) + 8 * 3600, "s").item().weekday() for edge in found.edges[1:-1]}
        assert step_of(400 * 86_400) == 7 * 86_400 and days == {0}

    def test_the_ratio_and_its_interval(self) -> None:
        found = compared(20, 40, 30, 30)
        assert (
            found.ratio == pytest.approx(2)
            and found.low < 2 < found.high
            and found.p == pytest.approx(0.0135, abs=5e-4)
        )
        assert compared(20, 40, 30, 60).ratio == pytest.approx(1)
        assert compared(0, 5, 7, 7).ratio == np.inf and compared(0, 5, 7, 7).low > 0
        assert compared(5, 0, 7, 7).ratio == 0 and compared(0, 0, 7, 7).p == 1

    @settings(max_examples=15, deadline=None)
    @given(st.floats(3, 60), st.floats(0.5, 3), st.integers(0, 10**6))
    def test_the_interval_holds_what_it_says(self, mean: float, ratio: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        before, after = rng.poisson(mean, 120), rng.poisson(mean * ratio * 2, 120)
        held = [
            found.low <= ratio <= found.high
            for found in (compared(int(a), int(b), 10, 20) for a, b in zip(before, after, strict=True))
        ]
        assert sum(held) >= 104, "at least 95 of 100, less what chance takes in 120 tries"


def test_many_pairs_are_compared_as_each_alone() -> None:
    rng = np.random.default_rng(5)
    before, after = rng.poisson(3, 60), rng.poisson(4, 60)
    found = compared_all(before, after, 30, 7)
    for k, (then, now) in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
        one = compared(then, now, 30, 7)
        np.testing.assert_allclose(
            [found.ratio[k], found.low[k], found.high[k]], [one.ratio, one.low, one.high], rtol=1e-7
        )
        excluded = one.low > 1 or one.high < 1
        assert (found.p[k] < 0.05) == excluded, "p and interval say the same"
    with pytest.raises(ValueError):
        compared_all([1], [1], 0, 1)
    with pytest.raises(ValueError):
        compared_all([-1], [1], 1, 1)
