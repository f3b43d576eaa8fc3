"""What an editor waits for: the smallest change that mends a plan whose counts moved on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from geodata.redraw.engine import redraw

from geodata.redraw.measure import measure
from geodata.redraw.model import Instance, Ints
from tests.bench.redraw_peers import BAND, instance_of

SHARE_OUT = 0.1


def outgrown(instance: Instance, plan: Ints, seed: int) -> Instance:
    """The same town later: a tenth of the grids of ``plan``, now the start plan, is out of the band, half below it."""
    rng = np.random.default_rng(seed)
    start = np.unique(plan, return_inverse=True)[1].astype(np.int64)
    held = np.bincount(start, instance.units.households)
    chosen = rng.permutation(len(held))[: max(round(SHARE_OUT * len(held)), 2)]
    goal = held.copy()
    half = len(chosen) // 2
    goal[chosen[:half]] = rng.integers(BAND.households_min - 60, BAND.households_min - 10, half)
    goal[chosen[half:]] = rng.integers(BAND.households_max + 10, BAND.households_max + 60, len(chosen) - half)
    households = np.maximum(np.round(instance.units.households * (goal / held)[start]), 1).astype(np.int64)
    return Instance.of(replace(instance.units, households=households), BAND, start=start)


def fewest_moved(instance: Instance) -> int:
    """Households that must change grid whatever is done: the surplus leaves; what is short is filled, or given up.

    One household can leave a grid that has too many for one that has too few: the larger of the two sums counts.
    """
    held = measure(instance, instance.start).grids.households
    too_many = np.maximum(held - BAND.households_max, 0)
    too_few = np.minimum(np.maximum(BAND.households_min - held, 0), held)
    return int(max(too_many.sum(), too_few.sum()))


def mending_rows(n: int, seeds: Sequence[int], seconds: float) -> Iterator[dict[str, Any]]:
    """Repair of a plan in which every tenth grid left the band, moving as few households as can be."""
    broken, ratios, took = [], [], []
    for seed in seeds:
        town = instance_of(n, seed)
        later = outgrown(town, redraw(town, seed=seed, seconds=seconds).plan, seed)
        later = later.with_weights(moved=1, compactness=0.01)
        started = time.perf_counter()
        mended = redraw(later, seed=seed, seconds=seconds)
        took.append(time.perf_counter() - started)
        found = measure(later, mended.plan)
        broken.append(int(((found.grids.status != 0) | (found.grids.pieces > 1)).sum()))
        ratios.append((found.score.parts["moved"], fewest_moved(later)))
    name = f"{n} blocks, every tenth grid out of band: mended"
    yield {"metric": f"{name}: grids still wrong", "value": max(broken), "bar": "<= 0"}
    moved, fewest = max(ratios, key=lambda pair: pair[0] / pair[1])
    yield {
        "metric": f"{name}: households moved", "value": moved, "peer": "lower bound", "peer_value": fewest,
        "ratio": moved / fewest,
    }  # fmt: skip
    yield {"metric": f"{name}: wall time", "value": max(took), "unit": "s", "bar": f"<= {seconds:g}"}
