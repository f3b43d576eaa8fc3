"""What an editor waits for: a move by hand, and the smallest change that mends a plan whose counts moved on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from geodata.redraw.engine import redraw
from geodata.redraw.heal import heal
from geodata.redraw.measure import measure, tabulate
from geodata.redraw.model import Instance, Ints
from geodata.redraw.state import State
from tests.bench.redraw_peers import BAND, instance_of, metis_bisection

SHARE_OUT = 0.1
MOVE_BAR_MS = 1
MOVES = 1_000
HEAL_BAR_MS = 200


def move_rows(n: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Single moves over borders between grids, each with the grids it touches and the totals."""
    town = instance_of(n, seed)
    state = State(town, metis_bisection(town, seed, "shape", 0))
    plan, borders = state.plan, town.units.borders
    between = np.flatnonzero(plan[borders.i] != plan[borders.j])
    tried = np.random.default_rng(seed).choice(between, MOVES)
    took: dict[str, list[float]] = {"allowed": [], "move": [], "undo": [], "status of a grid": []}
    for unit, grid in zip(borders.i[tried].tolist(), plan[borders.j[tried]].tolist(), strict=True):
        for name, act in (
            ("allowed", partial(state.allowed, [unit], grid)),
            ("move", partial(state.move, [unit], grid)),
            ("status of a grid", partial(state.grid, grid)),
            ("undo", state.undo),
        ):
            started = time.perf_counter()
            act()
            took[name].append(1000 * (time.perf_counter() - started))
    for name, times in took.items():
        for share, of, bar in ((0.5, "half", f"<= {MOVE_BAR_MS}"), (0.99, "99 of 100", None)):
            value = float(np.quantile(times[MOVES // 10 :], share))
            yield {"metric": f"{n} blocks, by hand: {name}, {of} within", "value": value, "unit": "ms", "bar": bar}


def heal_rows(n: int, seconds: float, seed: int = 1) -> Iterator[dict[str, Any]]:
    """The three smallest repairs of each grid that is out of the band, asked for one by one."""
    town = instance_of(n, seed)
    later = outgrown(town, redraw(town, seed=seed, seconds=seconds).plan, seed)
    before = tabulate(later, later.start)
    broken = before.grid[before.status != 0].tolist()
    heal(later, later.start, broken[0])  # loads the compiled kernels
    took, healed = [], 0
    for grid in broken:
        started = time.perf_counter()
        found = heal(later, later.start, grid)
        took.append(1000 * (time.perf_counter() - started))
        healed += any(not repair.left for repair in found.repairs)
    name = f"{n} blocks, {len(broken)} grids healed one by one"
    yield {"metric": f"{name}: with those beside them in band", "value": 100 * healed / len(broken), "unit": "%"}
    for share, of, bar in ((0.5, "half within", None), (1.0, "all within", f"<= {HEAL_BAR_MS}")):
        yield {"metric": f"{name}: {of}", "value": float(np.quantile(took, share)), "unit": "ms", "bar": bar}


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


def one_by_one(instance: Instance) -> Ints | None:
    """By hand: move after move, the smallest unit that brings a grid back and breaks none; None where this is stuck."""
    plan, borders, held = instance.start.copy(), instance.units.borders, instance.units.households
    here, there = np.concatenate([borders.i, borders.j]), np.concatenate([borders.j, borders.i])
    while True:
        before = tabulate(instance, plan)
        count = dict(zip(before.grid.tolist(), before.households.tolist(), strict=True))
        bad = set(before.grid[before.status != 0].tolist())
        if not bad:
            return plan
        moves = sorted(
            {(int(held[u]), int(u), int(plan[v])) for u, v in zip(here, there, strict=True) if plan[u] != plan[v]}
        )
        for households, unit, to in moves:
            source = int(plan[unit])
            after = count[source] - households, count[to] + households
            if {source, to} & bad and all(BAND.households_min <= one <= BAND.households_max for one in after):
                plan[unit] = to
                if (tabulate(instance, plan).pieces == 1).all():
                    break
                plan[unit] = source
        else:
            return None


def mending_rows(n: int, seeds: Sequence[int], seconds: float) -> Iterator[dict[str, Any]]:
    """Repair of a plan in which every tenth grid left the band, moving as few households as can be."""
    broken, moved, took = [], [], []
    for seed in seeds:
        town = instance_of(n, seed)
        later = outgrown(town, redraw(town, seed=seed, seconds=seconds).plan, seed)
        later = later.with_weights(moved=1, compactness=0.01)
        started = time.perf_counter()
        mended = redraw(later, seed=seed, seconds=seconds)
        took.append(time.perf_counter() - started)
        found = measure(later, mended.plan)
        broken.append(int(((found.grids.status != 0) | (found.grids.pieces > 1)).sum()))
        by_hand = one_by_one(later)
        hand = None if by_hand is None else measure(later, by_hand).score.parts["moved"]
        moved.append((found.score.parts["moved"], hand, fewest_moved(later)))
    name = f"{n} blocks, every tenth grid out of band: mended"
    yield {"metric": f"{name}: grids still wrong", "value": max(broken), "bar": "<= 0"}
    yield {"metric": f"{name}: wall time", "value": max(took), "unit": "s"}
    for peer, at in (("one unit after the other", 1), ("lower bound", 2)):
        pairs = [(each[0], each[at]) for each in moved if each[at]]
        if pairs:
            ours, theirs = max(pairs, key=lambda pair: pair[0] / pair[1])
            metric = f"{name}: households moved"
            yield {"metric": metric, "value": ours, "peer": peer, "peer_value": theirs, "ratio": ours / theirs}
