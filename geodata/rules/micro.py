"""R16: micro-grids tile the grid they lie in, and their sums agree with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.repair import given_rows, mended
from geodata.rules.result import Result


def r16_micro_grids(ctx: Context) -> Iterator[Result]:
    """Every micro-grid has a parent in its community; a divided grid is divided wholly, no micro-grid is empty."""
    if not ctx.micro.any():
        return
    given = ctx.view.grids.parent
    parent = np.full(ctx.n_grids, -1) if given is None else given
    real = (parent >= 0) & (parent < ctx.n_grids) & ~np.append(ctx.micro, True)[np.clip(parent, -1, ctx.n_grids)]
    for grid in ctx.pick(ctx.micro & ~real):
        yield ctx.found("R16", Severity.ERROR, "R16_NO_PARENT", grid=grid)
    home = ctx.view.grids.community
    for grid in ctx.pick(ctx.micro & real & (home[parent] != home)):
        yield ctx.found(
            "R16", Severity.ERROR, "R16_OTHER_COMMUNITY", grid=grid, parent=ctx.grid_label(int(parent[grid]))
        )
    for grid in ctx.pick(ctx.micro & real & (ctx.size == 0)):
        yield ctx.found("R16", Severity.ERROR, "R16_EMPTY", grid=grid, parent=ctx.grid_label(int(parent[grid])))
    divided = np.zeros(ctx.n_grids, dtype=bool)
    divided[parent[ctx.micro & real]] = True
    yield from _left_over(ctx, divided)
    yield from _outside(ctx, real)


def _left_over(ctx: Context, divided: np.ndarray) -> Iterator[Result]:
    leaf, units = ctx.view.units.grid, ctx.view.units
    direct = (leaf >= 0) & np.append(divided, False)[leaf]
    for grid in ctx.pick(np.bincount(leaf[direct], minlength=ctx.n_grids) > 0):
        members = np.flatnonzero(leaf == grid)
        households, total = int(units.households[members].sum()), int(ctx.households[grid])
        area_m2 = ctx.area_m2[members].sum()
        yield ctx.found(
            "R16",
            Severity.ERROR,
            "R16_LEFT_OVER",
            grid=grid,
            value=area_m2,
            limit=0,
            geometry=ctx.union(members),
            area_m2=area_m2,
            households=households,
            total=total,
            divided=total - households,
        )


def _outside(ctx: Context, real: np.ndarray) -> Iterator[Result]:
    """Drawn micro-grids that reach out of their parent."""
    given = ctx.view.grids.geometry
    if given is None:
        return
    for grid in ctx.pick(ctx.micro & real & given_rows(given)):
        above = int(ctx.parent[grid])
        ground = given[above] if given[above] is not None else ctx.union(ctx.units_of(above))
        inside, outer = mended(np.array([given[grid], ground], dtype=object))
        outside = shapely.difference(inside, outer)
        if outside.area > ctx.profile.data.sliver_m2:
            yield ctx.found(
                "R16",
                Severity.ERROR,
                "R16_OUTSIDE",
                grid=grid,
                value=outside.area,
                limit=0,
                geometry=outside,
                area_m2=outside.area,
                parent=ctx.grid_label(above),
            )
