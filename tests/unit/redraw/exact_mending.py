"""A town whose plan left the band in places, and the fewest households that must move there, by the exact solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geodata.redraw.engine import redraw
from geodata.redraw.measure import tabulate
from geodata.redraw.model import Borders, Instance, Units, Weights
from tests.unit.redraw.oracle import optimum
from tests.unit.redraw.towns import town

SHARE_OUT = 0.1
ONLY_MOVED = Weights(moved=1, compactness=0, open_border=0, torn=0, compounds=0)


def outgrown_town(seed: int, n: int = 400, units_per_grid: float = 3.5) -> Instance:
    """A town in the band, drawn by the engine, of which up to a tenth of the grids is then out of it, far apart.

    No grid lies beside two of them: each is a cluster with its neighbours, and clusters share no grid. Half are below
    the band by 10 to 80 households, half above it.
    """
    before = town(seed, n, units_per_grid=units_per_grid)
    start = np.unique(redraw(before, seed=seed, moves=2_000_000).plan, return_inverse=True)[1]
    near, rng, band = neighbours(before, start), np.random.default_rng(seed), before.bands[0]
    assert (tabulate(before, start).status == 0).all()
    households, held = before.units.households.copy(), np.bincount(start, before.units.households)
    chosen: list[int] = []
    taken: set[int] = set()
    for grid in rng.permutation(len(near)).tolist():
        if not taken & {grid, *near[grid]} and len(chosen) < round(SHARE_OUT * len(near)):
            chosen.append(grid)
            taken |= {grid, *near[grid]}
            by = int(rng.integers(10, 81))
            goal = band.households_max + by if len(chosen) % 2 else band.households_min - by
            inside = start == grid
            households[inside] = np.maximum(np.round(households[inside] * goal / held[grid]), 1)
    return Instance.of(replace(before.units, households=households), band, start=start)


def out_of_band(instance: Instance) -> list[int]:
    """Grids of the start plan that are out of the band."""
    grids = tabulate(instance, instance.start)
    return [int(grid) for grid in grids.grid[grids.status != 0]]


def fewest_by_cluster(instance: Instance) -> float:
    """Households that move at the least if every grid out of the band is mended among its neighbours alone."""
    near = neighbours(instance, instance.start)
    total = 0.0
    for grid in out_of_band(instance):
        best = optimum(cluster(instance, [grid, *sorted(near[grid])]))
        assert best.excess == 0, f"grid {grid} cannot be mended among its neighbours"
        total += best.total
    return total


def neighbours(instance: Instance, plan: np.ndarray) -> dict[int, set[int]]:
    """Grids beside each grid."""
    borders = instance.units.borders
    near: dict[int, set[int]] = {int(grid): set() for grid in np.unique(plan)}
    for one, other in zip(plan[borders.i].tolist(), plan[borders.j].tolist(), strict=True):
        if one != other:
            near[one].add(other)
            near[other].add(one)
    return near


def cluster(instance: Instance, grids: list[int]) -> Instance:
    """These grids as a task of their own, in which only moved households count."""
    units, borders = instance.units, instance.units.borders
    members = np.flatnonzero(np.isin(instance.start, grids))
    place = np.full(len(units), -1)
    place[members] = np.arange(len(members))
    inside = (place[borders.i] >= 0) & (place[borders.j] >= 0)
    own = Units.of(
        units.households[members],
        units.area_m2[members],
        units.perimeter_m[members],
        units.xy_m[members],
        Borders.plain(place[borders.i[inside]], place[borders.j[inside]], borders.length_m[inside]),
    )
    start = np.unique(instance.start[members], return_inverse=True)[1]
    return Instance.of(own, instance.bands, start=start, weights=ONLY_MOVED)
