"""Exact re-splits against every labelling of small patches, and a polished plan against ``measure``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest

from geodata.adjacency import components
from geodata.redraw.anneal import Worth, appraise, worth
from geodata.redraw.ground import Ground, lay_out
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Instance, Ints, Weights
from geodata.redraw.resplit import Polish, touching
from geodata.redraw.tally import Tally, tally
from tests.unit.redraw.towns import growth, town

EVERYTHING = Weights(
    moved=0.003,
    compactness=1.0,
    extent=1e-5,
    open_border=0.0007,
    torn=0.004,
    cut_edges=0.03,
    compounds=0.2,
    balance=0.001,
    workload=0.002,
)
WEIGHTS = [Weights(), EVERYTHING, Weights(moved=0.01), Weights(compactness=0.0, cut_edges=1.0), Weights(balance=0.01)]


def case(seed: int, n: int = 15) -> tuple[Instance, Ints]:
    """A town with something of everything, and a plan of it that keeps locks and closed grids."""
    rng = np.random.default_rng(seed)
    instance = town(
        seed,
        n,
        units_per_grid=4,
        band=Band(300, 500, *((700, 1300) if rng.random() < 0.3 else ())),
        empty=float(rng.choice([0, 0.2])),
        giants=int(rng.choice([0, 0, 1])),
        barriers=bool(rng.random() < 0.5),
        uncrossable=float(rng.choice([0, 0.15])),
        population=bool(rng.random() < 0.5),
        compounds=bool(rng.random() < 0.5),
        start=True,
        locked=float(rng.choice([0, 0.15])),
        closed=int(rng.choice([0, 0, 1])),
        weights=WEIGHTS[int(rng.integers(len(WEIGHTS)))],
    )
    instance = replace(instance, units=replace(instance.units, workload=rng.random(n) * 100))
    if instance.held().any():
        return instance, instance.start.copy()
    return instance, growth(instance.units, rng, n // 4)


def working(instance: Instance, plan: Ints) -> tuple[Ground, Tally, Worth]:
    """The plan as the kernels hold it, with room for new grids."""
    ground = lay_out(instance)
    slots = max(int(plan.max()), instance.n_start) + 4
    state, value = tally(ground, plan, slots), worth(slots)
    for grid in range(slots):
        appraise(ground, state, value, grid)
    return ground, state, value


def relabelled(instance: Instance, plan: Ints, grids: tuple[int, ...], most: int) -> Iterator[Ints]:
    """Every plan with up to ``most`` other parts in the place of ``grids`` that keeps the hard rules."""
    units = np.flatnonzero(np.isin(plan, grids))
    free = set(instance.start[units].tolist()) - set(plan.tolist()) - {-1}
    labels = [*grids, *sorted(free), *range(max(int(plan.max()) + 1, instance.n_start) + 1)[-1:]]
    held = instance.held()
    borders = instance.units.borders
    seen = set()
    for parts in product(range(most), repeat=len(units)):
        if any(part > max(parts[:at], default=-1) + 1 for at, part in enumerate(parts)):
            continue
        number = np.full(len(plan), -1)
        number[units] = parts
        inside = (number[borders.i] == number[borders.j]) & (number[borders.i] >= 0) & borders.crossable
        piece = components(len(plan), borders.i[inside], borders.j[inside])[units]
        if len(np.unique(piece)) != max(parts) + 1 or parts in seen:
            continue
        seen.add(parts)
        for names in permutations(labels, max(parts) + 1):
            other = plan.copy()
            other[units] = np.array(names)[list(parts)]
            if (other[held] == instance.start[held]).all():
                yield other


def best_key(instance: Instance, plan: Ints, grids: tuple[int, ...], most: int) -> tuple[int, float, float]:
    """Score of the best of them all."""
    return min(
        (measure(instance, other).score.key() for other in relabelled(instance, plan, grids, most)),
        key=lambda key: (key[0], round(key[1], 6), key[2]),
    )


def better(one: tuple[int, float, float], other: tuple[int, float, float]) -> bool:
    return (one[0], round(one[1], 6), one[2] + 1e-6) < (other[0], round(other[1], 6), other[2])


@pytest.mark.parametrize("seed", range(60))
def test_a_re_split_finds_the_best_of_all_labellings(seed: int) -> None:
    check(seed, 2, 9, 2)
    check(seed, 1, 9, 1)


@pytest.mark.parametrize("seed", range(40))
def test_a_re_split_of_three_finds_the_best_of_all_labellings(seed: int) -> None:
    check(seed, 3, 8, 1)


def check(seed: int, size: int, most_units: int, sets: int) -> None:
    """Re-splits of ``sets`` sets of ``size`` grids of up to ``most_units`` units against all labellings."""
    instance, plan = case(seed, 15 if size < 3 else 12)
    ground, state, value = working(instance, plan)
    small = [one for one in touching(ground, plan, size) if np.isin(plan, one).sum() <= most_units]
    for grids in small[:sets]:
        expected = best_key(instance, plan, grids, max(size, 2))
        work = Polish(ground, tally(ground, plan, len(state.size)), value)
        found = work.step([grids], Now())
        got = measure(instance, work.state.label).score.key()
        assert got[0] == expected[0]
        assert got[1:] == pytest.approx(expected[1:], abs=1e-6)
        assert bool(found) == better(expected, measure(instance, plan).score.key())
        assert work.known.get(grids, ((), 0))[1] == 0


class Now:
    """An executor that does not wait for threads."""

    def submit(self, function, *args):  # type: ignore[no-untyped-def]
        function(*args)
        return self

    def result(self) -> None:
        return None
