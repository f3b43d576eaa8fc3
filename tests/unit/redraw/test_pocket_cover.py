"""The exact optimum of small pockets against HiGHS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geodata.redraw.ground import lay_out
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Instance
from geodata.redraw.pocket_cover import exact_pocket
from tests.unit.redraw.oracle import optimum
from tests.unit.redraw.test_resplit import WEIGHTS
from tests.unit.redraw.towns import graph, town


def random_town(seed: int) -> Instance:
    rng = np.random.default_rng(seed)
    instance = town(
        seed,
        int(rng.integers(4, 14)),
        units_per_grid=float(rng.choice([2.5, 4])),
        band=Band(300, 500, *((700, 1300) if rng.random() < 0.2 else ())),
        empty=float(rng.choice([0, 0.2])),
        giants=int(rng.choice([0, 0, 1])),
        barriers=bool(rng.random() < 0.5),
        population=bool(rng.random() < 0.5),
        compounds=bool(rng.random() < 0.5),
        start=bool(rng.random() < 0.7),
        locked=float(rng.choice([0, 0.15])),
        weights=WEIGHTS[int(rng.integers(len(WEIGHTS)))],
    )
    return replace(instance, units=replace(instance.units, workload=rng.random(len(instance.units)) * 100))


def solved(instance: Instance) -> tuple[int, float, float] | None:
    n = len(instance.units)
    slots = max(instance.n_start, 1)
    plan = exact_pocket(lay_out(instance), np.arange(n), np.ones(slots, dtype=bool), instance.n_start)
    if plan is None:
        return None
    measured = measure(instance, plan)
    assert (measured.grids.pieces == 1).all()
    held = instance.held()
    assert (plan[held] == instance.start[held]).all()
    return measured.score.key()


@pytest.mark.parametrize("seed", range(60))
def test_the_optimum_of_a_pocket_is_that_of_an_exact_solver(seed: int) -> None:
    instance = random_town(seed)
    expected, found = optimum(instance), solved(instance)
    assert found is not None
    assert found[0] == expected.excess
    assert found[1:] == pytest.approx((expected.outside, expected.total), abs=1e-5)


def test_pockets_that_break_the_band_whatever_is_done() -> None:
    band = Band(300, 500)
    assert solved(graph([100], [], band))[:2] == (1, 200)
    assert solved(graph([0], [], band))[:2] == (1, 300)
    assert solved(graph([290, 290, 290], [(0, 1), (1, 2)], band))[:2] == (1, 370)
    assert solved(graph([2000], [], band))[:2] == (0, 1500)
