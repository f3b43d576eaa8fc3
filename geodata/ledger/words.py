"""Text, yes and no, and cells that a spreadsheet would compute."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from geodata.ledger.cells import EMPTY, UNIT, Mask, Values, among, as_series, emptied, matches, narrowed, texts

_TEXT_EMPTY = ("", "-", "--", "---", "—", "——", "–", "/", "//", "\\", "无")
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
_SIGNED = rf"^[-+]\s*[\d.,，]+\s*(?:[eE][-+]?\d+)?\s*(?:{UNIT}|㎡|m²|%|号|楼|号楼|F|f)?$|^[-+—]+$"


def parse_flag(series: pd.Series) -> Values:
    """Yes and no (boolean): 是/否, 有/无, true/false, 1/0, √/×, and OpenStreetMap's words for tunnel and bridge."""
    text = pc.utf8_lower(narrowed(texts(series)))
    yes = among(text, (*_YES, *_TAGGED))
    no = among(text, _NO)
    empty = ~text.is_valid().to_numpy(zero_copy_only=False) | among(text, EMPTY)
    values = pd.array(yes, dtype="boolean")
    values[~yes & ~no] = pd.NA
    return Values(pd.Series(values, index=series.index), ~yes & ~no & ~empty)


def parse_text(series: pd.Series) -> Values:
    """Text without blanks around it, NA where empty; the apostrophe that guards against formulas is taken off."""
    text = pc.utf8_trim_whitespace(texts(series))
    text = pc.replace_substring_regex(text, r"^'('*[=+\-@])", r"\1")
    return Values(as_series(emptied(text, _TEXT_EMPTY), series), np.zeros(len(series), bool))


def formulas(series: pd.Series) -> Mask:
    """Cells that a spreadsheet would compute: they begin with = + - @ and are no number."""
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return np.zeros(len(series), bool)
    text = pc.utf8_trim_whitespace(texts(series))
    return matches(text, _FORMULA) & ~matches(text, _SIGNED)
