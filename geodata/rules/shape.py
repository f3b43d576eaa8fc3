"""R15: compact grids that no river, railway or trunk road tears apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import SharedBorders, components
from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.nearness import share_near
from geodata.rules.result import Result
from geodata.units.classes import class_keys
from geodata.units.model import Barriers

_STEP_M = 25.0
_ON_BARRIER = 0.5  # of the border of two units, from which on a barrier is said to run between them


def r15_shape(ctx: Context) -> Iterator[Result]:
    """Polsby-Popper compactness of basic grids; and no grid whose parts only meet across an uncrossed barrier."""
    yield from _compactness(ctx)
    if ctx.view.barriers is None:
        yield ctx.unchecked("R15", "R15_NO_BARRIERS")
    else:
        yield from _torn(ctx, ctx.view.barriers)


def polsby_popper(ctx: Context) -> NDArray[np.float64]:
    """(g,) 4 pi area / perimeter^2 of basic and special grids, NaN without units (Polsby and Popper 1991).

    Perimeters are added up from those of the units less the borders they share, without a union.
    """
    top, borders = ctx.top, ctx.borders
    within = (top[borders.i] == top[borders.j]) & (top[borders.i] >= 0)
    shared_m = np.bincount(top[borders.i[within]], weights=borders.length_m[within], minlength=ctx.n_grids)
    held = top >= 0
    around_m = np.bincount(top[held], weights=shapely.length(ctx.geometry[held]), minlength=ctx.n_grids)
    area_m2 = np.bincount(top[held], weights=ctx.area_m2[held], minlength=ctx.n_grids)
    perimeter_m = around_m - 2 * shared_m
    nothing = np.full(ctx.n_grids, np.nan)
    compactness: NDArray[np.float64] = np.divide(
        4 * np.pi * area_m2, perimeter_m**2, out=nothing, where=perimeter_m > 0
    )
    return compactness


def _compactness(ctx: Context) -> Iterator[Result]:
    limit = ctx.profile.shape.compactness_min
    compactness = polsby_popper(ctx)
    size = np.bincount(ctx.view.units.community[ctx.view.units.community >= 0], minlength=len(ctx.view.communities))
    with np.errstate(invalid="ignore"):
        loose = (compactness < limit) & ~ctx.special & ~ctx.micro
    for grid in ctx.pick(loose):
        home = int(ctx.view.grids.community[grid])
        whole = home >= 0 and len(ctx.units_of(grid)) == size[home]
        yield ctx.found(
            "R15",
            Severity.WARNING,
            "R15_LOOSE",
            grid=grid,
            value=compactness[grid],
            limit=limit,
            geometry=ctx.polygons[grid],
            reason="R15_REASON_COMMUNITY" if whole else None,
            compactness=compactness[grid],
            limit_compactness=limit,
        )


def _torn(ctx: Context, barriers: Barriers) -> Iterator[Result]:
    hard = _hard(ctx, barriers)
    borders, top = ctx.borders, ctx.top
    same = (top[borders.i] == top[borders.j]) & (top[borders.i] >= 0)
    pieces = borders.take(same & np.append(ctx.wanted, False)[top[borders.i]])
    if not hard.any() or not len(pieces.i):
        return
    cut = _cut(ctx, pieces, barriers, hard)
    parts = components(len(top), pieces.i[~cut], pieces.j[~cut])
    held = np.flatnonzero(top >= 0)
    count = _distinct(top[held], parts[held], ctx.n_grids)
    before = _distinct(top[held], ctx.pieces[held], ctx.n_grids)
    for grid in ctx.pick((count > before) & ~ctx.micro):
        apart = ctx.apart(ctx.units_of(grid), parts)
        yield ctx.found(
            "R15",
            Severity.WARNING,
            "R15_TORN",
            grid=grid,
            value=int(count[grid]),
            limit=int(before[grid]),
            geometry=ctx.union(apart),
            parts=int(count[grid]),
            households=ctx.view.units.households[apart].sum(),
        )


def _distinct(grid: NDArray[np.int64], label: NDArray[np.int64], n_grids: int) -> NDArray[np.int64]:
    """(g,) number of different labels in each grid."""
    return np.bincount(np.unique(np.stack([grid, label]), axis=1)[0], minlength=n_grids)


def _hard(ctx: Context, barriers: Barriers) -> NDArray[np.bool_]:
    """Barriers one cannot walk across: of a class the profile names, neither in a tunnel nor on a bridge."""
    hard = np.isin(class_keys(barriers), ctx.profile.shape.torn_by)
    return np.asarray(hard & ~(barriers.bridge | barriers.tunnel), dtype=bool)


def _cut(ctx: Context, pieces: SharedBorders, barriers: Barriers, hard: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pieces of border between two units that a hard barrier parts and no road crosses."""
    near = share_near(pieces, barriers.geometry[hard], ctx.profile.borders.distance_m, _STEP_M)
    _, pair = np.unique(pieces.i * len(ctx.top) + pieces.j, return_inverse=True)
    length_m = pieces.length_m
    share = np.bincount(pair, weights=near * length_m) / np.bincount(pair, weights=length_m)
    cut = share[pair] >= _ON_BARRIER
    roads = (barriers.kind == "road") & ~hard
    candidates = np.flatnonzero(cut)
    if len(candidates) and roads.any():
        lines = pieces.take(cut).lines()
        _, crossed = shapely.STRtree(lines.tolist()).query(barriers.geometry[roads], predicate="intersects")
        joined = np.isin(pair, pair[candidates[crossed]])
        cut &= ~joined
    return np.asarray(cut, dtype=bool)
