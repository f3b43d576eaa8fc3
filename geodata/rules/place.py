"""R05: a grid lies in one community, and its code says which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.misfits import misfit_results
from geodata.rules.repair import mended
from geodata.rules.result import Result


def r05_one_community(ctx: Context) -> Iterator[Result]:
    """Every unit of a grid, and its drawn ground, lies in the grid's community; its code begins with that one's."""
    home = ctx.view.grids.community
    for grid in ctx.pick(home < 0):
        yield ctx.found("R05", Severity.ERROR, "R05_NO_COMMUNITY", grid=grid, value=0, limit=1)
    yield from _foreign_units(ctx)
    yield from _prefixes(ctx)
    yield from _drawn_outside(ctx)
    yield from misfit_results(ctx, "R05")


def _foreign_units(ctx: Context) -> Iterator[Result]:
    units, home = ctx.view.units, ctx.view.grids.community
    held = ctx.view.units.grid >= 0
    foreign = held & (units.community != np.append(home, -1)[units.grid]) & (np.append(home, -1)[units.grid] >= 0)
    for grid in np.unique(units.grid[foreign]).tolist():
        here = np.flatnonzero(foreign & (units.grid == grid))
        others = np.unique(units.community[here]).tolist()
        area_m2 = ctx.area_m2[here].sum()
        yield ctx.found(
            "R05",
            Severity.ERROR,
            "R05_OTHER_COMMUNITY",
            grid=grid,
            value=area_m2,
            limit=0,
            geometry=ctx.union(here),
            units=len(here),
            households=units.households[here].sum(),
            area_m2=area_m2,
            others=[ctx.community_label(other) for other in others],
        )


def _prefixes(ctx: Context) -> Iterator[Result]:
    home, length = ctx.view.grids.community, ctx.profile.code.prefix_length
    prefix = np.array([str(code or "")[:length] for code in ctx.view.grids.code], dtype=str)
    codes = [str(code)[:length] for code in ctx.view.communities.code]
    wanted = np.array([*codes, ""], dtype=str)[home]
    given = np.array([bool(code) for code in ctx.view.grids.code], dtype=bool)
    for grid in ctx.pick((home >= 0) & given & (prefix != wanted)):
        params: dict[str, Any] = {"code_": str(ctx.view.grids.code[grid]), "prefix": str(wanted[grid])}
        yield ctx.found("R05", Severity.ERROR, "R05_PREFIX", grid=grid, **params)


def _drawn_outside(ctx: Context) -> Iterator[Result]:
    given, ground, home = ctx.view.grids.geometry, ctx.view.communities.geometry, ctx.view.grids.community
    if given is None or ground is None:
        return
    suspects = np.fromiter(ctx.pick(ctx.drawn & (home >= 0)), dtype=np.int64)
    outside = shapely.difference(mended(given[suspects]), mended(ground[home[suspects]]))
    area_m2 = shapely.area(outside)
    for k in np.flatnonzero(area_m2 > ctx.profile.data.sliver_m2).tolist():
        yield ctx.found(
            "R05",
            Severity.ERROR,
            "R05_OUTSIDE",
            grid=int(suspects[k]),
            value=area_m2[k],
            limit=0,
            geometry=outside[k],
            area_m2=area_m2[k],
        )
