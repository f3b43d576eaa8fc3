"""Certificates against the independent verifier, and polishing against ``measure``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.redraw.certificate import certificates
from geodata.redraw.ground import Ground
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Ints, Weights
from geodata.redraw.resplit import Polish, polish
from geodata.redraw.tally import grid_score, score, shift
from geodata.redraw.verify import verify
from geodata.redraw.verify_resplit import verify_certificate
from tests.unit.redraw.test_resplit import case, working
from tests.unit.redraw.towns import graph, growth, town


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(100, 10_000))
def test_a_polished_plan_is_no_worse_and_its_certificates_hold(seed: int) -> None:
    instance, plan = case(seed, 24)
    ground, state, value = working(instance, plan)
    before = measure(instance, plan).score.key()
    made, found = polish(ground, state, value, sizes=(1, 2, 3))
    after = measure(instance, state.label).score.key()
    assert (after[0], round(after[1], 6), round(after[2], 6)) <= (before[0], round(before[1], 6), round(before[2], 6))
    assert (made > 0) == bool((state.label != plan).any())
    assert verify(instance, state.label, certificates=found) == []
    assert found[0].complete
    assert found[1].proved + found[1].open == found[1].neighbourhoods
    assert found == certificates(instance, state.label, (2, 3))
    total = score(ground, state)
    assert total[:2] == pytest.approx(after[:2])
    for grid in range(len(state.size)):
        expected = grid_score(ground, state, grid)
        assert (value.excess[grid], value.outside[grid], value.cost[grid]) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_not_certified_can_be_improved_and_the_rest_cannot(seed: int) -> None:
    instance, plan = case(seed + 500, 14)
    for size in (2, 3):
        ground, state, value = working(instance, plan)
        work = Polish(ground, state, value)
        work.prove(size)
        assert (state.label == plan).all()
        for grids, (_, status) in work.known.items():
            if len(grids) == 2 and np.isin(plan, grids).sum() <= 10:
                wrong = verify_certificate(instance, plan, grids)
                assert not wrong or status != 0
                assert wrong or status != 1 or _free_label_helps(instance.start, plan, grids)


def _free_label_helps(start: np.ndarray, plan: np.ndarray, grids: tuple[int, ...]) -> bool:
    """The verifier deals out the present labels only; a label that went out of use may bring households home."""
    return not set(start[np.isin(plan, grids)].tolist()) <= {*plan.tolist(), -1}


def test_polishing_is_the_same_on_any_number_of_threads() -> None:
    instance = town(5, 150, units_per_grid=6)
    plan = growth(instance.units, np.random.default_rng(5), 25)
    plans = []
    for threads in (1, 3):
        ground, state, value = working(instance, plan)
        with ThreadPoolExecutor(threads) as pool:
            polish(ground, state, value, pool=pool)
        plans.append(state.label)
    assert (plans[0] == plans[1]).all()


def test_only_what_touches_the_given_grids_is_looked_at() -> None:
    instance = town(6, 120, units_per_grid=6)
    plan = growth(instance.units, np.random.default_rng(6), 20)
    ground, state, value = working(instance, plan)
    work = Polish(ground, state, value)
    assert work.run(2, grids=[]) == 0
    assert (state.label == plan).all()
    work.run(2)
    assert work.certificate(2).complete
    unit = next(unit for unit in range(120) if len(set(state.label[neighbours(ground, unit)].tolist())) > 1)
    other = next(grid for grid in state.label[neighbours(ground, unit)].tolist() if grid != state.label[unit])
    shift(ground, state, unit, other)
    assert not work.certificate(2).complete


def neighbours(ground: Ground, unit: int) -> Ints:
    return ground.other[ground.indptr[unit] : ground.indptr[unit + 1]]


def test_no_time_leaves_everything_open() -> None:
    instance = town(7, 40)
    plan = growth(instance.units, np.random.default_rng(7), 8)
    (found,) = certificates(instance, plan, (2,), deadline=monotonic() - 1)
    assert found.proved == 0
    assert found.open == found.neighbourhoods > 0
    (found,) = certificates(instance, plan, (2,), cancelled=lambda: True)
    assert not found.complete


def test_more_units_than_a_word_holds_are_left_open() -> None:
    pairs = [(unit, unit + 1) for unit in range(79)]
    instance = graph([1] * 80, pairs, Band(10, 60), weights=Weights())
    (found,) = certificates(instance, np.repeat([0, 1], 40), (2,))
    assert (found.neighbourhoods, found.proved, found.open) == (1, 0, 1)


def test_a_single_grid_has_nothing_to_certify() -> None:
    instance = graph([400], [], Band(300, 500))
    assert all(one.complete for one in certificates(instance, np.zeros(1, dtype=np.int64)))
