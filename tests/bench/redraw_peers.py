"""The peers of the redraw engine, each with the settings that served it best on these towns.

``python -m tests.bench.redraw_peers PEER N SEED AIM SECONDS`` draws one plan in a process of its own and prints its
labels and the seconds it took, imports and the making of the town not counted. ``AIM``: ``shape`` or ``cut_edges``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Floats, Instance, Ints
from geodata.synth.cells import cells

BAND = Band(300, 500)
START_S = 30  # imports and the town, beside the seconds a peer is given


class Drawn(NamedTuple):
    """A peer's plan (n,) and the seconds it took."""

    plan: Ints
    seconds: float


def instance_of(n: int, seed: int) -> Instance:
    """The task that engine and peers are given: a town of ``n`` blocks, nothing drawn yet."""
    return Instance.of(cells(n, seed).units, BAND)


def draw(peer: str, n: int, seed: int, aim: str, seconds: float) -> Drawn | None:
    """The plan of ``peer`` for town ``seed``, or None if it is not done in ``seconds``."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, peer, str(n), str(seed), aim, str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + START_S)
    except subprocess.TimeoutExpired:
        return None
    told = json.loads(done.stdout.splitlines()[-1])
    return Drawn(np.array(told["plan"], dtype=np.int64), told["seconds"])


def metis_bisection(instance: Instance, seed: int, aim: str, seconds: float) -> Ints:
    """Recursive bisection; it has no option for pieces that hold together."""
    households = int(instance.units.households.sum())
    return _metis(instance, aim, round(households / BAND.middle), recursive=True, ufactor=30, seed=seed)


def metis_k_way(instance: Instance, seed: int, aim: str, seconds: float) -> Ints:
    """K-way with pieces in one: the best of plans with more and fewer grids, more and less room below the maximum."""
    found = []
    for mean in (385, 395, 405) if aim == "shape" else range(415, 475, 10):
        grids = max(round(int(instance.units.households.sum()) / mean), 1)
        for share in (0.8, 1.0):
            room = int(1000 * (BAND.households_max / mean - 1) * share)
            plan = _metis(instance, aim, grids, ufactor=room, contig=1, ncuts=4, seed=seed)
            found.append((_badness(instance, plan, aim), len(found), plan))
    return min(found, key=lambda item: item[:2])[2]


def tree(instance: Instance, seed: int, aim: str, seconds: float) -> Ints:
    """GerryChain's recursive tree: grids are cut off random spanning trees one by one."""
    assignment = _recursive_tree(_gerry_graph(instance), instance, BAND.middle, seed)
    return np.array([assignment[unit] for unit in range(len(instance.units))], dtype=np.int64)


def recom(instance: Instance, seed: int, aim: str, seconds: float) -> Ints:
    """GerryChain's ReCom in short bursts, each from the best plan so far, until ``seconds`` are over."""
    from functools import partial

    from gerrychain import GeographicPartition
    from gerrychain.constraints import Bounds
    from gerrychain.metrics import polsby_popper
    from gerrychain.optimization import SingleMetricOptimizer
    from gerrychain.proposals import recom as step
    from gerrychain.updaters import Tally

    end = time.perf_counter() + seconds
    graph = _gerry_graph(instance)
    start = GeographicPartition(
        graph,
        _recursive_tree(graph, instance, BAND.middle if aim == "shape" else 440, seed),
        updaters={"households": Tally("households", alias="households")},
    )
    middle, reach = BAND.middle, BAND.households_max / BAND.middle - 1
    search = SingleMetricOptimizer(
        partial(step, pop_col="households", pop_target=middle, epsilon=reach),
        Bounds(lambda plan: plan["households"].values(), (BAND.households_min, BAND.households_max)),
        start,
        (lambda plan: float(np.mean(list(polsby_popper(plan).values()))))
        if aim == "shape"
        else (lambda plan: len(plan["cut_edges"])),
        maximize=aim == "shape",
        rng=seed,
    )
    for _ in search.short_bursts(10, 10**9):
        if time.perf_counter() > end:
            break
    best = search.best_part.assignment
    return np.array([best[unit] for unit in range(len(instance.units))], dtype=np.int64)


def max_p(instance: Instance, seed: int, aim: str, seconds: float) -> Ints:
    """spopt's Max-P: as many grids of at least the minimum as possible, alike in where they lie."""
    import geopandas as gpd
    from libpysal.weights import W
    from spopt.region import MaxPHeuristic

    units = instance.units
    frame = gpd.GeoDataFrame(
        {"x": units.xy_m[:, 0], "y": units.xy_m[:, 1], "households": units.households},
        geometry=gpd.points_from_xy(*units.xy_m.T),
    )
    near: dict[int, list[int]] = {unit: [] for unit in range(len(units))}
    for i, j in zip(units.borders.i.tolist(), units.borders.j.tolist(), strict=True):
        near[i].append(j)
        near[j].append(i)
    np.random.seed(seed)  # what Max-P draws from
    model = MaxPHeuristic(frame, W(near, silence_warnings=True), ["x", "y"], "households", BAND.households_min)
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


PEERS: dict[str, Callable[[Instance, int, str, float], Ints]] = {
    "METIS recursive bisection": metis_bisection,
    "METIS k-way, swept": metis_k_way,
    "gerrychain recursive tree": tree,
    "gerrychain ReCom bursts": recom,
    "spopt Max-P": max_p,
}


def _metis(instance: Instance, aim: str, grids: int, *, recursive: bool = False, **options: int) -> Ints:
    import pymetis

    units, borders = instance.units, instance.units.borders
    weight = np.ones(len(borders.i)) if aim == "cut_edges" else np.maximum(borders.length_m * 10, 1)
    here, there = np.concatenate([borders.i, borders.j]), np.concatenate([borders.j, borders.i])
    order = np.argsort(here, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(here, minlength=len(units)))])
    _, labels = pymetis.part_graph(
        grids,
        pymetis.CSRAdjacency(starts, there[order]),
        vweights=units.households,
        eweights=np.tile(weight.round().astype(np.int64), 2)[order],
        recursive=recursive,
        options=pymetis.Options(**options),
    )
    return np.asarray(labels, dtype=np.int64)


def _badness(instance: Instance, plan: Ints, aim: str) -> tuple[float, float]:
    """Share of grids out of the band or in pieces, then what is aimed at."""
    measured = measure(instance, plan)
    grids = measured.grids
    broken = float(((grids.status != 0) | (grids.pieces > 1)).mean())
    return broken, measured.score.parts["cut_edges"] if aim == "cut_edges" else -float(grids.polsby_popper.mean())


def _gerry_graph(instance: Instance) -> Any:
    import networkx
    from gerrychain import Graph

    units, borders = instance.units, instance.units.borders
    graph = networkx.Graph()
    rim_m = _rim_m(instance)
    for unit, (households, area_m2) in enumerate(zip(units.households.tolist(), units.area_m2.tolist(), strict=True)):
        on_rim = bool(rim_m[unit] > 1e-3)
        graph.add_node(
            unit, households=households, area=area_m2, boundary_node=on_rim, boundary_perim=float(rim_m[unit])
        )
    pairs = zip(borders.i.tolist(), borders.j.tolist(), borders.length_m.tolist(), strict=True)
    graph.add_edges_from((i, j, {"shared_perim": length_m}) for i, j, length_m in pairs)
    return Graph.from_networkx(graph)


def _rim_m(instance: Instance) -> Floats:
    """Outline of the town in each unit, in metres (n,)."""
    units, borders = instance.units, instance.units.borders
    inner_m = sum(np.bincount(side, borders.length_m, len(units)) for side in (borders.i, borders.j))
    return np.asarray(units.perimeter_m - inner_m, dtype=np.float64)


def _recursive_tree(graph: Any, instance: Instance, mean: float, seed: int) -> dict[int, int]:
    from gerrychain.partition.initial_partition_generators import recursive_tree_part

    households = int(instance.units.households.sum())
    grids = round(households / mean)
    target = households / grids
    reach = min(BAND.households_max / target - 1, 1 - BAND.households_min / target)
    labels: dict[int, int] = recursive_tree_part(graph, range(grids), target, "households", reach, rng=seed)
    return labels


def main() -> None:
    peer, n, seed, aim, seconds = sys.argv[1:]
    instance = instance_of(int(n), int(seed))
    started = time.perf_counter()
    plan = PEERS[peer](instance, int(seed), aim, float(seconds))
    print(json.dumps({"seconds": time.perf_counter() - started, "plan": plan.tolist()}))


if __name__ == "__main__":
    main()
