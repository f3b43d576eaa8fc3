"""R07 buildings and R08 compounds that a grid border cuts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.misfits import misfit_results
from geodata.rules.repair import mended
from geodata.rules.result import Result
from geodata.rules.view import Buildings


def r07_buildings_whole(ctx: Context) -> Iterator[Result]:
    """No footprint with more than a sliver in each of two grids of a community; points cannot be cut."""
    yield from misfit_results(ctx, "R07")
    buildings = ctx.view.buildings
    if buildings is None:
        yield ctx.unchecked("R07", "R07_NO_BUILDINGS")
    elif not (shapely.get_dimensions(buildings.geometry) == 2).any():
        if len(buildings):
            yield ctx.unchecked("R07", "R07_ONLY_POINTS")
    else:
        yield from _cut_buildings(ctx, buildings)


def _cut_buildings(ctx: Context, buildings: Buildings) -> Iterator[Result]:
    inner, top = ctx.inner, ctx.top
    flat = np.flatnonzero(shapely.get_dimensions(buildings.geometry) == 2)
    shapes = mended(buildings.geometry[flat])
    touching, border = shapely.STRtree(inner.lines().tolist()).query(shapes, predicate="intersects")
    pairs = np.unique(
        np.stack([np.tile(touching, 2), np.concatenate([inner.i[border], inner.j[border]])], axis=1), axis=0
    )
    shape, unit = pairs.T
    inside_m2 = shapely.area(shapely.intersection(shapes[shape], ctx.geometry[unit]))
    keys, inverse = np.unique(shape * ctx.n_grids + top[unit], return_inverse=True)
    share_m2 = np.bincount(inverse, weights=inside_m2)
    real = share_m2 > ctx.profile.data.sliver_m2
    shape, grid, share_m2 = keys[real] // max(ctx.n_grids, 1), keys[real] % max(ctx.n_grids, 1), share_m2[real]
    order = np.lexsort((-share_m2, shape))
    shape, grid, share_m2 = shape[order], grid[order], share_m2[order]
    follows = np.flatnonzero(shape[1:] == shape[:-1]) + 1  # the second and further grids of a building
    first = np.searchsorted(shape, shape[follows])
    for k, owner in zip(follows.tolist(), first.tolist(), strict=True):
        building = int(flat[shape[k]])
        yield ctx.found(
            "R07",
            Severity.ERROR,
            "R07_CUT",
            grid=int(grid[owner]),
            value=share_m2[k],
            limit=0,
            geometry=shapes[shape[k]],
            area_m2=share_m2[k],
            other=ctx.grid_label(int(grid[k])),
            households=int(buildings.households[building]),
        )


def r08_compounds_whole(ctx: Context) -> Iterator[Result]:
    """No compound in two grids of a community, unless it is over the upper bound alone."""
    yield from misfit_results(ctx, "R08")
    units, compounds = ctx.view.units, ctx.view.compounds
    if units.compound is None or compounds is None:
        yield ctx.unchecked("R08", "R08_NO_COMPOUNDS")
        return
    held = np.flatnonzero((units.compound >= 0) & (ctx.top >= 0))
    key = units.compound[held] * np.int64(len(ctx.view.communities) + 1) + units.community[held] + 1
    order = np.argsort(key, kind="stable")
    for members in np.split(held[order], np.flatnonzero(np.diff(key[order])) + 1) if len(held) else ():
        grids = np.unique(ctx.top[members])
        if len(grids) < 2:
            continue
        weight = np.bincount(np.searchsorted(grids, ctx.top[members]), weights=units.households[members])
        owner = int(grids[weight.argmax()])
        compound = int(units.compound[members[0]])
        households = max(int(compounds.households[compound]), int(weight.sum()))
        high = int(ctx.limits[owner, 1])
        if 0 <= high < households:
            continue
        yield ctx.found(
            "R08",
            Severity.WARNING,
            "R08_SPLIT",
            grid=owner,
            value=len(grids),
            limit=1,
            geometry=ctx.union(members),
            name=str(compounds.name[compound] or ""),
            count=len(grids),
            households=households,
            others=[ctx.grid_label(int(grid)) for grid in grids],
        )
