"""Redrawing synthetic towns of 1,000 to 20,000 blocks from nothing, beside METIS, GerryChain and spopt in the same run.

``python -m tests.bench.bench_redraw [--sizes 1000 5000 20000] [--seeds 3] [--peer-seconds 60]``; by ``make`` with
``make bench NAME=redraw ARGS="--seeds 1"``. Every figure is that of the worst seed, which makes the town and steers the
search; slow peers get the first seed only. Compilation is not timed: the kernels are loaded before.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from geodata.redraw.engine import redraw
from geodata.redraw.measure import measure
from geodata.redraw.model import Floats, Instance, Ints
from geodata.redraw.result import Redrawn
from geodata.synth.cells import cells
from tests.bench.redraw_edits import heal_rows, mending_rows, move_rows
from tests.bench.redraw_peers import draw, instance_of
from tests.bench.report import write

#: Seconds for the first bar (mean Polsby-Popper .715) and for the second (.73), by number of blocks.
BUDGETS_S = {1_000: (1, 5), 5_000: (3, 15), 20_000: (15, 60)}
SHAPE_BARS = (0.715, 0.73)
CUT_EDGES_BAR, CUT_EDGES_S = 960, 10
#: Share of a budget that the search is given: what comes before and after it counts as well.
SEARCH_SHARE = 0.99
RSS_BAR_MB = 500
#: Where each peer is run: METIS everywhere and for every seed, the slow ones once in the smallest town.
QUICK_PEERS = ("METIS recursive bisection", "METIS k-way, swept")
SLOW_PEERS = ("gerrychain recursive tree", "gerrychain ReCom bursts", "spopt Max-P")

_PEAK_MB = """
import resource, sys
from geodata.redraw.engine import redraw
from tests.bench.redraw_peers import instance_of
redraw(instance_of(int(sys.argv[1]), 1), seed=1, seconds=float(sys.argv[2]))
print(sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024)
"""


class Seen(NamedTuple):
    """What a plan is worth: share of grids in the band and in one piece, in percent; mean Polsby-Popper; cut edges."""

    good_pct: float
    polsby_popper: float
    cut_edges: float
    seconds: float


def seen(instance: Instance, plan: Ints, seconds: float) -> Seen:
    """The figures of ``plan``, measured by plain NumPy for engine and peers alike."""
    measured = measure(instance, plan)
    grids = measured.grids
    good = (grids.status == 0) & (grids.pieces == 1)
    parts = measured.score.parts
    return Seen(100 * float(good.mean()), float(grids.polsby_popper.mean()), parts["cut_edges"], seconds)


def worst(several: Sequence[Seen]) -> Seen:
    """The worst of each figure."""
    return Seen(
        min(one.good_pct for one in several),
        min(one.polsby_popper for one in several),
        max(one.cut_edges for one in several),
        max(one.seconds for one in several),
    )


def run(instance: Instance, seed: int, seconds: float) -> tuple[Redrawn, Seen]:
    """One redraw by the clock on the wall."""
    started = time.perf_counter()
    drawn = redraw(instance, seed=seed, seconds=SEARCH_SHARE * seconds)
    took = time.perf_counter() - started
    figures = seen(instance, drawn.plan, took)
    print(f"{len(instance.units)} blocks, seed {seed}, {seconds:g} s: {figures}", file=sys.stderr, flush=True)
    return drawn, figures


def town_rows(n: int, seeds: Sequence[int], peer_s: float) -> Iterator[dict[str, Any]]:
    """Both bars of one size of town, the peers, and what the search tells of itself."""
    towns = [instance_of(n, seed) for seed in seeds]
    drawn: list[Redrawn] = []
    first: Seen | None = None
    for budget_s, bar in zip(BUDGETS_S[n], SHAPE_BARS, strict=True):
        runs = [run(town, seed, budget_s) for town, seed in zip(towns, seeds, strict=True)]
        drawn = [one for one, _ in runs]
        figures = worst([figures for _, figures in runs])
        first = first or figures
        name = f"{n} blocks in {budget_s} s"
        yield {"metric": f"{name}: in band, one piece", "value": figures.good_pct, "unit": "%", "bar": ">= 100"}
        yield {"metric": f"{name}: mean Polsby-Popper", "value": figures.polsby_popper, "bar": f">= {bar:g}"}
        yield {"metric": f"{name}: wall time", "value": figures.seconds, "unit": "s", "bar": f"<= {budget_s}"}
    assert first is not None
    for peer in QUICK_PEERS:
        plans = [draw(peer, n, seed, "shape", peer_s) for seed in seeds]
        yield from _beside(n, first, peer, towns, plans, peer_s)
    if n == min(BUDGETS_S):
        for peer in SLOW_PEERS:
            yield from _beside(n, first, peer, towns[:1], [draw(peer, n, seeds[0], "shape", peer_s)], peer_s)
    per_s = min(one.moves_per_second for one in drawn)
    yield {"metric": f"{n} blocks: moves tried a second", "value": per_s, "unit": "1/s"}
    for size in (2, 3):
        told = [kind for one in drawn for kind in one.certificates if kind.size == size and kind.neighbourhoods]
        if told:
            value = 100 * min(kind.proved / kind.neighbourhoods for kind in told)
            yield {"metric": f"{n} blocks: sets of {size} grids proved best", "value": value, "unit": "%"}
    off = max(
        float(np.abs(dissolved(n, seed, one.plan) - one.measured.grids.polsby_popper).max())
        for seed, one in zip(seeds, drawn, strict=True)
    )
    yield {
        "metric": f"{n} blocks: a grid's Polsby-Popper off from its dissolved polygon's",
        "value": off,
        "bar": "<= 1e-6",
    }


def dissolved(n: int, seed: int, plan: Ints) -> Floats:
    """Polsby-Popper of each grid (k,) as a polygon dissolved by GEOS: shares nothing with the engine's borders."""
    polygons = cells(n, seed).polygons
    shapes = np.array([shapely.union_all(polygons[plan == grid]) for grid in np.unique(plan)])
    return np.asarray(4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2, dtype=np.float64)


def _beside(
    n: int, ours: Seen, peer: str, towns: Sequence[Instance], plans: Sequence[Any], peer_s: float
) -> Iterator[dict[str, Any]]:
    """Our first bar's figures beside the peer's worst."""
    if any(plan is None for plan in plans):
        yield {"metric": f"{n} blocks: not done in {peer_s:g} s", "peer": peer}
        return
    theirs = worst([seen(town, plan.plan, plan.seconds) for town, plan in zip(towns, plans, strict=True)])
    print(f"{n} blocks, {peer}: {theirs}", file=sys.stderr, flush=True)
    for metric, unit, mine, its in (
        ("in band, one piece", "%", ours.good_pct, theirs.good_pct),
        ("mean Polsby-Popper", None, ours.polsby_popper, theirs.polsby_popper),
        ("wall time", "s", ours.seconds, theirs.seconds),
    ):
        name = f"{n} blocks: {metric}"
        yield {"metric": name, "value": mine, "unit": unit, "peer": peer, "peer_value": its, "ratio": mine / its}


def cut_edge_rows(n: int, seeds: Sequence[int], peer_s: float) -> Iterator[dict[str, Any]]:
    """Cut edges instead of compactness."""
    towns = [instance_of(n, seed).with_weights(compactness=0, cut_edges=1) for seed in seeds]
    ours = worst([run(town, seed, CUT_EDGES_S)[1] for town, seed in zip(towns, seeds, strict=True)])
    name = f"{n} blocks in {CUT_EDGES_S} s: cut edges"
    yield {"metric": name, "value": ours.cut_edges, "bar": f"<= {CUT_EDGES_BAR}"}
    yield {"metric": f"{name}: in band, one piece", "value": ours.good_pct, "unit": "%", "bar": ">= 100"}
    for peer, of_seeds in (("METIS k-way, swept", len(seeds)), ("gerrychain ReCom bursts", 1)):
        plans = [draw(peer, n, seed, "cut_edges", peer_s) for seed in seeds[:of_seeds]]
        done = [seen(towns[at], it.plan, it.seconds) for at, it in enumerate(plans) if it is not None]
        if len(done) < of_seeds:
            yield {"metric": f"{name}: not done in {peer_s:g} s", "peer": peer}
            continue
        its = worst(done)
        print(f"{n} blocks, {peer}, cut edges: {its}", file=sys.stderr, flush=True)
        peer = f"{peer}, {its.seconds:.3g} s, {its.good_pct:.4g} % good"
        ratio = ours.cut_edges / its.cut_edges
        yield {"metric": name, "value": ours.cut_edges, "peer": peer, "peer_value": its.cut_edges, "ratio": ratio}


def memory_row(n: int) -> dict[str, Any]:
    """Peak resident memory of a process that makes a town and redraws it."""
    command = [sys.executable, "-c", _PEAK_MB, str(n), str(BUDGETS_S[n][0])]
    peak_mb = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    bar = f"<= {RSS_BAR_MB}" if n == max(BUDGETS_S) else None
    return {"metric": f"{n} blocks: peak resident memory", "value": peak_mb, "unit": "MB", "bar": bar}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", choices=sorted(BUDGETS_S), default=sorted(BUDGETS_S))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-seconds", type=float, default=60, help="what each peer is given")
    args = parser.parse_args()
    seeds = range(1, args.seeds + 1)
    redraw(instance_of(300, 0), seed=0, seconds=1)  # loads the compiled kernels
    rows = [row for n in args.sizes for row in town_rows(n, seeds, args.peer_seconds)]
    if min(BUDGETS_S) in args.sizes:
        rows += cut_edge_rows(min(BUDGETS_S), seeds, args.peer_seconds)
    rows.append(memory_row(max(args.sizes)))
    rows += move_rows(max(args.sizes))
    rows += heal_rows(sorted(args.sizes)[len(args.sizes) // 2], 3)
    rows += mending_rows(min(args.sizes), seeds, BUDGETS_S[min(args.sizes)][1])
    write("redraw", rows)


if __name__ == "__main__":
    main()
