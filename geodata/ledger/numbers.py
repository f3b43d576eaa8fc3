"""Counts and numbers: "1,200", "约300户", "３万", "二十"."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.ledger.cells import EMPTY, UNIT, Counts, Mask, Values, among, emptied, floats, matches, narrowed, texts

_ABOUT = "约|大约|大概|近|将近|接近|至少|不足|超过|超|>|<|~|≈|≥|≤|>=|<="
_MORE = r"余|多|来|左右|上下|以上|以下|以内|\+|\?"
_NUMBER = (
    rf"^(?P<about>{_ABOUT})?(?P<sign>[-+])?(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<scale>[百千万])?(?P<more>{_MORE})?"
    rf"(?:{UNIT})?(?P<after>{_MORE})?$"
)
_PLAIN = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?$"
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}


def parse_count(series: pd.Series) -> Counts:
    """Non-negative whole numbers: "1,200", "约300户", "300余", "3万", "二十"; fractions and negatives are bad."""
    numbers, approximate, bad = _numbers(series)
    whole = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < 2.0**53)
    bad = bad | (np.isfinite(numbers) & ~whole)
    values = pd.array(np.where(whole, numbers, 0).astype(np.int64), dtype="Int64")
    values[~whole] = pd.NA
    return Counts(pd.Series(values, index=series.index), approximate & whole, bad)


def parse_number(series: pd.Series) -> Values:
    """Finite numbers (float64, NaN where empty), with thousands separators, full-width digits and plain units."""
    numbers, _approximate, bad = _numbers(series)
    return Values(pd.Series(numbers, index=series.index), bad)


def _numbers(series: pd.Series) -> tuple[NDArray[np.float64], Mask, Mask]:
    """Numbers (NaN where none), approximate, bad."""
    none = np.zeros(len(series), bool)
    if pd.api.types.is_numeric_dtype(series.dtype):
        numbers = series.to_numpy(np.float64, na_value=np.nan)
        infinite = np.isinf(numbers)
        return np.where(infinite, np.nan, numbers), none, infinite
    text = emptied(pc.utf8_lower(narrowed(texts(series))), EMPTY)
    present = text.is_valid().to_numpy(zero_copy_only=False)
    plain = matches(text, _PLAIN)
    numbers = floats(text, plain)
    rest = np.flatnonzero(present & ~plain)
    approximate = none.copy()
    if len(rest):
        numbers[rest], approximate[rest] = _worded(text.take(pa.array(rest)))
    infinite = np.isinf(numbers)
    numbers[infinite] = np.nan
    return numbers, approximate, present & np.isnan(numbers)


def _worded(text: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """Numbers with separators, units or words around them."""
    text = pc.replace_substring_regex(text, r"\s+", "")
    separated = matches(text, r"^[^\d]*\d{1,3}(,\d{3})+([^,\d].*)?$")
    text = pc.if_else(pa.array(separated), pc.replace_substring(text, ",", ""), text)
    parts = pc.extract_regex(text, _NUMBER)
    number = floats(pc.struct_field(parts, "number"), parts.is_valid().to_numpy(zero_copy_only=False))
    scale = among(pc.struct_field(parts, "scale"), ("万",)) * 9999.0 + 1
    scale += (
        among(pc.struct_field(parts, "scale"), ("千",)) * 999.0 + among(pc.struct_field(parts, "scale"), ("百",)) * 99.0
    )
    sign = np.where(among(pc.struct_field(parts, "sign"), ("-",)), -1.0, 1.0)
    numbers = np.round(number * scale * sign, 9)
    approximate = np.zeros(len(text), bool)
    for name in ("about", "more", "after"):
        approximate |= pc.fill_null(pc.utf8_length(pc.struct_field(parts, name)), 0).to_numpy(zero_copy_only=False) > 0
    for i in np.flatnonzero(np.isnan(numbers)).tolist():
        numbers[i], approximate[i] = _chinese(text[i].as_py())
    return numbers, approximate & ~np.isnan(numbers)


def _chinese(text: str) -> tuple[float, bool]:
    """Chinese numerals up to the thousands: 二十, 三百零五, 一千二百; NaN for anything else."""
    stripped = text.strip("约近户人口个栋幢层间家套名")
    body = stripped.removesuffix("左右").rstrip("余多来")
    total, digit = 0, 0
    for character in body:
        if character in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[character]
        elif character in _CHINESE_UNITS:
            total += (digit or 1) * _CHINESE_UNITS[character]
            digit = 0
        else:
            return np.nan, False
    return (float(total + digit), body != stripped or text[:1] in "约近") if body else (np.nan, False)
