"""R09: borders between grids follow roads, water, railways and walls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry import MultiLineString

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.misfits import misfit_results
from geodata.rules.nearness import share_near
from geodata.rules.result import Result


def r09_follows_barriers(ctx: Context) -> Iterator[Result]:
    """Share of the border with other grids of the same community that lies near a barrier; tunnels do not count."""
    yield from misfit_results(ctx, "R09")
    barriers, limits = ctx.view.barriers, ctx.profile.borders
    if barriers is None:
        yield ctx.unchecked("R09", "R09_NO_BARRIERS")
        return
    inner, top = ctx.inner, ctx.top
    asked = np.append(ctx.wanted, False)
    inner = inner.take(asked[top[inner.i]] | asked[top[inner.j]])
    near = share_near(inner, barriers.geometry[~barriers.tunnel], limits.distance_m, limits.distance_m / 2)
    length_m = inner.length_m
    total_m, near_m = np.zeros(ctx.n_grids), np.zeros(ctx.n_grids)
    for sides in (top[inner.i], top[inner.j]):
        np.add.at(total_m, sides, length_m)
        np.add.at(near_m, sides, length_m * near)
    share = np.divide(near_m, total_m, out=np.ones(ctx.n_grids), where=total_m > 0)
    stray = inner.take(near < 1)
    side = np.concatenate([top[stray.i], top[stray.j]])
    lines, order = np.tile(stray.lines(), 2), np.argsort(side, kind="stable")
    first = np.searchsorted(side[order], np.arange(ctx.n_grids + 1))
    for grid in ctx.pick(share < limits.share_min):
        mine = lines[order[first[grid] : first[grid + 1]]]
        yield ctx.found(
            "R09",
            Severity.WARNING,
            "R09_OFF_BARRIERS",
            grid=grid,
            value=share[grid],
            limit=limits.share_min,
            geometry=shapely.line_merge(MultiLineString(mine.tolist())),
            percent=100 * share[grid],
            limit_percent=100 * limits.share_min,
            length_m=total_m[grid],
            distance_m=limits.distance_m,
        )
