"""Small random towns for the redraw tests: Voronoi cells, lognormal households, groups, barriers, plans and locks."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.adjacency import adjacency
from geodata.redraw.model import Band, Borders, Instance, Ints, Units, Weights


def town(
    seed: int,
    n: int = 20,
    *,
    band: Band | None = None,
    units_per_grid: float = 5.0,
    empty: float = 0.0,
    giants: int = 0,
    groups: int = 1,
    barriers: bool = False,
    uncrossable: float = 0.0,
    population: bool = False,
    compounds: bool = False,
    start: bool = False,
    locked: float = 0.0,
    closed: int = 0,
    weights: Weights | None = None,
) -> Instance:
    """A random instance of ``n`` units of about ``units_per_grid`` units a grid (households scaled to the band).

    ``empty`` and ``uncrossable``: shares; ``giants``: units above the maximum alone; ``start``: a connected start plan,
    of which a share ``locked`` of the units and ``closed`` grids stay.
    """
    rng = np.random.default_rng(seed)
    band = band or Band(300, 500)
    cells, pairs = _cells(rng, n)
    mean = (band.households_min + band.households_max) / 2 / units_per_grid
    households = np.clip(rng.lognormal(np.log(mean) - 0.18, 0.6, n), 1, band.households_max).round().astype(np.int64)
    households[rng.random(n) < empty] = 0
    households[rng.permutation(n)[:giants]] = band.households_max + rng.integers(1, band.households_max, giants)
    people = (households * rng.uniform(1.5, 3.5, n)).round().astype(np.int64) if population else np.zeros(n, np.int64)
    m = len(pairs.i)
    barrier_m = pairs.border_m * (rng.random(m) < 0.4) if barriers else np.zeros(m)
    torn_m = barrier_m * (rng.random(m) < 0.3)
    borders = Borders(pairs.i, pairs.j, pairs.border_m, barrier_m, torn_m, rng.random(m) >= uncrossable)
    xy_m = shapely.get_coordinates(shapely.centroid(cells))
    units = Units.of(
        households,
        shapely.area(cells),
        shapely.length(cells),
        xy_m,
        borders,
        population=people,
        group=(xy_m[:, 0] * groups / 1000).astype(np.int64),
        compound=rng.integers(0, n // 3, n) * (rng.random(n) < 0.5) - 1 if compounds else np.full(n, -1),
    )
    plan = growth(units, rng, max(1, round(n / units_per_grid))) if start or locked or closed else None
    held = rng.random(n) < locked if plan is not None else np.zeros(n, dtype=bool)
    shut = rng.permutation(np.unique(plan))[:closed].tolist() if plan is not None else []
    return Instance.of(units, band, start=plan, locked=held, closed=shut, weights=weights)


def growth(units: Units, rng: np.random.Generator, grids: int) -> Ints:
    """A plan (n,) of connected grids grown at random from about ``grids`` seeds; every group has its own grids."""
    n = len(units)
    near: list[list[int]] = [[] for _ in range(n)]
    open_ = units.borders.crossable & (units.group[units.borders.i] == units.group[units.borders.j])
    for i, j in zip(units.borders.i[open_].tolist(), units.borders.j[open_].tolist(), strict=True):
        near[i].append(j)
        near[j].append(i)
    plan = np.full(n, -1, dtype=np.int64)
    seeds = rng.permutation(n)
    plan[seeds[:grids]] = np.arange(grids)
    number = grids
    while (plan < 0).any():
        edge = [(u, v) for u in range(n) if plan[u] < 0 for v in near[u] if plan[v] >= 0]
        if edge:
            u, v = edge[int(rng.integers(len(edge)))]
            plan[u] = plan[v]
        else:
            plan[np.flatnonzero(plan < 0)[0]] = number
            number += 1
    return np.unique(plan, return_inverse=True)[1].astype(np.int64)


def graph(households: list[int], pairs: list[tuple[int, int]], band: Band, **optional: object) -> Instance:
    """An instance of given neighbours: unit squares, each border as long as it can be; for chains, stars, islands."""
    n = len(households)
    i, j = np.array(sorted((min(p), max(p)) for p in pairs), dtype=np.int64).reshape(-1, 2).T
    columns = {name: optional.pop(name) for name in ("population", "group", "kind") if name in optional}
    borders = Borders.plain(i, j, np.full(len(i), 1.0))
    units = Units.of(households, np.ones(n), np.full(n, 4.0), np.arange(2 * n).reshape(n, 2), borders, **columns)
    return Instance.of(units, band, **optional)  # type: ignore[arg-type]


def _cells(rng: np.random.Generator, n: int) -> tuple[np.ndarray, object]:
    points = shapely.multipoints(rng.uniform(0, 1000, (n, 2)))
    box = shapely.box(0, 0, 1000, 1000)
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box, ordered=True))
    cells = shapely.intersection(cells, box)
    return cells, adjacency(cells, 0.01)
