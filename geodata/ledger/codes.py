"""Codes as text, mended or refused after a spreadsheet took them for numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geodata.ledger.cells import EMPTY, Values, as_series, emptied, matches, narrowed, texts

_LOST = "\x00lost"


def parse_code(series: pd.Series) -> Values:
    """Codes as text, zeros kept, inner spaces and a leading apostrophe dropped.

    330102001001.0 and 3.30102001001E+11 are repaired where no digit is lost; a number of more than 15 digits that came
    as a float, scientific notation with too few digits, and columns whose long codes all end in zeros after the 15th
    digit (what a spreadsheet leaves of them) are bad.
    """
    text = texts(series, number=_code_text)
    text = pc.replace_substring_regex(narrowed(text), r"^'+|\s+", "")
    text = pc.replace_substring_regex(text, r"^(\d+)\.0*$", r"\1")
    text = emptied(text, EMPTY)
    scientific = matches(text, r"^\d(?:\.\d+[eE]\+?|[eE]\+)\d{1,3}$")
    lost = matches(text, "^" + _LOST)
    if scientific.any() or lost.any():
        cells = text.to_numpy(zero_copy_only=False).copy()
        for i in np.flatnonzero(scientific):
            cells[i] = _expanded(cells[i])
            lost[i] = cells[i] is None
        cells[lost] = None
        text = pa.array(cells, pa.string())
    lengths = pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False)
    long = matches(text, r"^\d{16,}$")
    zeros = matches(text, r"^\d{15}0+$")
    if long.any() and (zeros == long).all() and (long.sum() > 2 or lengths[long].max() > 16):
        lost |= long
        text = pc.if_else(pa.array(long), pa.scalar(None, pa.string()), text)
    return Values(as_series(text, series), lost)


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
