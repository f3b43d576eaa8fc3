"""Redraw beside an exact solver (HiGHS set partitioning): small tasks, and plans mended cluster by cluster.

``python -m tests.bench.bench_redraw_exact [--cases 200] [--seeds 5]``, or ``make bench NAME=redraw_exact``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from geodata.redraw import search
from geodata.redraw.engine import redraw
from geodata.redraw.verify import verify
from tests.bench.report import write
from tests.unit.redraw.exact_cases import Case, cases, off, same_violations
from tests.unit.redraw.exact_mending import fewest_by_cluster, out_of_band, outgrown_town

PEER = "HiGHS set partitioning"
MOVES = (1_000_000, 3_000_000, 10_000_000)
LARGE = 25


def small_rows(count: int) -> Iterator[dict[str, Any]]:
    """Violations and weighted totals of small tasks against their optimum, with and without exact pockets."""
    started = time.perf_counter()
    found = list(cases(count))
    solver_s = time.perf_counter() - started
    tasks = [case for case in found if case is not None]
    yield {"metric": "tasks too large for the exact solver, replaced", "value": len(found) - len(tasks)}
    yield {"metric": "tasks that must break the band", "value": sum(case.best.excess > 0 for case in tasks)}
    large = [case for case in tasks if case.pocket >= LARGE]
    for moves in MOVES:
        yield from _against(f"{len(tasks)} tasks, {moves:,} moves", tasks, moves, solver_s)
    most, search._EXACT_UNITS = search._EXACT_UNITS, 0
    try:
        for moves in MOVES:
            yield from _against(
                f"{len(large)} tasks of {LARGE} to 30 units, search alone, {moves:,} moves", large, moves
            )
    finally:
        search._EXACT_UNITS = most


def _against(name: str, tasks: Sequence[Case], moves: int, solver_s: float | None = None) -> Iterator[dict[str, Any]]:
    started = time.perf_counter()
    drawn = [redraw(case.instance, seed=1, moves=moves) for case in tasks]
    took = time.perf_counter() - started
    same = [same_violations(case, one) for case, one in zip(tasks, drawn, strict=True)]
    ratios = [off(case, one) for case, one in zip(tasks, drawn, strict=True)]
    good = [ok and ratio <= 1 for ok, ratio in zip(same, ratios, strict=True)]
    best = [ok and ratio <= 1e-3 for ok, ratio in zip(same, ratios, strict=True)]
    yield {"metric": f"{name}: same violations", "value": 100 * float(np.mean(same)), "unit": "%", "bar": ">= 100"}
    yield {"metric": f"{name}: total within 1 %", "value": 100 * float(np.mean(good)), "unit": "%", "bar": ">= 95"}
    yield {"metric": f"{name}: optimal", "value": 100 * float(np.mean(best)), "unit": "%"}
    yield {"metric": f"{name}: time for all", "value": took, "unit": "s", "peer": PEER, "peer_value": solver_s}


def mending_rows(seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Households moved to mend a plan of which a tenth of the grids left the band, beside the sum of the clusters'."""
    towns = [outgrown_town(seed) for seed in seeds]
    fewest = [fewest_by_cluster(town) for town in towns]
    yield {"metric": "400 blocks: grids out of band, fewest", "value": min(len(out_of_band(town)) for town in towns)}
    for name, weights in (("usual weights", {}), ("moved = 1", {"moved": 1.0})):
        ratios, broken, took = [], 0, 0.0
        for town, seed, least in zip(towns, seeds, fewest, strict=True):
            started = time.perf_counter()
            drawn = redraw(town.with_weights(**weights), seed=seed, moves=MOVES[0])
            took = max(took, time.perf_counter() - started)
            broken += drawn.measured.score.excess + len(verify(town, drawn.plan))
            ratios.append(drawn.measured.score.parts["moved"] / least)
            print(f"{name}, seed {seed}: {ratios[-1]:.3f} of {least:.0f} households", file=sys.stderr, flush=True)
        yield {"metric": f"mended, {name}: grids still wrong", "value": broken, "bar": "<= 0"}
        for which, ratio in (("worst", max(ratios)), ("mean", float(np.mean(ratios)))):
            metric = f"mended, {name}: households moved against {PEER}, cluster by cluster, {which}"
            yield {"metric": metric, "value": ratio, "bar": "<= 1.2"}
        yield {"metric": f"mended, {name}: wall time, longest", "value": took, "unit": "s"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    rows = [*mending_rows(range(1, args.seeds + 1)), *small_rows(args.cases)]
    write("redraw_exact", rows)


if __name__ == "__main__":
    main()
