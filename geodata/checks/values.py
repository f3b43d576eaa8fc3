"""Values of each row: counts and times that can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.checks.columns import numbers_of, rows_of, text_of, times_of, where
from geodata.checks.context import CHINA_TIME, CheckContext
from geodata.fields import FIELDS, Field, Kind
from geodata.problems import Problem, Severity

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

#: Counts that the rules rest on; their absence is worth a word.
_NEEDED = {Kind.BUILDINGS: ("households",), Kind.UNITS: ("households",)}
#: Beyond these a typing error or a total is likelier than the thing itself: (kind, field) -> bound.
_LARGE = {
    (Kind.BUILDINGS, "households"): 1_000,
    (Kind.BUILDINGS, "population"): 5_000,
    (Kind.BUILDINGS, "floors"): 130,
    (Kind.UNITS, "households"): 5_000,
    (Kind.UNITS, "population"): 20_000,
    (Kind.GRIDS, "households"): 10_000,
    (Kind.GRIDS, "population"): 40_000,
    (Kind.GRIDS, "workers"): 100,
}
_LARGEST_HOUSEHOLD = 20
_EARLIEST = pd.Timestamp("2000-01-01", tz=CHINA_TIME)
_CLOCK_SKEW = pd.Timedelta(hours=1)


def negative_counts(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Counts below zero. Does not check text that is no number: the reader of the file speaks of it."""
    rows = rows_of(frame)
    for field in _fields(kind, "count"):
        values = numbers_of(frame, field.name)
        for k in where(values < 0):
            params = {**_labels(field), "value": _plain(values[k])}
            yield Problem("CHECK_COUNT_NEGATIVE", Severity.ERROR, int(rows[k]), None, params)


def absent_counts(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Buildings and units without households: one by one, or in one finding where the whole batch has none.

    Does not check whether zero households are true, nor estimate.
    """
    rows = rows_of(frame)
    for field in (f for f in FIELDS[kind] if f.name in _NEEDED.get(kind, ())):
        empty = where(np.isnan(numbers_of(frame, field.name)))
        if len(empty) and len(empty) == len(frame):
            params = {**_labels(field), "first": int(rows.min()), "last": int(rows.max()), "n": len(empty)}
            yield Problem("CHECK_COUNT_ABSENT_ALL", Severity.WARNING, None, None, params)
            continue
        for k in empty:
            yield Problem("CHECK_COUNT_ABSENT", Severity.WARNING, int(rows[k]), None, _labels(field))


def implausible_counts(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Counts beyond what one building, unit or grid holds, and over 20 people a household. A warning: it may be so."""
    rows = rows_of(frame)
    for field in _fields(kind, "count"):
        bound = _LARGE.get((kind, field.name))
        if bound is None:
            continue
        values = numbers_of(frame, field.name)
        for k in where(values > bound):
            params = {**_labels(field), "value": _plain(values[k]), "bound": bound}
            yield Problem("CHECK_COUNT_LARGE", Severity.WARNING, int(rows[k]), None, params)
    if kind in (Kind.BUILDINGS, Kind.UNITS, Kind.GRIDS):
        households, people = numbers_of(frame, "households"), numbers_of(frame, "population")
        for k in where((households > 0) & (people > _LARGEST_HOUSEHOLD * households)):
            params = {"households": _plain(households[k]), "population": _plain(people[k])}
            yield Problem("CHECK_HOUSEHOLD_SIZE", Severity.WARNING, int(rows[k]), None, params)


def missing_texts(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Blank cells in the text columns a kind cannot do without (a region's name, a case's category)."""
    rows = rows_of(frame)
    for field in (f for f in _fields(kind, "text") if f.required):
        for k in where(text_of(frame, field.name).isna()):
            yield Problem("CHECK_TEXT_MISSING", Severity.ERROR, int(rows[k]), None, _labels(field))


def times(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Times and dates in the future (over an hour) or before 2000; for cases also missing or in the wrong order.

    Errors for the time a case occurred and closed before it occurred, else warnings. Times without a zone are read
    as China time. Does not check time limits of handling.
    """
    rows = rows_of(frame)
    columns = {f.name: times_of(frame, f.name, CHINA_TIME) for f in FIELDS[kind] if f.type in ("time", "date")}
    latest = pd.Timestamp(context.now) + _CLOCK_SKEW
    for field in _fields(kind, "time", "date"):
        stamps = columns[field.name]
        severity = Severity.ERROR if field.required else Severity.WARNING
        for code, wrong in (("CHECK_TIME_FUTURE", stamps > latest), ("CHECK_TIME_OLD", stamps < _EARLIEST)):
            for k in where(wrong):
                params = {**_labels(field), "value": _local(stamps.iloc[k])}
                yield Problem(code, severity, int(rows[k]), None, params)
    if kind is Kind.CASES:
        occurred = columns["occurred_at"]
        for k in where(occurred.isna()):
            yield Problem("CHECK_TIME_MISSING", Severity.ERROR, int(rows[k]))
        for name, severity in (("closed_at", Severity.ERROR), ("reported_at", Severity.WARNING)):
            later = columns[name]
            for k in where(later < occurred):
                params = {"occurred": _local(occurred.iloc[k]), "then": _local(later.iloc[k])}
                code = "CHECK_TIME_CLOSED_FIRST" if name == "closed_at" else "CHECK_TIME_REPORTED_FIRST"
                yield Problem(code, severity, int(rows[k]), None, params)


def _fields(kind: Kind, *types: str) -> list[Field]:
    return [field for field in FIELDS[kind] if field.type in types]


def _labels(field: Field) -> dict[str, str]:
    return {"label_zh": field.zh, "label_en": field.en}


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _local(stamp: pd.Timestamp) -> str:
    return stamp.tz_convert(CHINA_TIME).strftime("%Y-%m-%d %H:%M")
