"""The editing state against a measure from scratch, over random moves, undos and redos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.redraw.measure import STATUS, measure
from geodata.redraw.model import Band, Instance, Ints
from geodata.redraw.state import State
from tests.unit.redraw.towns import graph, town

BAND = Band(300, 500, 500, 1400)
TOWNS = [
    town(
        seed,
        40,
        band=BAND,
        start=True,
        groups=2,
        giants=1,
        empty=0.2,
        barriers=bool(seed),
        uncrossable=0.1,
        population=True,
        compounds=True,
        locked=0.1,
        closed=1,
    )
    for seed in range(3)
]


def same(state: State, plan: Ints) -> None:
    """Everything the state tells is what ``measure`` finds in ``plan``."""
    assert (state.plan == plan).all()
    measured, totals = measure(state.instance, plan), state.totals()
    grids, score = measured.grids, measured.score
    assert (totals.score.excess, totals.unassigned) == (score.excess, int((plan < 0).sum()))
    assert totals.score.outside == pytest.approx(score.outside)
    assert totals.score.total == pytest.approx(score.total)
    assert totals.score.parts == pytest.approx(score.parts)
    assert totals.in_band == (grids.status == 0).sum()
    assert totals.whole == (grids.pieces == 1).sum()
    now = state.grids()
    assert [one.grid for one in now] == grids.grid.tolist()
    for name in ("units", "households", "population", "excess", "pieces"):
        assert [getattr(one, name) for one in now] == getattr(grids, name).tolist()
    assert [one.status for one in now] == [STATUS[code] for code in grids.status]
    assert [one.polsby_popper for one in now] == pytest.approx(grids.polsby_popper.tolist())
    assert [one.perimeter_m for one in now] == pytest.approx(grids.perimeter_m.tolist())


steps = st.lists(
    st.one_of(
        st.tuples(st.lists(st.integers(0, 39), max_size=4), st.one_of(st.integers(-1, 9), st.integers(30, 33))),
        st.sampled_from(["undo", "redo"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TOWNS), steps)
def test_any_sequence_equals_a_measure_from_scratch(instance: Instance, steps: list) -> None:
    state = State(instance, instance.start)
    plans, at = [instance.start], 0
    for step in steps:
        if step == "undo":
            assert (state.undo() is None) == (at == 0)
            at = max(at - 1, 0)
        elif step == "redo":
            assert (state.redo() is None) == (at == len(plans) - 1)
            at = min(at + 1, len(plans) - 1)
        else:
            units, grid = step
            plan = plans[at].copy()
            plan[units] = grid
            plans[at + 1 :] = [plan]
            at += 1
            change = state.move(units, grid)
            assert change.totals == state.totals()
            assert {one.grid for one in change.touched} == (
                {*plans[at - 1][units].tolist(), grid} - {-1} if units else set()
            )
            assert all(one == state.grid(one.grid) for one in change.touched)
        assert (state.can_undo, state.can_redo) == (at > 0, at < len(plans) - 1)
    same(state, plans[at])


def test_undo_brings_back_exactly_the_same_figures() -> None:
    instance = TOWNS[0]
    state = State(instance, instance.start)
    before = state.grids(), state.totals()
    for unit in range(30):
        state.move([unit, unit + 5], state.new_grid if unit % 3 else unit % 5)
    while state.undo():
        pass
    assert (state.grids(), state.totals()) == before


def test_a_new_grid_takes_a_number_nobody_had() -> None:
    instance = TOWNS[0]
    state = State(instance, instance.start)
    new = state.new_grid
    assert new == instance.n_start
    assert state.allowed([3], new) == State(instance, instance.start).allowed([3], new)
    assert state.new_grid == new
    state.move([3], new)
    state.undo()
    assert state.new_grid == new + 1


def line(**optional: object) -> Instance:
    """Six units in a row, three grids of two."""
    return graph([100] * 6, [(i, i + 1) for i in range(5)], Band(150, 250), start=[0, 0, 1, 1, 2, 2], **optional)


def test_what_a_move_does_is_told() -> None:
    state = State(line(), np.array([0, 0, 1, 1, 2, 2]))
    change = state.move([2], 0)
    first, second = change.touched
    assert (first.households, first.households_off, first.status) == (300, 50, "over")
    assert (second.households, second.households_off, second.status) == (100, -50, "under")
    assert (change.totals.in_band, change.totals.moved_households) == (1, 100)
    state.move([3], 0)
    assert state.grid(1).units == 0
    assert state.totals().grids == 2


def codes(state: State, units: list[int], grid: int) -> list[tuple[str, dict]]:
    return [(reason.code, reason.params) for reason in state.allowed(units, grid)]


def test_hard_rules_are_told_and_nothing_changes() -> None:
    instance = line(locked=[True, False, False, False, False, False], closed=[2], group=[0, 0, 0, 0, 0, 0])
    state = State(instance, instance.start)
    assert codes(state, [2], 0) == []
    assert codes(state, [0], 1) == [("REDRAW_EDIT_HELD", {"units": [0]}), ("REDRAW_EDIT_PIECES", {"grids": [1]})]
    assert codes(state, [3], 2) == [("REDRAW_EDIT_CLOSED", {"grids": [2]})]
    assert codes(state, [5], 1) == [("REDRAW_EDIT_CLOSED", {"grids": [2]}), ("REDRAW_EDIT_PIECES", {"grids": [1]})]
    assert codes(state, [3], 0) == [("REDRAW_EDIT_PIECES", {"grids": [0]})]
    assert codes(state, [0, 1], 0) == []
    assert (state.plan == instance.start).all()
    assert not state.can_undo


def test_another_community_is_told() -> None:
    state = State(line(group=[0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2]))
    assert codes(state, [3], 2) == [("REDRAW_EDIT_GROUP", {"units": [3]})]
    assert codes(state, [3, 4], state.new_grid) == [("REDRAW_EDIT_GROUP", {"units": [4]})]


def test_a_plan_in_pieces_is_not_blamed_on_the_next_move() -> None:
    state = State(line(), np.array([0, 1, 0, 1, 2, 2]))
    assert codes(state, [4], 1) == []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_reasons_are_sentences(locale: str) -> None:
    state = State(line(), np.array([0, 0, 1, 1, 2, 2]))
    (reason,) = state.allowed([3], 0)
    assert "0" in reason.sentence(locale)


def test_strange_units_and_grids_are_refused() -> None:
    state = State(line(), np.array([0, 0, 1, 1, 2, 2]))
    with pytest.raises(IndexError):
        state.move([6], 0)
    with pytest.raises(ValueError):
        state.move([0], -2)
    with pytest.raises(KeyError):
        state.grid(-1)
