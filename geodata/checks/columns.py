"""Columns of a staged frame as arrays, whatever way they were typed."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.coverage import Floats, Geometries, Ints

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def rows_of(frame: GeoDataFrame) -> Ints:
    """Row numbers (n,)."""
    return np.asarray(frame.index, dtype=np.int64)


def geometry_of(frame: GeoDataFrame) -> Geometries:
    """Geometries (n,), None where missing."""
    return np.asarray(frame.geometry.values, dtype=object)


def text_of(frame: GeoDataFrame, name: str) -> pd.Series:
    """A column as trimmed text, missing and blank cells NA; all NA where the column is not there."""
    if name not in frame.columns:
        return pd.Series(pd.NA, index=frame.index, dtype="string")
    text: pd.Series = frame[name].astype("string").str.strip()
    blank: pd.Series = text.mask(text == "")
    return blank


def numbers_of(frame: GeoDataFrame, name: str) -> Floats:
    """A column as floats (n,), NaN where missing; all NaN where the column is not there."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[name], errors="coerce").astype("Float64").to_numpy(np.float64, np.nan))


def times_of(frame: GeoDataFrame, name: str, zone: tzinfo) -> pd.Series:
    """A column as UTC instants, NaT where missing; times without a zone are read in ``zone``."""
    if name not in frame.columns:
        return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns, UTC]")
    column: Any = frame[name]
    if column.dtype == object:
        column = pd.to_datetime(column.map(lambda value: _instant(value, zone)), utc=True, errors="coerce")
    else:
        column = pd.to_datetime(column, errors="coerce")
    if column.dt.tz is None:
        column = column.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    instants: pd.Series = column.dt.tz_convert("UTC")
    return instants


def _instant(value: Any, zone: tzinfo) -> pd.Timestamp | Any:
    try:
        stamp: Any = pd.Timestamp(value)
    except (ValueError, TypeError):
        return pd.NaT
    return stamp.tz_localize(zone) if not pd.isna(stamp) and stamp.tz is None else stamp


def holds(mask: Any) -> NDArray[np.bool_]:
    """A mask (n,), nullable or not, as plain booleans: what is not known does not hold."""
    return np.asarray(pd.array(mask, dtype="boolean").fillna(False), dtype=bool)


def where(mask: Any) -> NDArray[np.intp]:
    """Positions where a mask, nullable or not, holds."""
    return np.flatnonzero(holds(mask))
