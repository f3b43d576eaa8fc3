"""R03 gaps, R04 overlaps, R10 buildings outside every grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry import MultiPoint
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import components
from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.misfits import misfit_results
from geodata.rules.repair import given_rows, mended
from geodata.rules.result import Result
from geodata.rules.view import Objects


def r03_gaps(ctx: Context) -> Iterator[Result]:
    """No ground of a community outside every grid: unassigned units, ground without unit, gaps of a drawn map."""
    yield from _unassigned(ctx)
    yield from _uncovered(ctx)
    yield from misfit_results(ctx, "R03")


def _unassigned(ctx: Context) -> Iterator[Result]:
    """One result for each connected piece of unassigned units."""
    free = ctx.top < 0
    i, j = ctx.borders.i, ctx.borders.j
    community = ctx.view.units.community
    together = free[i] & free[j] & (community[i] == community[j])
    piece = components(len(free), i[together], j[together])
    units = np.flatnonzero(free)
    order = units[np.argsort(piece[units], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(piece[order])) + 1) if len(order) else ():
        households, home = int(ctx.view.units.households[members].sum()), int(community[members[0]])
        area_m2 = ctx.area_m2[members].sum()
        yield ctx.found(
            "R03",
            Severity.ERROR,
            "R03_UNASSIGNED",
            community=home if home >= 0 else None,
            value=area_m2,
            limit=0,
            geometry=ctx.union(members),
            area_m2=area_m2,
            units=len(members),
            households=households,
        )


def _uncovered(ctx: Context) -> Iterator[Result]:
    """Ground of a community that no unit, or no drawn grid, covers."""
    ground = ctx.view.communities.geometry
    if ground is None:
        yield ctx.unchecked("R03", "R03_NO_BORDERS")
        return
    sliver_m2 = ctx.profile.data.sliver_m2
    community = ctx.view.units.community
    inside = community >= 0
    covered_m2 = np.bincount(community[inside], weights=ctx.area_m2[inside], minlength=len(ground))
    touched = np.bincount(community[inside], minlength=len(ground)) > 0
    short = touched & (shapely.area(ground) - covered_m2 > sliver_m2)
    for home in np.flatnonzero(short).tolist():
        gap = _gap(ground[home], ctx.geometry[community == home], sliver_m2)
        if gap is not None:
            yield _gap_result(ctx, "R03_NO_UNIT", home, gap)
    drawn_homes = np.unique(ctx.view.grids.community[ctx.drawn & ~ctx.micro & ctx.wanted])
    for home in drawn_homes[drawn_homes >= 0].tolist():
        own = (ctx.view.grids.community == home) & ~ctx.micro
        shapes = _shapes(ctx)[own]
        free = ctx.geometry[(community == home) & (ctx.top < 0)]
        gap = _gap(ground[home], np.concatenate([shapes[given_rows(shapes)], free]), sliver_m2)
        if gap is not None:
            yield _gap_result(ctx, "R03_DRAWN_GAP", home, gap)


def _shapes(ctx: Context) -> Objects:
    """(g,) drawn geometry where it is given, else the union of the units."""
    given = ctx.view.grids.geometry
    shapes = ctx.polygons.copy()
    if given is not None:
        has = given_rows(given)
        shapes[has] = mended(given[has])
    return shapes


def _gap(ground: BaseGeometry, parts: Objects, sliver_m2: float) -> BaseGeometry | None:
    left = shapely.get_parts(shapely.difference(ground, shapely.union_all(parts)))
    left = left[shapely.area(left) > sliver_m2]
    return shapely.union_all(left) if len(left) else None


def _gap_result(ctx: Context, code: str, home: int, gap: BaseGeometry) -> Result:
    return ctx.found(
        "R03", Severity.ERROR, code, community=home, value=gap.area, limit=0, geometry=gap, area_m2=gap.area
    )


def r04_overlaps(ctx: Context) -> Iterator[Result]:
    """No ground in two grids of one level. Units hold one grid each, so only drawn geometry can overlap."""
    yield from misfit_results(ctx, "R04")
    given = ctx.view.grids.geometry
    if given is None:
        return
    has = np.flatnonzero(given_rows(given))
    shapes = mended(given[has])
    a, b = shapely.STRtree(shapes.tolist()).query(shapes, predicate="intersects")
    level = ctx.micro[has]
    pairs = (a < b) & (level[a] == level[b]) & (ctx.wanted[has[a]] | ctx.wanted[has[b]])
    a, b = a[pairs], b[pairs]
    shared = shapely.intersection(shapes[a], shapes[b])
    area_m2 = shapely.area(shared)
    for k in np.flatnonzero(area_m2 > ctx.profile.data.sliver_m2).tolist():
        grid, other = int(has[a[k]]), int(has[b[k]])
        yield ctx.found(
            "R04",
            Severity.ERROR,
            "R04_OVERLAP",
            grid=grid,
            value=area_m2[k],
            limit=0,
            geometry=shared[k],
            area_m2=area_m2[k],
            other=ctx.other_label(other, grid),
        )


def r10_buildings(ctx: Context) -> Iterator[Result]:
    """Every building with households lies in exactly one grid."""
    buildings, units = ctx.view.buildings, ctx.view.units
    free = (ctx.top < 0) & (units.households > 0)
    if buildings is None:
        for home in np.unique(units.community[free]).tolist():
            here = free & (units.community == home)
            yield _lost(ctx, "R10_UNITS", home, int(here.sum()), int(units.households[here].sum()), None)
        return
    lived = buildings.households > 0
    unit = buildings.unit
    lost = lived & ((unit < 0) | (np.append(ctx.top, -1)[unit] < 0))
    home_of = np.append(units.community, -1)[unit]
    for home in np.unique(home_of[lost]).tolist():
        here = lost & (home_of == home)
        places = _places(buildings.geometry[here])
        code = "R10_BUILDINGS" if home >= 0 else "R10_OUTSIDE"
        yield _lost(ctx, code, home, int(here.sum()), int(buildings.households[here].sum()), places)
    yield from _misplaced(ctx)


def _lost(ctx: Context, code: str, home: int, count: int, households: int, places: BaseGeometry | None) -> Result:
    return ctx.found(
        "R10",
        Severity.ERROR,
        code,
        community=home if home >= 0 else None,
        value=count,
        limit=0,
        geometry=places,
        count=count,
        households=households,
    )


def _places(geometry: Objects) -> MultiPoint:
    return MultiPoint(shapely.get_coordinates(shapely.centroid(mended(geometry))))


def _misplaced(ctx: Context) -> Iterator[Result]:
    """Buildings counted in a unit that they do not even touch, one result a grid."""
    buildings = ctx.view.buildings
    if buildings is None:
        return
    placed = given_rows(buildings.geometry) & ~shapely.is_empty(buildings.geometry)
    held = np.flatnonzero(placed & (buildings.households > 0) & (buildings.unit >= 0))
    shape, unit = mended(buildings.geometry[held]), buildings.unit[held]
    apart = ~shapely.dwithin(shape, ctx.geometry[unit], 0.5) & (ctx.top[unit] >= 0)
    held, grid_of = held[apart], ctx.top[unit[apart]]
    for grid in np.unique(grid_of).tolist():
        here = held[grid_of == grid]
        yield ctx.found(
            "R10",
            Severity.ERROR,
            "R10_ELSEWHERE",
            grid=grid,
            value=len(here),
            limit=0,
            geometry=_places(buildings.geometry[here]),
            count=len(here),
            households=int(buildings.households[here].sum()),
        )
