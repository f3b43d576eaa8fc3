"""Personal data in tables: known by header and by content, reported, never passed on.

Source: GB 11643-1999 (citizen's identity number: 17 digits and a check character, ISO 7064 MOD 11-2).
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.fields import PERSONAL_HEADERS

_IDENTITY = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])")
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
#: Cheap sieve in RE2 (no look-around) before the exact patterns.
_SIEVE_IDENTITY = r"\d{17}[\dXx]"
_SIEVE_MOBILE = r"1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
#: Of eighteen digits the first number, and of eleven those that mobile phones have.
_FIRST_IDENTITY, _FIRST_MOBILE, _LAST_MOBILE = 1e17, 1.3e10, 2e10
_IDENTIFIERS = ("id", "编号", "编码", "代码", "单号", "code", "key", "number")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_personal_header(header: str) -> bool:
    """Whether ``header`` names personal data."""
    plain = _plain(header)
    return any(word in plain for word in PERSONAL_HEADERS)


def is_identifier_header(header: str) -> bool:
    """Whether ``header`` names a number or code, which may look like a mobile number and is none."""
    return _plain(header).endswith(_IDENTIFIERS)


def holds_identity(text: str) -> bool:
    """Whether ``text`` contains an identity number with a right check character."""
    return any(_checks(hit.group()) for hit in _IDENTITY.finditer(text))


def personal_cells(series: pd.Series, *, mobiles: bool = True) -> NDArray[np.bool_]:
    """Which cells of a column hold an identity number or, with ``mobiles``, a mobile phone number."""
    found = np.zeros(len(series), bool)
    if pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return found
    if pd.api.types.is_numeric_dtype(series.dtype):
        return _personal_numbers(series, mobiles=mobiles)
    text = series.astype("str")
    if text.str.contains("[０-９]", na=False).any():
        text = text.str.normalize("NFKC")
    sieve = text.str.contains(f"{_SIEVE_IDENTITY}|{_SIEVE_MOBILE}" if mobiles else _SIEVE_IDENTITY, na=False)
    for i in np.flatnonzero(sieve.to_numpy(bool)).tolist():
        cell = str(text.iat[i])
        found[i] = holds_identity(cell) or (mobiles and _MOBILE.search(cell) is not None)
    return found


def _personal_numbers(series: pd.Series, *, mobiles: bool) -> NDArray[np.bool_]:
    """As :func:`personal_cells`, of numbers: those of eleven or eighteen digits are looked at as text."""
    values = series.to_numpy(np.float64, na_value=np.nan)
    sieve = (values >= _FIRST_IDENTITY) & (values < 10 * _FIRST_IDENTITY)
    if mobiles:
        sieve |= (values >= _FIRST_MOBILE) & (values < _LAST_MOBILE) & (values == np.floor(values))
    found = np.zeros(len(series), bool)
    exact = series.to_numpy(object)
    for i in np.flatnonzero(sieve).tolist():
        cell = str(int(exact[i]))
        found[i] = holds_identity(cell) or (mobiles and _MOBILE.fullmatch(cell) is not None)
    return found


def personal_columns(sample: pd.DataFrame) -> list[str]:
    """Columns of ``sample`` that are personal by their header, or by content in a third of their filled cells."""
    found = []
    for position, header in enumerate(sample.columns):
        column = sample.iloc[:, position]
        filled = int(column.notna().sum())
        mobiles = not is_identifier_header(str(header))
        if is_personal_header(str(header)) or (filled and personal_cells(column, mobiles=mobiles).sum() >= filled / 3):
            found.append(str(header))
    return found


def _plain(header: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", header).lower() if c.isalnum())


def _checks(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()
