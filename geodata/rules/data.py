"""R18 missing, estimated and old counts; R19 geometry that is not valid and a CRS that was not declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.repair import given_rows
from geodata.rules.result import Result
from geodata.rules.view import Objects


def r18_data(ctx: Context) -> Iterator[Result]:
    """Households are counted, not missing, not estimated, and no older than the profile allows."""
    units = ctx.view.units
    if units.missing_households is None:
        yield ctx.unchecked("R18", "R18_MISSING_UNKNOWN")
    else:
        missing = ctx.per_grid(units.missing_households)
        for grid in ctx.pick(missing > 0):
            yield ctx.found(
                "R18", Severity.WARNING, "R18_MISSING", grid=grid, value=missing[grid], limit=0, count=missing[grid]
            )
    if units.estimated_households is None:
        yield ctx.unchecked("R18", "R18_ESTIMATED_UNKNOWN")
    else:
        estimated = ctx.per_grid(units.estimated_households)
        for grid in ctx.pick(estimated > 0):
            count, total = int(estimated[grid]), max(int(ctx.households[grid]), 1)
            params: dict[str, Any] = {
                "estimated": count,
                "households": ctx.households[grid],
                "percent": 100 * count / total,
            }
            yield ctx.found("R18", Severity.WARNING, "R18_ESTIMATED", grid=grid, value=count, limit=0, **params)
    yield from _age(ctx)


def _age(ctx: Context) -> Iterator[Result]:
    oldest = ctx.view.units.oldest
    if oldest is None:
        yield ctx.unchecked("R18", "R18_AGE_UNKNOWN")
        return
    undated = ctx.per_grid((np.isnat(oldest) & (ctx.view.units.households > 0)).astype(np.int64))
    for grid in ctx.pick(undated > 0):
        count = int(undated[grid])
        yield ctx.found("R18", Severity.WARNING, "R18_UNDATED", grid=grid, value=count, limit=0, count=count)
    day = np.where(np.isnat(oldest), np.datetime64("9999-12-31"), oldest).astype("datetime64[D]").astype(np.int64)
    first = np.full(ctx.n_grids, np.iinfo(np.int64).max)
    for holder in (ctx.view.units.grid, ctx.top):
        held = holder >= 0
        np.minimum.at(first, holder[held], day[held])
    months = ctx.profile.data.age_months
    for grid in ctx.pick(first < _months_before(ctx.view.today, months).astype(np.int64)):
        since = np.datetime64(int(first[grid]), "D")
        age = int((np.datetime64(ctx.view.today, "M") - since.astype("datetime64[M]")).astype(int))
        params: dict[str, Any] = {"since": str(since), "months": age, "limit_months": months}
        yield ctx.found("R18", Severity.WARNING, "R18_OLD", grid=grid, value=age, limit=months, **params)


def _months_before(today: object, months: int) -> np.datetime64:
    """The same day of the month ``months`` earlier, or the last of that month."""
    day = np.datetime64(today, "D")  # type: ignore[call-overload]
    month = day.astype("datetime64[M]")
    of_month = day - month.astype("datetime64[D]")
    last = (month - months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.datetime64(min((month - months).astype("datetime64[D]") + of_month, last), "D")


def r19_geometry(ctx: Context) -> Iterator[Result]:
    """Polygons of units, grids and communities are valid and not empty; the CRS was declared."""
    if ctx.view.crs is None:
        yield ctx.found("R19", Severity.ERROR, "R19_NO_CRS")
    units = ctx.view.units
    for unit in np.flatnonzero(_broken(units.geometry)).tolist():
        grid, home = int(units.grid[unit]), int(units.community[unit])
        yield ctx.found(
            "R19",
            Severity.ERROR,
            "R19_UNIT",
            grid=grid if grid >= 0 else None,
            community=home if home >= 0 else None,
            geometry=units.geometry[unit],
            unit=int(ctx.unit_number[unit]) + 1,
        )
    if ctx.view.grids.geometry is not None:
        given = ctx.view.grids.geometry
        for grid in ctx.pick(_broken(given) & given_rows(given)):
            yield ctx.found("R19", Severity.ERROR, "R19_GRID", grid=grid, geometry=given[grid])
    if ctx.view.communities.geometry is not None:
        ground = ctx.view.communities.geometry
        for home in np.flatnonzero(_broken(ground) & given_rows(ground)).tolist():
            yield ctx.found("R19", Severity.ERROR, "R19_COMMUNITY", community=home, geometry=ground[home])
    yield from _overlapping_units(ctx)


def _broken(geometry: Objects) -> NDArray[np.bool_]:
    flat = shapely.get_dimensions(geometry) == 2
    return np.asarray(~(shapely.is_valid(geometry) & flat & ~shapely.is_empty(geometry)), dtype=bool)


def _overlapping_units(ctx: Context) -> Iterator[Result]:
    """Units that lie on each other: the promise that a plan cannot overlap would not hold."""
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(ctx.geometry)))
    if not len(suspects):
        return
    shapes = ctx.geometry[suspects]
    a, b = shapely.STRtree(shapes.tolist()).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.intersection(shapes[a], shapes[b])
    area_m2 = shapely.area(shared)
    for k in np.flatnonzero(area_m2 > ctx.profile.data.sliver_m2).tolist():
        unit, other = int(suspects[a[k]]), int(suspects[b[k]])
        home = int(ctx.view.units.community[unit])
        yield ctx.found(
            "R19",
            Severity.ERROR,
            "R19_UNITS_OVERLAP",
            community=home if home >= 0 else None,
            value=area_m2[k],
            limit=0,
            geometry=shared[k],
            area_m2=area_m2[k],
            unit=int(ctx.unit_number[unit]) + 1,
            other=int(ctx.unit_number[other]) + 1,
        )
