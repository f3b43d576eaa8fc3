"""``redraw()``: the same for the same seed, within its budget, told to stop, faithful to locks, groups and numbers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from geodata.errors import GeodataError
from geodata.redraw.engine import divide, put_together, redraw
from geodata.redraw.locks import join_locked
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Borders, Instance, Units
from geodata.redraw.result import Step
from geodata.redraw.verify import verify
from tests.unit.redraw.towns import graph, growth, town

MOVES = 40_000
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _short_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs have tests of their own."""
    monkeypatch.setattr("geodata.redraw.engine._PROOF_S", 0.1)


def planned(instance: Instance, **weights: float) -> Instance:
    """The same task from a plan in the band, as the engine drew it."""
    good = redraw(instance, seed=9, moves=10 * MOVES)
    assert good.measured.score.excess == 0
    return replace(instance, start=good.plan).with_weights(**weights)


@pytest.mark.parametrize("arguments", [{"n": 60}, {"n": 90, "groups": 4, "start": True, "barriers": True}, {"n": 1200}])
def test_seed_and_moves_fix_the_plan_on_any_number_of_cores(arguments: dict[str, int]) -> None:
    instance = town(3, **arguments)  # type: ignore[arg-type]
    one, again, two = (redraw(instance, seed=7, moves=MOVES, workers=workers) for workers in (1, 1, 2))
    assert np.array_equal(one.plan, again.plan)
    assert np.array_equal(one.plan, two.plan)
    assert one.moves == two.moves


def test_another_seed_is_another_search() -> None:
    instance = town(3, 200)
    plans = [redraw(instance, seed=seed, moves=MOVES).plan for seed in (1, 2)]
    assert not np.array_equal(*plans)


def test_more_moves_are_never_worse_than_the_start() -> None:
    instance = town(4, 80, start=True)
    before = measure(instance, instance.start).score.key()
    assert redraw(instance, moves=MOVES).measured.score.key() <= before


def test_the_instance_is_left_alone() -> None:
    instance = town(4, 40, start=True)
    start = instance.start.copy()
    drawn = redraw(instance, moves=MOVES)
    drawn.plan[:] = -5
    assert np.array_equal(instance.start, start)


def test_progress_only_gets_better_and_ends_with_the_plan() -> None:
    instance = town(5, 300, groups=2)
    steps: list[Step] = []
    drawn = redraw(instance, seconds=1.5, progress=lambda step: steps.append(step))
    whole = [step for step in steps if (step.plan >= 0).all()]
    assert len(whole) >= 2
    assert [step.share for step in steps] == sorted(step.share for step in steps)
    keys = [step.key for step in whole]
    assert all(later[:2] <= earlier[:2] for earlier, later in pairwise(keys))
    assert measure(instance, whole[-1].plan).score.key()[:2] == drawn.measured.score.key()[:2]
    assert drawn.stopped == "done"


def test_a_search_that_is_told_to_stop_brings_its_best_plan() -> None:
    instance = town(5, 300, groups=3)
    began = monotonic()
    drawn = redraw(instance, seconds=60.0, progress=lambda step: True)
    assert monotonic() - began < 10
    assert drawn.stopped == "cancelled"
    assert verify(instance, drawn.plan) == []


def test_an_error_in_progress_ends_the_search() -> None:
    def fail(step: Step) -> bool:
        raise RuntimeError("page closed")

    began = monotonic()
    with pytest.raises(RuntimeError, match="page closed"):
        redraw(town(5, 100), seconds=60.0, progress=fail)
    assert monotonic() - began < 10


@pytest.mark.parametrize("seconds", [0.3, 1.5])
@pytest.mark.parametrize("groups", [1, 6])
def test_time_is_kept(seconds: float, groups: int) -> None:
    instance = town(6, 400, groups=groups)
    redraw(instance, moves=100)
    began = monotonic()
    redraw(instance, seconds=seconds)
    assert monotonic() - began < 1.25 * seconds + 2.0


def test_time_may_end_before_the_moves() -> None:
    drawn = redraw(town(6, 200), moves=10**10, seconds=0.5)
    assert drawn.stopped == "time"
    assert drawn.moves < 10**10


def test_a_plan_in_the_band_is_not_touched_where_moving_is_dear() -> None:
    instance = planned(town(7, 60), moved=10.0)
    assert np.array_equal(redraw(instance, moves=MOVES).plan, instance.start)


def test_one_broken_grid_moves_few_households() -> None:
    instance = planned(town(7, 80), moved=1.0)
    households = instance.units.households.copy()
    at = np.flatnonzero(instance.start == instance.start[0])[0]
    households[at] = households[at] + 501 - households[instance.start == instance.start[0]].sum()
    instance = replace(instance, units=replace(instance.units, households=households))
    drawn = redraw(instance, moves=10 * MOVES)
    assert drawn.measured.score.excess == 0
    assert 0 < drawn.measured.score.parts["moved"] <= households.sum() / 10


def test_grids_keep_their_numbers_where_nobody_pays_for_moving() -> None:
    instance = planned(town(8, 60), moved=0.0)
    drawn = redraw(instance, moves=MOVES)
    kept = instance.units.households[drawn.plan == instance.start].sum()
    for grid in np.unique(drawn.plan[drawn.plan < instance.n_start]):
        assert (drawn.plan == grid)[instance.start == grid].any()
    assert kept > 0
    new = np.unique(drawn.plan[drawn.plan >= instance.n_start])
    assert np.array_equal(new, instance.n_start + np.arange(len(new)))


def test_locked_units_closed_grids_groups_and_rivers_are_kept() -> None:
    for seed in range(8):
        instance = town(
            seed, 60, groups=3, start=True, locked=0.1, closed=2, uncrossable=0.2, barriers=True, population=True
        )
        drawn = redraw(instance, seed=seed, moves=MOVES)
        plan, units = drawn.plan, instance.units
        assert np.array_equal(plan[instance.locked], instance.start[instance.locked])
        for grid in instance.closed:
            assert np.array_equal(plan == grid, instance.start == grid)
        assert all(len(np.unique(units.group[plan == grid])) == 1 for grid in np.unique(plan))
        assert (measure(instance, plan).grids.pieces == 1).all()
        assert verify(instance, plan, drawn.violations) == []


def test_a_grid_never_holds_together_over_a_river_or_a_closed_grid() -> None:
    """Two banks of 250 households: only over the river would they fill the band."""
    borders = Borders.plain([0], [1], [10.0])
    units = Units.of(
        [250, 250], [1.0, 1.0], [4.0, 4.0], [[0, 0], [1, 0]], replace(borders, crossable=np.array([False]))
    )
    assert len(set(redraw(Instance.of(units, Band(300, 500)), moves=100).plan.tolist())) == 2
    chain = graph([150, 400, 150], [(0, 1), (1, 2)], Band(300, 500), start=[0, 1, 0], closed=[1])
    assert redraw(chain, moves=100).plan[0] != redraw(chain, moves=100).plan[2]


def test_parts_are_put_together_as_they_were() -> None:
    instance = town(2, 50, groups=4, start=True)
    rng = np.random.default_rng(1)
    start = growth(instance.units, rng, 9)
    instance = replace(instance, start=start)
    parts = divide(instance)
    assert np.array_equal(np.sort(np.concatenate([part.members for part in parts])), np.arange(50))
    assert np.array_equal(put_together(instance, parts, [part.instance.start for part in parts]), start)


def test_a_search_may_begin_at_an_earlier_result() -> None:
    instance = town(3, 80, groups=2, start=True)
    better = redraw(instance, moves=10 * MOVES)
    again = redraw(instance, moves=1, first=better.plan)
    assert again.measured.score.key() <= better.measured.score.key()


def test_locked_units_in_pieces_are_joined_by_the_fewest_households() -> None:
    """A ring of six: 0 and 3 belong together, over 1 and 2 (30 households) or over 5 and 4 (20)."""
    ring = [(at, (at + 1) % 6) for at in range(6)]
    locked = [True, False, False, True, False, False]
    instance = graph([10, 20, 10, 10, 10, 10], ring, Band(0, 500), start=[0, 1, 1, 0, 2, 2], locked=locked)
    joined = join_locked(instance, instance.start)
    assert joined is not None
    assert joined.tolist() == [0, 1, 1, 0, 0, 0]
    assert join_locked(instance, joined) is None


def test_grids_locked_across_each_other_are_refused_or_joined_in_another_order() -> None:
    """On a path 0-1-2-3 the pairs (0, 2) and (1, 3) cannot both hold together; with a way around the end they can."""
    with pytest.raises(GeodataError) as caught:
        graph([10] * 4, [(0, 1), (1, 2), (2, 3)], Band(0, 50), start=[0, 1, 0, 1], locked=[True] * 4)
    assert caught.value.code == "REDRAW_LOCK_APART"
    star = [(0, 1), (0, 2), (0, 3), (0, 4)]  # both pairs want the middle
    crossed = graph([10] * 5, star, Band(0, 50), start=[-1, 0, 0, 1, 1], locked=[False, True, True, True, True])
    with pytest.raises(GeodataError) as caught:
        redraw(crossed, moves=100)
    assert caught.value.code == "REDRAW_LOCK_TANGLED"


def test_a_new_process_finds_every_kernel_compiled() -> None:
    """What set-up compiles (``python -m geodata.warm``) is read from disk by the first redraw, repair and edit."""
    run = partial(subprocess.run, check=True, capture_output=True, text=True, timeout=120, cwd=ROOT)
    run([sys.executable, "-m", "geodata.warm"])
    assert run([sys.executable, "-c", COLD]).stdout == ""


COLD = """
import sys
from geodata.redraw.engine import redraw
from geodata.redraw.heal import heal
from geodata.redraw.measure import tabulate
from geodata.redraw.state import State
from tests.unit.redraw.towns import town

instance = town(5, 60, start=True, groups=2, compounds=True, barriers=True, population=True, locked=0.05)
drawn = redraw(instance, moves=100_000, seconds=4.0)
grids = tabulate(instance, instance.start)
heal(instance, instance.start, int(grids.grid[grids.status > 0][0]))
state = State(instance, drawn.plan)
state.move([0], int(drawn.plan[-1]))
state.undo()
for name, module in list(sys.modules.items()):
    for kernel in vars(module).values() if name.startswith("geodata") else ():
        if hasattr(kernel, "stats") and sum(kernel.stats.cache_misses.values()):
            print(kernel.__module__, kernel.__name__)
"""
