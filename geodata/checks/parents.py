"""Parents that rows name: they exist, they are not the row itself, and no row is its own ancestor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from geodata.checks.columns import holds, rows_of, text_of, where
from geodata.checks.context import CheckContext
from geodata.fields import Kind
from geodata.problems import Problem, Severity

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def parents(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Parents of regions and grids: in the file or known, not the row itself, not in a circle.

    A region that names no parent is held to the one its code implies (a warning if that is not there either; a county
    needs none). Does not check that the child lies inside the parent's geometry.
    """
    if kind not in (Kind.REGIONS, Kind.GRIDS):
        return
    codes, stated, rows = text_of(frame, "code"), text_of(frame, "parent_code"), rows_of(frame)
    elsewhere = context.known_codes if kind is Kind.REGIONS else context.known_grid_codes
    there = set(codes.dropna()) | set(elsewhere or ())
    for k in where(stated == codes):
        yield Problem("CHECK_PARENT_SELF", Severity.ERROR, int(rows[k]), None, {"value": stated.iloc[k]})
    for k in where(holds(stated.notna()) & ~holds(stated.isin(there))):
        yield Problem("CHECK_PARENT_UNKNOWN", Severity.ERROR, int(rows[k]), None, {"value": stated.iloc[k]})
    for k in _circles(codes, stated):
        yield Problem("CHECK_PARENT_CIRCLE", Severity.ERROR, int(rows[k]), None, {"value": codes.iloc[k]})
    if kind is Kind.REGIONS:
        implied = _implied(codes)
        for k in where(holds(stated.isna()) & holds(implied.notna()) & ~holds(implied.isin(there))):
            yield Problem("CHECK_PARENT_ABSENT", Severity.WARNING, int(rows[k]), None, {"value": implied.iloc[k]})
        for k in where(holds(stated != implied) & holds(stated != codes)):
            params = {"value": stated.iloc[k], "implied": implied.iloc[k]}
            yield Problem("CHECK_PARENT_PREFIX", Severity.WARNING, int(rows[k]), None, params)


def _implied(codes: pd.Series) -> pd.Series:
    """The parent that a 12-digit region code implies; NA for counties and ill-formed codes."""
    formed = codes.where(codes.str.fullmatch(r"[0-9]{12}"))
    subdistrict = formed.str[:9] + "000"
    county = formed.str[:6] + "000000"
    return subdistrict.mask(subdistrict == formed, county).mask(county == formed)


def _circles(codes: pd.Series, stated: pd.Series) -> list[int]:
    """Positions of rows that come back to themselves by way of at least one other."""
    named = holds(codes != stated)
    parent_of = dict(zip(codes[named], stated[named], strict=True))
    inside = []
    for position in where(named):
        start = codes.iloc[position]
        seen: set[str] = set()
        here = parent_of[start]
        while here in parent_of and here != start and here not in seen:
            seen.add(here)
            here = parent_of[here]
        if here == start:
            inside.append(int(position))
    return inside
