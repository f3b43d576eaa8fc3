"""Codes of each row: well formed, and known where they refer to something.

Source: GB/T 10114 and GB/T 2260 (12 digits: county 6, subdistrict 3, community 3); grid codes add 3 digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.checks.columns import holds, rows_of, text_of, where
from geodata.checks.context import CheckContext
from geodata.coverage import Ints
from geodata.fields import Kind
from geodata.problems import Problem, Severity

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

REGION_DIGITS = 12
#: What the department of comprehensive grids is called; theirs are the 15 digits.
_COMPREHENSIVE = "综合"
_PROVINCES = (
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    *(71, 81, 82),
)
_URBAN_RURAL = {"111", "112", "121", "122", "123", "210", "220"}


def region_codes(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """A region's own code: present, 12 digits, of a province that exists (W); class of town and country (W).

    Does not check that the code is in the national list of its year.
    """
    if kind is not Kind.REGIONS:
        return
    codes, rows = text_of(frame, "code"), rows_of(frame)
    for k in where(codes.isna()):
        yield Problem("CHECK_CODE_MISSING", Severity.ERROR, int(rows[k]))
    formed = holds(codes.str.fullmatch(rf"[0-9]{{{REGION_DIGITS}}}"))
    yield from _ill_formed(codes, formed, rows, REGION_DIGITS, Severity.ERROR)
    for k in where(formed & ~holds(codes.str[:2].isin([str(p) for p in _PROVINCES]))):
        yield Problem("CHECK_CODE_PROVINCE", Severity.WARNING, int(rows[k]), None, {"value": codes.iloc[k]})
    classes = text_of(frame, "urban_rural_code")
    for k in where(holds(classes.notna()) & ~holds(classes.isin(_URBAN_RURAL))):
        yield Problem("CHECK_CODE_CLASS", Severity.WARNING, int(rows[k]), None, {"value": classes.iloc[k]})


def grid_codes(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """A grid's own code: present, of the profile's length, ending in a number above zero, in a known community.

    A micro-grid's code is its parent's and more; a department that numbers its grids in its own way is warned (R13 of
    its plan will say so again). Does not check order of numbering, nor codes retired.
    """
    if kind is not Kind.GRIDS:
        return
    codes, parents, rows = text_of(frame, "code"), text_of(frame, "parent_code"), rows_of(frame)
    for k in where(codes.isna()):
        yield Problem("CHECK_CODE_MISSING", Severity.ERROR, int(rows[k]))
    length = context.grid_code_length
    both = holds(codes.notna()) & holds(parents.notna())
    micro = np.zeros(len(codes), dtype=bool)
    micro[both] = [c.startswith(p) and len(c) > len(p) for c, p in zip(codes[both], parents[both], strict=True)]
    formed = holds(codes.str.fullmatch(rf"[0-9]{{{length}}}")) | micro
    departments = text_of(frame, "department")
    own = holds(departments.notna()) & ~holds(departments.str.startswith(_COMPREHENSIVE))
    own &= ~holds(codes.str.contains("e+", case=False, regex=False))  # rounded by a spreadsheet: nobody's own way
    yield from _ill_formed(codes.mask(own), formed, rows, length, Severity.ERROR)
    yield from _ill_formed(codes.where(own), formed, rows, length, Severity.WARNING)
    for k in where(formed & ~micro & holds(codes.str[REGION_DIGITS:].str.strip("0") == "")):
        yield Problem("CHECK_CODE_NUMBER", Severity.ERROR, int(rows[k]), None, {"value": codes.iloc[k]})
    yield from _unknown(codes.str[:REGION_DIGITS].where(formed), rows, context, Severity.ERROR)


def referred_codes(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Codes by which a building, unit, grid or case names its community or grid: well formed and known (W).

    A warning because the position decides in the end. Does not check that position and code agree.
    """
    rows = rows_of(frame)
    if kind is not Kind.REGIONS and "region_code" in frame.columns:
        codes = text_of(frame, "region_code")
        formed = holds(codes.str.fullmatch(rf"[0-9]{{{REGION_DIGITS}}}"))
        yield from _ill_formed(codes, formed, rows, REGION_DIGITS, Severity.WARNING)
        yield from _unknown(codes.where(formed), rows, context, Severity.WARNING)
    if kind is not Kind.GRIDS and "grid_code" in frame.columns:
        codes = text_of(frame, "grid_code")
        formed = holds(codes.str.fullmatch(rf"[0-9]{{{context.grid_code_length},}}"))
        yield from _ill_formed(codes, formed, rows, context.grid_code_length, Severity.WARNING)
        if context.known_grid_codes is not None:
            for k in where(formed & ~holds(codes.isin(context.known_grid_codes))):
                params = {"value": codes.iloc[k]}
                yield Problem("CHECK_GRID_UNKNOWN", Severity.WARNING, int(rows[k]), None, params)


def _ill_formed(
    codes: pd.Series, formed: NDArray[np.bool_], rows: Ints, digits: int, severity: Severity
) -> Iterator[Problem]:
    for k in where(holds(codes.notna()) & ~formed):
        value = str(codes.iloc[k])
        code = "CHECK_CODE_ROUNDED" if "e+" in value.lower() else "CHECK_CODE_FORM"
        yield Problem(code, severity, int(rows[k]), None, {"value": value, "digits": digits, "length": len(value)})


def _unknown(codes: pd.Series, rows: Ints, context: CheckContext, severity: Severity) -> Iterator[Problem]:
    if context.known_codes is None:
        return
    for k in where(holds(codes.notna()) & ~holds(codes.isin(context.known_codes))):
        yield Problem("CHECK_CODE_UNKNOWN", severity, int(rows[k]), None, {"value": codes.iloc[k]})
