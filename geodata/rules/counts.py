"""R01 households and R02 population of each grid."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.result import Result
from geodata.rules.view import Ints


def r01_households(ctx: Context) -> Iterator[Result]:
    """Households within the bounds of the grid's class; E beyond them by more than the profile's tolerance.

    A grid without units has none of this; R06 and R16 speak of it.
    """
    low, high = ctx.limits.T
    bound, count = low >= 0, ctx.households
    wrong = bound & (ctx.size > 0) & ((count < low) | (count > high))
    largest = _largest_unit(ctx)
    for grid in ctx.pick(wrong):
        over = count[grid] > high[grid]
        limit = int(high[grid] if over else low[grid])
        off = abs(int(count[grid]) - limit)
        severity = Severity.ERROR if off > ctx.profile.tolerance * limit + 1e-9 else Severity.WARNING
        reason, extra = _reason(ctx, grid, int(largest[grid]), wrong)
        yield ctx.found(
            "R01",
            severity,
            "R01_OVER" if over else "R01_UNDER" if count[grid] else "R01_EMPTY",
            grid=grid,
            value=count[grid],
            limit=limit,
            reason=reason,
            households=count[grid],
            limit_households=limit,
            off=off,
            percent=100 * off / limit,
            **ctx.class_titles(grid),
            **extra,
        )
    yield from _without_bounds(ctx)


def _largest_unit(ctx: Context) -> Ints:
    """(g,) households of the largest single unit of each grid."""
    largest = np.zeros(ctx.n_grids, dtype=np.int64)
    for holder in (ctx.view.units.grid, ctx.top):
        held = holder >= 0
        np.maximum.at(largest, holder[held], ctx.view.units.households[held])
    return largest


def _reason(ctx: Context, grid: int, largest: int, wrong: NDArray[np.bool_]) -> tuple[str | None, dict[str, Any]]:
    """Why no redraw can avoid it: one unit alone is over, or the ground it lies on holds too few for any division."""
    low, high = (int(bound) for bound in ctx.limits[grid])
    if largest > high:
        return "R01_REASON_UNIT", {"unit_households": largest}
    units = ctx.units_of(grid)
    islands = np.unique(ctx.islands[units])
    if ctx.micro[grid] or len(islands) != 1:
        return None, {}
    total = int(ctx.island_households[islands[0]])
    if total < low:
        return "R01_REASON_FEW", {"total": total, "low": low}
    grids = ceil(total / high)
    if grids * low <= total:
        return None, {}
    there = np.unique(ctx.top[ctx.islands == islands[0]])
    if wrong[there[there >= 0]].sum() > 1:
        return None, {}  # fewer violations are possible
    return "R01_REASON_TOTAL", {"total": total, "low": low, "high": high, "fewer": grids - 1, "more": grids}


def _without_bounds(ctx: Context) -> Iterator[Result]:
    """Grids that no class bounds, by the reason, so that none passes in silence."""
    bare = (ctx.limits[:, 0] < 0) & ~ctx.special & ctx.wanted
    home = ctx.view.grids.community
    named = np.append(ctx.view.communities.class_, "")[np.where(home >= 0, home, -1)]
    unknown = bare & ~ctx.micro & ~np.isin(named.astype(str), ("urban", "rural"))
    if unknown.any():
        yield ctx.unchecked("R01", "R01_CLASS_UNKNOWN", grids=int(unknown.sum()))
    if (bare & ~unknown).any():
        params = {"title_zh": ctx.profile.title_zh, "title_en": ctx.profile.title_en}
        yield ctx.unchecked("R01", "R01_NO_BOUND", grids=int((bare & ~unknown).sum()), **params)


def r02_population(ctx: Context) -> Iterator[Result]:
    """Population about the profile's value (W), never above its limit (E)."""
    given = ctx.view.units.population
    if given is None or (len(given) and (given < 0).all()):
        yield ctx.unchecked("R02", "R02_NO_POPULATION")
        return
    people = ctx.per_grid(np.maximum(given, 0))
    unknown = ctx.per_grid((given < 0) & (ctx.view.units.households > 0)) > 0
    partial = int((unknown & ctx.wanted).sum())
    if partial:
        yield ctx.unchecked("R02", "R02_PARTLY_UNKNOWN", grids=partial)
    for grid in ctx.pick(people > 0):
        class_bound = ctx.profile.bound(ctx.class_[grid])
        bound = None if class_bound is None else class_bound.population
        if bound is None:
            continue
        here = int(people[grid])
        least, most = bound.about * (1 - bound.tolerance), bound.about * (1 + bound.tolerance)
        params: dict[str, Any] = {
            "people": here,
            "about": bound.about,
            "limit_people": bound.limit,
            "off": abs(here - bound.about),
        }
        if here > bound.limit:
            params["off"] = here - bound.limit
            yield ctx.found(
                "R02", Severity.ERROR, "R02_ABOVE_LIMIT", grid=grid, value=here, limit=bound.limit, **params
            )
        elif here > most:
            yield ctx.found("R02", Severity.WARNING, "R02_MANY", grid=grid, value=here, limit=most, **params)
        elif here < least and not unknown[grid]:
            yield ctx.found("R02", Severity.WARNING, "R02_FEW", grid=grid, value=here, limit=least, **params)
