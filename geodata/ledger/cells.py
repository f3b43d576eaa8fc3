"""Ledger cells as Arrow text, and the form of every parser's answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

#: Cells that say "nothing here".
EMPTY = (
    "",
    "-",
    "--",
    "---",
    "—",
    "——",
    "–",
    "/",
    "//",
    "\\",
    "无",
    "空",
    "null",
    "none",
    "nan",
    "n/a",
    "na",
    "不详",
    "未知",
)
#: Units that may stand behind a number without changing it.
UNIT = "户|人|口|个|栋|幢|座|层|间|家|套|名|位|元|条|件|次|处|m2|平方米|平米|平方|米|m|岁"


class Counts(NamedTuple):
    """Whole numbers (Int64), which of them were said to be approximate, and which cells are no such number."""

    values: pd.Series
    approximate: Mask
    bad: Mask


class Values(NamedTuple):
    """Values of one type, and which cells are no such value."""

    values: pd.Series
    bad: Mask


def texts(series: pd.Series, number: Any = None) -> pa.Array:
    """A column as Arrow text; numbers as a person would write them (``number`` says how)."""
    if isinstance(series.dtype, pd.StringDtype):
        return _one_chunk(pa.array(series, pa.string(), from_pandas=True))
    if pd.api.types.is_integer_dtype(series.dtype):
        return _one_chunk(pc.cast(pa.array(series, from_pandas=True), pa.string()))
    written = number or _written
    cells = series.astype(object).to_numpy()
    return pa.array([_cell(value, written) for value in cells], pa.string())


def _cell(value: Any, written: Any) -> str | None:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else written(float(value)) if np.isfinite(value) else str(value)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def narrowed(text: pa.Array) -> pa.Array:
    """Full-width forms made plain, blanks around taken off."""
    return pc.utf8_trim_whitespace(pc.utf8_normalize(text, "NFKC"))


def emptied(text: pa.Array, words: Sequence[str]) -> pa.Array:
    return pc.if_else(pc.is_in(pc.utf8_lower(text), pa.array(words)), pa.scalar(None, pa.string()), text)


def matches(text: pa.Array, pattern: str) -> Mask:
    found: Mask = pc.fill_null(pc.match_substring_regex(text, pattern), False).to_numpy(zero_copy_only=False)
    return found.copy()


def among(text: pa.Array, words: Sequence[str]) -> Mask:
    found: Mask = pc.is_in(text, pa.array(words)).to_numpy(zero_copy_only=False)
    present: Mask = text.is_valid().to_numpy(zero_copy_only=False)
    return found & present


def _one_chunk(text: pa.Array | pa.ChunkedArray) -> pa.Array:
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def as_series(text: pa.Array, like: pd.Series) -> pd.Series:
    return pd.Series(text.to_pandas(), index=None, dtype="str").set_axis(like.index)


def floats(text: pa.Array, where: Mask) -> NDArray[np.float64]:
    kept = pc.if_else(pa.array(where), text, pa.scalar(None, pa.string()))
    signless = pc.replace_substring_regex(kept, r"^\+|\.$", "")
    return np.array(pc.cast(signless, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
