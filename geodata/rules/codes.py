"""R13 form, uniqueness and order of grid codes; R14 retired codes and validity dates."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import shapely

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.result import Result

_ORDER_TOLERANCE_M = 1.0


def r13_codes(ctx: Context) -> Iterator[Result]:
    """Codes of the profile's form, none twice, numbered from west to east and from north to south (I)."""
    yield from _forms(ctx)
    for code, grids in _same_codes(ctx).items():
        for grid in grids[1:]:
            yield ctx.found("R13", Severity.ERROR, "R13_DUPLICATE", grid=grid, value=len(grids), limit=1, code_=code)
    yield from _order(ctx)


def _forms(ctx: Context) -> Iterator[Result]:
    form = ctx.profile.code
    digits = re.compile(rf"[0-9]{{{form.length}}}")
    lengths: dict[str, Any] = {"length": form.length, "low": form.number_min, "high": form.number_max}
    for grid in ctx.pick(np.ones(ctx.n_grids, dtype=bool)):
        code = str(ctx.view.grids.code[grid] or "")
        parent = int(ctx.parent[grid])
        if not code:
            yield ctx.found("R13", Severity.ERROR, "R13_MISSING", grid=grid)
        elif ctx.micro[grid]:
            above = str(ctx.view.grids.code[parent] or "")
            if parent != grid and not (code.startswith(above) and len(code) > len(above)):
                yield ctx.found("R13", Severity.ERROR, "R13_MICRO", grid=grid, code_=code, parent=above)
        elif not digits.fullmatch(code):
            yield ctx.found("R13", Severity.ERROR, "R13_FORM", grid=grid, code_=code, **lengths)
        elif not form.number_min <= int(code[form.prefix_length :]) <= form.number_max:
            yield ctx.found("R13", Severity.ERROR, "R13_NUMBER", grid=grid, code_=code, **lengths)


def _same_codes(ctx: Context) -> dict[str, list[int]]:
    """Grids by code, for codes that stand more than once."""
    by_code: dict[str, list[int]] = defaultdict(list)
    for grid, code in enumerate(ctx.view.grids.code.tolist()):
        if code:
            by_code[str(code)].append(grid)
    return {code: grids for code, grids in by_code.items() if len(grids) > 1}


def _order(ctx: Context) -> Iterator[Result]:
    """Numbers where the next grid lies both west and north of the one before: against both directions at once."""
    area_m2 = ctx.per_grid(ctx.area_m2)
    middle = shapely.get_coordinates(shapely.centroid(ctx.geometry))
    if len(middle) != len(ctx.geometry):
        return  # an empty unit has no middle; R19 speaks of it
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = (ctx.per_grid(middle[:, axis] * ctx.area_m2) / area_m2 for axis in (0, 1))
    length, home = ctx.profile.code.length, ctx.view.grids.community
    numbered = [
        (int(home[grid]), str(code), grid)
        for grid, code in enumerate(ctx.view.grids.code)
        if code and len(str(code)) == length and not ctx.micro[grid] and home[grid] >= 0 and area_m2[grid] > 0
    ]
    against: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (here, _, a), (there, _, b) in pairwise(sorted(numbered)):
        if here == there and x[b] < x[a] - _ORDER_TOLERANCE_M and y[b] > y[a] + _ORDER_TOLERANCE_M:
            against[here].append((a, b))
    for community, pairs in against.items():
        yield ctx.found(
            "R13",
            Severity.INFO,
            "R13_ORDER",
            community=community,
            value=len(pairs),
            limit=0,
            count=len(pairs),
            first=ctx.grid_label(pairs[0][0]),
            second=ctx.grid_label(pairs[0][1]),
        )


def r14_validity(ctx: Context) -> Iterator[Result]:
    """Retired codes stay retired; dates run forward; two grids of one code are not valid at the same time."""
    retired = ctx.view.retired_codes
    if retired is None:
        yield ctx.unchecked("R14", "R14_NO_RETIRED_CODES")
    else:
        reused = np.array([str(code) in retired for code in ctx.view.grids.code], dtype=bool)
        for grid in ctx.pick(reused):
            code = str(ctx.view.grids.code[grid])
            until = retired[code]
            params: dict[str, Any] = {"code_": code} if until is None else {"code_": code, "until": until.isoformat()}
            yield ctx.found(
                "R14", Severity.ERROR, "R14_RETIRED" if until else "R14_RETIRED_UNDATED", grid=grid, **params
            )
    yield from _dates(ctx)


def _dates(ctx: Context) -> Iterator[Result]:
    begins, ends = ctx.view.grids.valid_from, ctx.view.grids.valid_to
    if begins is None or ends is None:
        return
    for grid in ctx.pick(ends < begins):  # comparisons with NaT are False
        params: dict[str, Any] = {"begin": str(begins[grid]), "end": str(ends[grid])}
        yield ctx.found("R14", Severity.ERROR, "R14_BACKWARDS", grid=grid, **params)
    first = np.where(np.isnat(begins), np.datetime64("0001-01-01"), begins)
    last = np.where(np.isnat(ends), np.datetime64("9999-12-31"), ends)
    for code, grids in _same_codes(ctx).items():
        for a, b in combinations(grids, 2):
            if first[a] < last[b] and first[b] < last[a]:
                yield ctx.found("R14", Severity.ERROR, "R14_OVERLAP", grid=b, code_=code)
