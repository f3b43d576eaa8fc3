"""Days and times: 20250403, 2025.4.3, 2025年4月3日 8时5分, ISO 8601, Excel serials."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.ledger.cells import EMPTY, Mask, Values, emptied, floats, matches, narrowed, texts

_DAY = r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?"
_MONTH = r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*月?(?P<d>)(?P<h>)(?P<mi>)(?P<s>)(?P<z>)$"
_COMPACT_DAY = r"^(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})"
_CLOCK = r"(?:[T\s]*(?P<h>\d{1,2})\s*[:时点]\s*(?P<mi>\d{1,2})?(?:\s*[:分]\s*(?P<s>\d{1,2}(?:[.,]\d+)?)?)?\s*[分秒]?)?"
_COMPACT_CLOCK = r"(?:[T\s]?(?P<h>\d{2}):?(?P<mi>\d{2})(?::?(?P<s>\d{2}(?:\.\d+)?))?)?"
_ZONE = r"\s*(?P<z>Z|z|UTC|GMT|[-+]\d{2}:?\d{2}|[-+]\d{2})?$"
_EXCEL_EPOCH = np.datetime64("1899-12-30", "us")
_SERIALS = (20_000, 80_000)  # 1954 to 2119
_YEARS = (1900, 2100)


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


def _moments(series: pd.Series, *further: str) -> tuple[NDArray[np.datetime64], Mask, Mask]:
    """Moments (datetime64[us]; UTC where zoned, else as written), zoned, bad."""
    none = np.zeros(len(series), bool)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]"), ~none, none
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.to_numpy("datetime64[us]"), none, none
    text = emptied(narrowed(texts(series)), EMPTY)
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
        serial = floats(rest, matches(rest, r"^\d{5}(?:\.\d+)?$"))
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
