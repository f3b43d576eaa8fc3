"""Values as Chinese ledgers write them: "约300户", "１，２００", 2025.4.3, codes that went through a spreadsheet.

Every parser takes a column as a reader delivers it (text, numbers, or both) and returns whole columns: values of one
type, NA where empty or bad, and masks (n, bool). Nothing is guessed in silence: what is no value is ``bad``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

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
_TEXT_EMPTY = ("", "-", "--", "---", "—", "——", "–", "/", "//", "\\", "无")
_ABOUT = "约|大约|大概|近|将近|接近|至少|不足|超过|超|>|<|~|≈|≥|≤|>=|<="
_MORE = r"余|多|来|左右|上下|以上|以下|以内|\+|\?"
_UNIT = "户|人|口|个|栋|幢|座|层|间|家|套|名|位|元|条|件|次|处|m2|平方米|平米|平方|米|m|岁"
_NUMBER = (
    rf"^(?P<about>{_ABOUT})?(?P<sign>[-+])?(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<scale>[百千万])?(?P<more>{_MORE})?"
    rf"(?:{_UNIT})?(?P<after>{_MORE})?$"
)
_PLAIN = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?$"
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}

_DAY = r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?"
_MONTH = r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*月?(?P<d>)(?P<h>)(?P<mi>)(?P<s>)(?P<z>)$"
_COMPACT_DAY = r"^(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})"
_CLOCK = r"(?:[T\s]*(?P<h>\d{1,2})\s*[:时点]\s*(?P<mi>\d{1,2})?(?:\s*[:分]\s*(?P<s>\d{1,2}(?:[.,]\d+)?)?)?\s*[分秒]?)?"
_COMPACT_CLOCK = r"(?:[T\s]?(?P<h>\d{2}):?(?P<mi>\d{2})(?::?(?P<s>\d{2}(?:\.\d+)?))?)?"
_ZONE = r"\s*(?P<z>Z|z|UTC|GMT|[-+]\d{2}:?\d{2}|[-+]\d{2})?$"
_EXCEL_EPOCH = np.datetime64("1899-12-30", "us")
_SERIALS = (20_000, 80_000)  # 1954 to 2119
_YEARS = (1900, 2100)

_YES = ("是", "有", "true", "t", "yes", "y", "1", "√", "✓", "✔", "对", "on", "1.0")
_TAGGED = (
    "building_passage",
    "culvert",
    "covered",
    "viaduct",
    "aqueduct",
    "boardwalk",
    "movable",
    "cantilever",
    "trestle",
)
_NO = ("否", "无", "没有", "false", "f", "no", "n", "0", "×", "✗", "✘", "x", "错", "off", "0.0")

#: A cell a spreadsheet would compute. Numbers with a sign and rows of dashes are none.
_FORMULA = r"^[=@]|^[-+]"
_SIGNED = rf"^[-+]\s*[\d.,，]+\s*(?:[eE][-+]?\d+)?\s*(?:{_UNIT}|㎡|m²|%|号|楼|号楼|F|f)?$|^[-+—]+$"


class Counts(NamedTuple):
    """Whole numbers (Int64), which of them were said to be approximate, and which cells are no such number."""

    values: pd.Series
    approximate: Mask
    bad: Mask


class Values(NamedTuple):
    """Values of one type, and which cells are no such value."""

    values: pd.Series
    bad: Mask


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


def parse_date(series: pd.Series) -> Values:
    """Days (datetime64[s], no zone): 20250403, 2025.4.3, 2025/4/3, 2025年4月3日, 2025年4月 (its first), Excel serials.

    Day-first and month-first forms are ambiguous and bad.
    """
    moments, _zoned, bad = _moments(series, _MONTH)
    days = moments.astype("datetime64[D]").astype("datetime64[s]")
    return Values(pd.Series(days, index=series.index), bad)


def parse_time(series: pd.Series, tz: str = "Asia/Shanghai") -> Values:
    """Moments (datetime64[us, UTC]); without zone it is local time of ``tz``, whose repeated hour means winter time."""
    moments, zoned, bad = _moments(series)
    local = pd.DatetimeIndex(np.where(zoned, np.datetime64("NaT", "us"), moments))
    utc = local.tz_localize(ZoneInfo(tz), ambiguous=np.zeros(len(local), bool), nonexistent="shift_forward").tz_convert(
        "UTC"
    )
    merged = utc.where(~zoned, pd.DatetimeIndex(moments).tz_localize("UTC")).as_unit("us")
    return Values(pd.Series(merged, index=series.index), bad)


def parse_code(series: pd.Series) -> Values:
    """Codes as text, zeros kept, inner spaces and a leading apostrophe dropped.

    330102001001.0 and 3.30102001001E+11 are repaired where no digit is lost; a number of more than 15 digits that came
    as a float, scientific notation with too few digits, and columns whose long codes all end in zeros after the 15th
    digit (what a spreadsheet leaves of them) are bad.
    """
    text = _texts(series, number=_code_text)
    text = pc.replace_substring_regex(_words(text), r"^'+|\s+", "")
    text = pc.replace_substring_regex(text, r"^(\d+)\.0*$", r"\1")
    text = _emptied(text, EMPTY)
    scientific = _matches(text, r"^\d(?:\.\d+[eE]\+?|[eE]\+)\d{1,3}$")
    lost = _matches(text, "^" + _LOST)
    if scientific.any() or lost.any():
        cells = text.to_numpy(zero_copy_only=False).copy()
        for i in np.flatnonzero(scientific):
            cells[i] = _expanded(cells[i])
            lost[i] = cells[i] is None
        cells[lost] = None
        text = pa.array(cells, pa.string())
    lengths = pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False)
    long = _matches(text, r"^\d{16,}$")
    zeros = _matches(text, r"^\d{15}0+$")
    if long.any() and (zeros == long).all() and (long.sum() > 2 or lengths[long].max() > 16):
        lost |= long
        text = pc.if_else(pa.array(long), pa.scalar(None, pa.string()), text)
    return Values(_series(text, series), lost)


def parse_flag(series: pd.Series) -> Values:
    """Yes and no (boolean): 是/否, 有/无, true/false, 1/0, √/×, and OpenStreetMap's words for tunnel and bridge."""
    text = pc.utf8_lower(_words(_texts(series)))
    yes = _among(text, (*_YES, *_TAGGED))
    no = _among(text, _NO)
    empty = ~text.is_valid().to_numpy(zero_copy_only=False) | _among(text, EMPTY)
    values = pd.array(yes, dtype="boolean")
    values[~yes & ~no] = pd.NA
    return Values(pd.Series(values, index=series.index), ~yes & ~no & ~empty)


def parse_text(series: pd.Series) -> Values:
    """Text without blanks around it, NA where empty; the apostrophe that guards against formulas is taken off."""
    text = pc.utf8_trim_whitespace(_texts(series))
    text = pc.replace_substring_regex(text, r"^'('*[=+\-@])", r"\1")
    return Values(_series(_emptied(text, _TEXT_EMPTY), series), np.zeros(len(series), bool))


def formulas(series: pd.Series) -> Mask:
    """Cells that a spreadsheet would compute: they begin with = + - @ and are no number."""
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return np.zeros(len(series), bool)
    text = pc.utf8_trim_whitespace(_texts(series))
    return _matches(text, _FORMULA) & ~_matches(text, _SIGNED)


def _numbers(series: pd.Series) -> tuple[NDArray[np.float64], Mask, Mask]:
    """Numbers (NaN where none), approximate, bad."""
    none = np.zeros(len(series), bool)
    if pd.api.types.is_numeric_dtype(series.dtype):
        numbers = series.to_numpy(np.float64, na_value=np.nan)
        infinite = np.isinf(numbers)
        return np.where(infinite, np.nan, numbers), none, infinite
    text = _emptied(pc.utf8_lower(_words(_texts(series))), EMPTY)
    present = text.is_valid().to_numpy(zero_copy_only=False)
    plain = _matches(text, _PLAIN)
    numbers = _floats(text, plain)
    rest = np.flatnonzero(present & ~plain)
    approximate = none.copy()
    if len(rest):
        numbers[rest], approximate[rest] = _worded(text.take(pa.array(rest)))
    infinite = np.isinf(numbers)
    numbers[infinite] = np.nan
    return numbers, approximate, present & np.isnan(numbers)


def _floats(text: pa.Array, where: Mask) -> NDArray[np.float64]:
    kept = pc.if_else(pa.array(where), text, pa.scalar(None, pa.string()))
    signless = pc.replace_substring_regex(kept, r"^\+|\.$", "")
    return np.array(pc.cast(signless, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _worded(text: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """Numbers with separators, units or words around them."""
    text = pc.replace_substring_regex(text, r"\s+", "")
    separated = _matches(text, r"^[^\d]*\d{1,3}(,\d{3})+([^,\d].*)?$")
    text = pc.if_else(pa.array(separated), pc.replace_substring(text, ",", ""), text)
    parts = pc.extract_regex(text, _NUMBER)
    number = _floats(pc.struct_field(parts, "number"), parts.is_valid().to_numpy(zero_copy_only=False))
    scale = _among(pc.struct_field(parts, "scale"), ("万",)) * 9999.0 + 1
    scale += (
        _among(pc.struct_field(parts, "scale"), ("千",)) * 999.0
        + _among(pc.struct_field(parts, "scale"), ("百",)) * 99.0
    )
    sign = np.where(_among(pc.struct_field(parts, "sign"), ("-",)), -1.0, 1.0)
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


def _moments(series: pd.Series, *further: str) -> tuple[NDArray[np.datetime64], Mask, Mask]:
    """Moments (datetime64[us]; UTC where zoned, else as written), zoned, bad."""
    none = np.zeros(len(series), bool)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]"), ~none, none
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.to_numpy("datetime64[us]"), none, none
    text = _emptied(_words(_texts(series)), EMPTY)
    present = text.is_valid().to_numpy(zero_copy_only=False)
    moments = np.full(len(series), np.datetime64("NaT"), "datetime64[us]")
    zoned = none.copy()
    left = np.flatnonzero(present)
    for pattern in (_DAY + _CLOCK + _ZONE, _COMPACT_DAY + _COMPACT_CLOCK + _ZONE, *further):
        if len(left):
            parts = pc.extract_regex(text if len(left) == len(text) else text.take(pa.array(left)), pattern)
            moments[left], zoned[left] = _assembled(parts)
            left = left[np.isnat(moments[left])]
    if len(left):
        rest = text.take(pa.array(left))
        serial = _floats(rest, _matches(rest, r"^\d{5}(?:\.\d+)?$"))
        fits = (serial >= _SERIALS[0]) & (serial < _SERIALS[1])
        microseconds = np.where(fits, np.round(serial * 86400) * 1e6, 0).astype("timedelta64[us]")
        moments[left[fits]] = _EXCEL_EPOCH + microseconds[fits]
    return moments, zoned, present & np.isnat(moments)


def _assembled(parts: pa.StructArray) -> tuple[NDArray[np.datetime64], Mask]:
    """Fields of a matched pattern as moments; NaT where the calendar or the clock has no such day or hour."""

    def number(name: str, default: float = 0) -> NDArray[np.float64]:
        field = pc.replace_substring(pc.struct_field(parts, name), ",", ".")
        filled = pc.if_else(pc.equal(pc.utf8_length(field), 0), pa.scalar(None, pa.string()), field)
        return np.array(pc.fill_null(pc.cast(filled, pa.float64()), default).to_numpy(zero_copy_only=False))

    matched = parts.is_valid().to_numpy(zero_copy_only=False)
    year, month, day = number("y"), number("mo"), number("d", 1)
    hour, minute, second = number("h"), number("mi"), number("s")
    valid = matched & (year >= _YEARS[0]) & (year <= _YEARS[1]) & (month >= 1) & (month <= 12)
    valid &= (day >= 1) & (hour <= 24) & (minute < 60) & (second < 61) & ((hour < 24) | (minute + second == 0))
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(valid, day - 1, 0).astype("timedelta64[D]")
    valid &= days.astype("datetime64[M]") == months
    clock = np.where(valid, (hour * 3600 + minute * 60) * 1e6 + np.round(second * 1e6), 0)
    moments = days.astype("datetime64[us]") + clock.astype("timedelta64[us]")
    zones = pc.fill_null(pc.struct_field(parts, "z"), "").dictionary_encode()
    names = zones.dictionary.to_pylist()
    offsets = np.array([_offset_s(name) for name in names] or [0])[zones.indices.to_numpy(zero_copy_only=False)]
    zoned = np.array([bool(name) for name in names] or [False])[zones.indices.to_numpy(zero_copy_only=False)]
    moments = moments - (offsets * 1_000_000).astype("timedelta64[us]")
    moments[~valid] = np.datetime64("NaT")
    return moments, zoned & valid


def _offset_s(zone: str) -> int:
    """Seconds east of Greenwich of "Z", "+08:00", "+0800" or "+08"."""
    if zone[:1] not in ("+", "-"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


_LOST = "\x00lost"


def _code_text(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    if not number.is_integer():
        return repr(number)
    return str(int(number)) if abs(number) < 1e15 else _LOST


def _expanded(scientific: str) -> str | None:
    """3.30102001001E+11 as 330102001001; None where the mantissa has fewer digits than the number."""
    mantissa, _, exponent = scientific.upper().partition("E")
    digits = mantissa.replace(".", "")
    length = int(exponent) + 1
    return digits if len(digits) == length and length <= 15 else None


def _texts(series: pd.Series, number: Any = None) -> pa.Array:
    """A column as Arrow text; numbers as a person would write them (``number`` says how)."""
    if isinstance(series.dtype, pd.StringDtype):
        return _one_chunk(pa.array(series, pa.string(), from_pandas=True))
    if pd.api.types.is_integer_dtype(series.dtype):
        return _one_chunk(pc.cast(pa.array(series, from_pandas=True), pa.string()))
    written = number or _code_text_or_repr
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


def _code_text_or_repr(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _words(text: pa.Array) -> pa.Array:
    """Full-width forms made plain, blanks around taken off."""
    return pc.utf8_trim_whitespace(pc.utf8_normalize(text, "NFKC"))


def _emptied(text: pa.Array, words: Sequence[str]) -> pa.Array:
    return pc.if_else(pc.is_in(pc.utf8_lower(text), pa.array(words)), pa.scalar(None, pa.string()), text)


def _matches(text: pa.Array, pattern: str) -> Mask:
    found: Mask = pc.fill_null(pc.match_substring_regex(text, pattern), False).to_numpy(zero_copy_only=False)
    return found.copy()


def _among(text: pa.Array, words: Sequence[str]) -> Mask:
    found: Mask = pc.is_in(text, pa.array(words)).to_numpy(zero_copy_only=False)
    present: Mask = text.is_valid().to_numpy(zero_copy_only=False)
    return found & present


def _one_chunk(text: pa.Array | pa.ChunkedArray) -> pa.Array:
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _series(text: pa.Array, like: pd.Series) -> pd.Series:
    return pd.Series(text.to_pandas(), index=None, dtype="str").set_axis(like.index)
