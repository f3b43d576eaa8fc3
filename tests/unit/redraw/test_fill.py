"""Units in no grid find the grid beside them that suits best; what is left has a reason, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.redraw.fill import fill
from geodata.redraw.measure import measure, tabulate
from geodata.redraw.model import Band, Instance
from geodata.redraw.pockets import open_borders
from tests.unit.redraw.towns import graph, town

BAND = Band(300, 500)
ROW = [(0, 1), (1, 2), (2, 3), (3, 4)]


def loosened(instance: Instance, seed: int, share: float) -> Instance:
    """The instance with some units outside closed grids in no grid."""
    rng = np.random.default_rng(seed)
    loose = (rng.random(len(instance.units)) < share) & ~instance.in_closed()
    start = np.where(loose, -1, instance.start)
    return Instance.of(instance.units, instance.bands, start=start, closed=instance.closed & set(start.tolist()))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    share=st.floats(0.02, 1.0),
    empty=st.sampled_from([0.0, 0.4]),
    uncrossable=st.sampled_from([0.0, 0.3]),
    groups=st.integers(1, 2),
    closed=st.integers(0, 2),
)
def test_what_always_holds(seed: int, share: float, empty: float, uncrossable: float, groups: int, closed: int) -> None:
    town_ = town(
        seed, 30, empty=empty, uncrossable=uncrossable, groups=groups, closed=closed, start=True, compounds=True
    )
    instance = loosened(town_, seed, share)
    plan = instance.start
    made = fill(instance, plan)
    assert (made.plan[plan >= 0] == plan[plan >= 0]).all(), "placed units stay"
    left = np.array([one.unit for one in made.left], dtype=np.int64)
    assert sorted([*made.units, *left]) == np.flatnonzero(plan < 0).tolist() and (made.plan[left] == -1).all()
    before, after = tabulate(instance, plan), tabulate(instance, made.plan)
    assert set(after.grid) == set(before.grid), "no grid comes or goes"
    assert (after.pieces <= before.pieces).all()
    shut = np.isin(before.grid, list(instance.closed))
    assert (after.units[shut] == before.units[shut]).all()
    for grid in after.grid:
        assert len(np.unique(instance.units.group[made.plan == grid])) <= len(
            np.unique(instance.units.group[plan == grid])
        )
    low = instance.bands[0].households_min
    worse = (after.households > BAND.households_max) & (after.households > before.households)
    assert (after.households[worse] < np.maximum(before.households, BAND.households_max)[worse] + 4 * low).all()
    again = fill(instance, plan)
    assert (again.plan == made.plan).all() and (again.units == made.units).all()
    borders, open_ = instance.units.borders, open_borders(instance)
    codes = {one.unit: one.code for one in made.left}
    for i, j in zip(borders.i[open_].tolist(), borders.j[open_].tolist(), strict=True):
        for unit, other in ((i, j), (j, i)):
            if made.plan[unit] < 0 <= made.plan[other]:
                assert codes[unit] == "REDRAW_FILL_ENOUGH"


@pytest.mark.parametrize("seed", range(15))
def test_a_single_unit_goes_where_the_score_is_best(seed: int) -> None:
    instance = town(seed, 25, start=True, barriers=True, compounds=True, population=True)
    rng = np.random.default_rng(seed)
    plan = instance.start.copy()
    unit = int(rng.integers(len(plan)))
    plan[unit] = -1
    if not (plan == instance.start[unit]).any():
        pytest.skip("the only unit of its grid")
    task = Instance.of(instance.units, instance.bands, start=plan)
    borders, open_ = task.units.borders, open_borders(task)
    beside = {int(plan[b]) for a, b in zip(borders.i[open_], borders.j[open_], strict=True) if a == unit}
    beside |= {int(plan[a]) for a, b in zip(borders.i[open_], borders.j[open_], strict=True) if b == unit}
    scores = {}
    for grid in beside:
        there = plan.copy()
        there[unit] = grid
        made = measure(task, there)
        high = BAND.households_max
        scores[grid] = (bool(made.grids.households[made.grids.grid == grid][0] > high), *made.score.key())
    found = int(fill(task, plan).plan[unit])
    assert scores[found] == pytest.approx(min(scores.values()))


def test_a_grid_below_its_minimum_is_filled_first() -> None:
    instance = graph([250, 100, 390, 0, 0], [(0, 1), (1, 2)], BAND, start=[0, -1, 1, 2, 2])
    assert fill(instance, instance.start).plan.tolist() == [0, 0, 1, 2, 2]


def test_uninhabited_ground_goes_as_one_with_the_longest_border() -> None:
    """Empty units 1, 2 and 3 touch grid 0 once and grid 1 twice."""
    instance = graph([300, 0, 0, 0, 300], [(0, 1), (1, 2), (2, 3), (1, 4), (3, 4)], BAND, start=[0, -1, -1, -1, 1])
    assert fill(instance, instance.start).plan.tolist() == [0, 1, 1, 1, 1]


def test_nothing_is_filled_above_its_maximum_where_another_grid_could_be() -> None:
    instance = graph([450, 200, 200, 450, 100], ROW, BAND, start=[0, -1, -1, 1, 2])
    made = fill(instance, instance.start)
    assert made.plan.tolist() == [0, -1, -1, 1, 2]
    assert {one.code for one in made.left} == {"REDRAW_FILL_ENOUGH"}


def test_what_is_too_little_for_a_grid_of_its_own_is_placed_all_the_same() -> None:
    instance = graph([450, 100, 100, 400, 480], ROW, BAND, start=[0, -1, -1, 1, 2])
    made = fill(instance, instance.start)
    assert made.plan.tolist() == [0, 0, 1, 1, 2] and made.left == ()


def test_why_units_are_left() -> None:
    closed = graph([300, 10, 300, 10, 0], [(0, 1), (2, 3)], BAND, start=[0, -1, 1, -1, -1], closed=[0])
    left = {one.unit: one.code for one in fill(closed, closed.start).left}
    assert left == {1: "REDRAW_FILL_CLOSED", 4: "REDRAW_FILL_ALONE"}
    barred = town(1, 10, uncrossable=1.0)
    plan = np.where(np.arange(10) < 5, 0, -1)
    codes = {one.code for one in fill(barred, plan).left}
    assert codes == {"REDRAW_FILL_CUT_OFF"}
    for code in ("ENOUGH", "CLOSED", "CUT_OFF", "ALONE"):
        from geodata.messages import sentence

        assert sentence(f"REDRAW_FILL_{code}", "zh") and sentence(f"REDRAW_FILL_{code}", "en")
