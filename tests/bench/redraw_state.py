"""What an editor's hand feels: how long one move takes, and how long three repairs of a grid take to be found."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from geodata.redraw.begin import begin
from geodata.redraw.engine import redraw
from geodata.redraw.ground import lay_out
from geodata.redraw.heal import heal
from geodata.redraw.measure import tabulate
from geodata.redraw.state import State
from tests.bench.redraw_edits import outgrown
from tests.bench.redraw_peers import instance_of

MOVES = 10_000


def state_ms(n: int = 20_000, moves: int = MOVES, seed: int = 1) -> dict[str, float]:
    """Median, 95th percentile and worst time in milliseconds of random moves, every fifth one an undo."""
    instance = instance_of(n, seed)
    state = State(instance, begin(lay_out(instance), np.random.default_rng(seed)))
    rng, borders = np.random.default_rng(seed), instance.units.borders
    edges = rng.integers(len(borders.i), size=moves)
    took_ms = np.empty(moves)
    for at, edge in enumerate(edges.tolist()):
        unit, to = int(borders.i[edge]), int(state.plan[borders.j[edge]])
        if at % 20 == 19:
            to = state.new_grid
        began = time.perf_counter()
        if at % 5 == 4:
            state.undo()
        else:
            state.move([unit], to)
        took_ms[at] = 1000 * (time.perf_counter() - began)
    took_ms.sort()
    return {
        "median_ms": float(np.median(took_ms)),
        "p95_ms": float(np.quantile(took_ms, 0.95)),
        "worst_ms": float(took_ms[-1]),
    }


def state_rows(n: int = 20_000) -> list[dict[str, Any]]:
    """The bar of the issue for moves in the editor."""
    took = state_ms(n)
    name = f"{n} units, {n // 10} grids: one move or undo with all figures"
    return [
        {"metric": f"{name}, median", "value": took["median_ms"], "unit": "ms"},
        {"metric": f"{name}, 95th percentile", "value": took["p95_ms"], "unit": "ms", "bar": "<= 1"},
    ]


def heal_ms(n: int = 5_000, seed: int = 1, seconds: float = 3.0) -> dict[str, float]:
    """Every tenth grid out of the band, repaired one after the other: times in milliseconds, and grids still wrong."""
    town = instance_of(n, seed)
    later = outgrown(town, redraw(town, seed=seed, seconds=seconds).plan, seed)
    plan, took_ms = later.start, []
    heal(later, plan, 0)  # loads the compiled kernels
    grids = tabulate(later, plan)
    for grid in grids.grid[grids.status > 0].tolist():
        began = time.perf_counter()
        repairs = heal(later, plan, grid).repairs if (plan == grid).any() else []
        took_ms.append(1000 * (time.perf_counter() - began))
        plan = repairs[0].plan if repairs else plan
    after = tabulate(later, plan)
    return {
        "median_ms": float(np.median(took_ms)),
        "p95_ms": float(np.quantile(took_ms, 0.95)),
        "worst_ms": float(max(took_ms)),
        "still_wrong": float(((after.status > 0) | (after.pieces > 1)).sum()),
    }


def heal_rows(n: int = 5_000) -> list[dict[str, Any]]:
    """The bar of the issue for repairs."""
    took = heal_ms(n)
    name = f"{n} units: three repairs of a grid out of the band"
    return [
        {"metric": f"{name}, median", "value": took["median_ms"], "unit": "ms", "bar": "<= 200"},
        {"metric": f"{name}, 95th percentile", "value": took["p95_ms"], "unit": "ms"},
        {"metric": f"{name}, grids still wrong in the end", "value": took["still_wrong"], "bar": "<= 0"},
    ]
