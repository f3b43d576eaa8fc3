"""R06: a grid is one piece, and has a hole only where a special-purpose grid fills it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry import Polygon

from geodata.adjacency import components
from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.misfits import misfit_results
from geodata.rules.result import Result
from geodata.rules.view import Ints


def r06_one_piece(ctx: Context) -> Iterator[Result]:
    """One piece by shared borders (a common point does not join), holes only around special-purpose grids."""
    for grid in ctx.pick((ctx.size == 0) & ~ctx.micro):
        yield ctx.found("R06", Severity.ERROR, "R06_NO_UNITS", grid=grid, value=0, limit=1)
    yield from _torn(ctx, ctx.top, ctx.pieces, ~ctx.micro)
    if ctx.micro.any():
        leaf, (i, j, *_) = ctx.view.units.grid, ctx.borders
        together = (leaf[i] == leaf[j]) & (leaf[i] >= 0)
        yield from _torn(ctx, leaf, components(len(leaf), i[together], j[together]), ctx.micro)
    yield from _holes(ctx)
    yield from misfit_results(ctx, "R06")


def _torn(ctx: Context, holder: Ints, piece: Ints, level: np.ndarray) -> Iterator[Result]:
    """Grids of one level in several pieces; the geometry is all but the largest piece."""
    held = holder >= 0
    pairs = np.unique(np.stack([holder[held], piece[held]]), axis=1)
    count = np.bincount(pairs[0], minlength=ctx.n_grids) if pairs.size else np.zeros(ctx.n_grids, dtype=np.int64)
    for grid in ctx.pick((count > 1) & level):
        units = ctx.units_of(grid)
        apart = ctx.apart(units, piece)
        yield ctx.found(
            "R06",
            Severity.ERROR,
            "R06_PIECES",
            grid=grid,
            value=count[grid],
            limit=1,
            geometry=ctx.union(apart),
            reason=_island_reason(ctx, grid, units, int(count[grid])),
            pieces=count[grid],
            households=ctx.view.units.households[apart].sum(),
            area_m2=ctx.area_m2[apart].sum(),
        )


def _island_reason(ctx: Context, grid: int, units: Ints, pieces: int) -> str | None:
    """Each piece is a whole island of the community, and all but the largest hold too few households alone."""
    islands = np.unique(ctx.islands[units])
    low = int(ctx.limits[grid, 0])
    whole = len(islands) == pieces and np.isin(ctx.islands, islands).sum() == len(units)
    few = np.sort(ctx.island_households[islands])[:-1] < low
    return "R06_REASON_ISLANDS" if whole and few.all() else None


def _holes(ctx: Context) -> Iterator[Result]:
    parts, owner = shapely.get_parts(ctx.polygons, return_index=True)
    pierced = shapely.get_num_interior_rings(parts) > 0
    if not pierced.any():
        return
    inside_points = shapely.STRtree(shapely.point_on_surface(ctx.geometry).tolist())
    community = ctx.view.units.community
    special = np.append(ctx.special, False)[ctx.top]
    for part, grid in zip(parts[pierced], owner[pierced].tolist(), strict=True):
        for ring in part.interiors:
            hole = Polygon(ring)
            if hole.area <= ctx.profile.data.sliver_m2:
                continue
            filling = inside_points.query(hole, predicate="contains")
            filling = filling[community[filling] == ctx.view.grids.community[grid]]
            if len(filling) and special[filling].all():
                continue
            yield ctx.found(
                "R06",
                Severity.ERROR,
                "R06_HOLE",
                grid=grid,
                value=hole.area,
                limit=0,
                geometry=hole,
                reason=None if len(filling) else "R06_REASON_ENCLAVE",
                area_m2=hole.area,
            )
