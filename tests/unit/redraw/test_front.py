"""The front: plans in order, none better than another in everything, and only what a town has to offer."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from geodata.messages import catalogue
from geodata.redraw.engine import redraw
from geodata.redraw.front import PRICES, Named, Standing, front
from geodata.redraw.measure import measure
from geodata.redraw.model import Instance
from geodata.redraw.result import Step
from geodata.redraw.verify import verify
from tests.unit.redraw.towns import town

MOVES = 400_000


@pytest.fixture(scope="module")
def strained() -> Instance:
    """A town whose grids were in the band until a few units grew."""
    instance = town(11, 120, units_per_grid=7)
    good = redraw(instance.with_weights(cut_edges=0.05, compactness=0.0), moves=200_000)
    households = instance.units.households.copy()
    households[::17] += 60
    return replace(instance, start=good.plan, units=replace(instance.units, households=households))


@pytest.fixture(scope="module")
def plans(strained: Instance) -> list[Named]:
    return front(strained, moves=MOVES, seed=2)


def test_from_the_fewest_moved_to_the_best_shapes(plans: list[Named]) -> None:
    assert 2 <= len(plans) <= 5
    assert plans[0].name == "least-change"
    names = list(PRICES)
    assert [named.name for named in plans] == sorted((named.name for named in plans), key=names.index)
    for earlier, later in pairwise(named.measures for named in plans):
        assert earlier.excess == later.excess
        assert earlier.households_moved < later.households_moved
        assert earlier.mean_polsby_popper < later.mean_polsby_popper


def test_none_is_beaten(plans: list[Named]) -> None:
    assert not any(one.measures.beats(other.measures) for one in plans for other in plans)


def test_what_is_said_of_a_plan_is_so(strained: Instance, plans: list[Named]) -> None:
    for named in plans:
        assert verify(strained, named.redrawn.plan, named.redrawn.violations) == []
        grids = measure(strained, named.redrawn.plan).grids
        moved = strained.units.households[named.redrawn.plan != strained.start].sum()
        assert named.measures == Standing(
            int(grids.excess.sum()), int(moved), float(grids.polsby_popper.mean()), int((grids.status > 0).sum())
        )
        priced = strained.with_weights(moved=PRICES[named.name])
        assert named.redrawn.measured.score == measure(priced, named.redrawn.plan).score


def test_least_change_touches_only_what_is_broken(strained: Instance, plans: list[Named]) -> None:
    broken = measure(strained, strained.start).grids
    assert (broken.status > 0).any()
    assert plans[0].measures.excess == 0
    assert plans[0].measures.households_moved <= 0.25 * strained.units.households.sum()


def test_the_same_seed_and_moves_give_the_same_front(strained: Instance, plans: list[Named]) -> None:
    again = front(strained, moves=MOVES, seed=2, workers=1)
    assert [named.name for named in again] == [named.name for named in plans]
    assert all(np.array_equal(a.redrawn.plan, b.redrawn.plan) for a, b in zip(again, plans, strict=True))


def test_without_a_plan_today_there_is_one() -> None:
    (only,) = front(town(1, 40), moves=20_000)
    assert only.name == "shapes"
    assert only.measures.households_moved == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_smaller_front(count: int, strained: Instance) -> None:
    names = [named.name for named in front(strained, moves=20_000, count=count)]
    assert len(names) <= max(count, 1)
    assert names[0] == ("least-change" if count > 1 else "shapes")


def test_progress_runs_once_from_nothing_to_all(strained: Instance) -> None:
    steps: list[Step] = []
    front(strained, seconds=2.5, progress=lambda step: steps.append(step))
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] > 0.8


def test_cancelled_it_brings_what_there_is(strained: Instance) -> None:
    plans = front(strained, seconds=60.0, progress=lambda step: True)
    assert [named.name for named in plans] == ["least-change"]
    assert plans[0].redrawn.stopped == "cancelled"


def test_every_plan_has_a_name_in_both_languages(plans: list[Named]) -> None:
    for name in PRICES:
        code = plans[0]._replace(name=name).code
        assert {"zh", "en", "hint_zh", "hint_en"} <= catalogue()[code].keys()
