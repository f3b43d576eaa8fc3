"""Small random redraw tasks with their exact optimum, shared by the tests and the bench against an exact solver."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from geodata.adjacency import components
from geodata.redraw.model import Band, Instance, Weights
from geodata.redraw.result import Redrawn
from tests.unit.redraw import oracle
from tests.unit.redraw.oracle import Optimum, TooLargeError, optimum
from tests.unit.redraw.towns import town

CASES = 200
OPTIMA = Path(__file__).with_name("exact_optima.json")
MOST_SETS = 60_000  # what the exact solver does within a second or two
ONE_PERCENT = 0.01
#: A thousandth of one grid's compactness: totals are sums around 0, of which one percent may be nothing at all.
TOTAL_SLACK = 0.001

WEIGHTS = (
    Weights(),
    Weights(moved=0.02),
    Weights(moved=0.002, extent=2e-5, torn=0.01, compounds=1.0, balance=0.005, workload=0.001),
    Weights(compactness=0.0, cut_edges=1.0, moved=0.0),
    Weights(balance=0.01),
)


class Case(NamedTuple):
    """One task with its optimum; ``pocket``: units that hang together over borders that a grid may cross, at most."""

    seed: int
    instance: Instance
    best: Optimum
    pocket: int


def stored() -> list[Case]:
    """The tasks with the optimum that the exact solver once found (``python -m tests.unit.redraw.exact_cases``).

    Solving them anew takes minutes. A task that is no longer the one that was solved raises ``ValueError``.
    """
    found = []
    for row in json.loads(OPTIMA.read_text("utf-8")):
        instance = random_task(row["seed"])
        if digest(instance) != row["digest"]:
            raise ValueError(f"the task of seed {row['seed']} has changed: write {OPTIMA.name} again")
        best = Optimum(row["excess"], row["outside"], row["total"], np.zeros(0, dtype=np.int64))
        found.append(Case(row["seed"], instance, best, largest_pocket(instance)))
    return found


def store() -> None:
    """Solve all tasks and write :data:`OPTIMA`."""
    rows = [
        {
            "seed": case.seed,
            "digest": digest(case.instance),
            "excess": case.best.excess,
            "outside": case.best.outside,
            "total": case.best.total,
        }
        for case in cases()
        if case is not None
    ]
    OPTIMA.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", "utf-8")


def digest(instance: Instance) -> str:
    """A hash of everything that the optimum depends on, with lengths to the millimetre."""
    units, borders = instance.units, instance.units.borders
    hashed = hashlib.sha256(repr((instance.bands, sorted(instance.closed), instance.weights)).encode())
    for column in (units.households, units.population, units.group, units.kind, units.compound, instance.start):
        hashed.update(column.astype(np.int64).tobytes())
    for lengths in (units.area_m2, units.perimeter_m, units.xy_m, units.workload, borders.length_m, borders.barrier_m):
        hashed.update(np.round(lengths * 1000).astype(np.int64).tobytes())
    for flags in (borders.i, borders.j, borders.crossable, instance.locked, np.round(borders.torn_m * 1000)):
        hashed.update(flags.astype(np.int64).tobytes())
    return hashed.hexdigest()[:16]


def cases(count: int = CASES) -> Iterator[Case | None]:
    """``count`` tasks from the first seeds on; None for each seed whose task is too large for the exact solver."""
    seed = found = 0
    while found < count:
        instance = random_task(seed)
        try:
            yield Case(seed, instance, optimum(instance), largest_pocket(instance))
            found += 1
        except TooLargeError:
            yield None
        seed += 1


def random_task(seed: int) -> Instance:
    """8 to 30 units with whatever makes a task hard; every third has at least 26, most of which hang together."""
    rng = np.random.default_rng([2026, seed])
    large = seed % 3 == 0
    n = int(rng.integers(26, 31) if large else rng.integers(8, 26))
    start = bool(rng.random() < 0.6)
    instance = town(
        seed,
        n,
        units_per_grid=float(rng.choice([2.5, 3, 3.5, 4])),
        band=Band(300, 500, *((700, 1300) if rng.random() < 0.2 else ())),
        empty=float(rng.choice([0, 0, 0.15])),
        giants=0 if large else int(rng.choice([0, 0, 0, 1, 2])),
        groups=1 if large else int(rng.choice([1, 1, 2, 3])),
        barriers=bool(rng.random() < 0.5),
        uncrossable=0.05 if large else float(rng.choice([0, 0, 0.15])),
        population=bool(rng.random() < 0.4),
        compounds=bool(rng.random() < 0.4),
        start=start,
        locked=float(rng.choice([0, 0.1])) if start else 0.0,
        closed=int(rng.choice([0, 0, 1])) if start and not large else 0,
        weights=WEIGHTS[int(rng.integers(len(WEIGHTS)))],
    )
    return replace(instance, units=replace(instance.units, workload=rng.uniform(0, 100, n)))


def largest_pocket(instance: Instance) -> int:
    """Units (one number) of the largest connected component of the open borders."""
    borders, group, free = instance.units.borders, instance.units.group, ~instance.in_closed()
    open_ = borders.crossable & (group[borders.i] == group[borders.j]) & free[borders.i] & free[borders.j]
    return int(np.bincount(components(len(group), borders.i[open_], borders.j[open_])).max())


def same_violations(case: Case, drawn: Redrawn) -> bool:
    """Whether the band is broken as little as it can be: as often, and with as many households outside it."""
    score = drawn.measured.score
    return score.excess == case.best.excess and abs(score.outside - case.best.outside) <= 1e-6


def off(case: Case, drawn: Redrawn) -> float:
    """How far the weighted total is above the optimum, as a share of what one percent allows: at most 1 is good."""
    above = drawn.measured.score.total - case.best.total
    return above / (ONE_PERCENT * abs(case.best.total) + TOTAL_SLACK)


if __name__ == "__main__":
    oracle.MOST_SETS = MOST_SETS
    store()
