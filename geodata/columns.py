"""Columns of a file turned into the typed fields of the model, cell by cell answerable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata import ledger
from geodata.errors import GeodataError
from geodata.fields import FIELDS, Field, Kind
from geodata.headers import guess_mapping
from geodata.ledger import Mask
from geodata.personal import is_personal_header, personal_columns
from geodata.problems import Problem, Severity
from geodata.readers.source import header_hash

if TYPE_CHECKING:
    from geodata.readers.batch import Batch

__all__ = ["apply_mapping", "guess_mapping", "header_hash", "is_personal_header", "personal_columns"]
_SHOWN = 40


def apply_mapping(
    kind: Kind, batch: Batch, mapping: Mapping[str, str], *, tz: str = "Asia/Shanghai"
) -> tuple[pd.DataFrame, list[Problem]]:
    """All fields of ``kind``, typed, for the records of ``batch``, and what is wrong with which cell.

    The index holds the record numbers. Types: text and code ``str``, count ``Int64`` with a column
    ``<field>_approximate`` (bool) beside it, number ``float64``, date ``datetime64[s]``, time ``datetime64[us, UTC]``
    (naive times are of ``tz``), flag ``boolean``. A bad cell is NA. Raises ``COLUMN_REQUIRED``, ``COLUMN_UNKNOWN`` or
    ``FIELD_UNKNOWN`` for a mapping that does not fit.
    """
    fields = FIELDS[kind]
    _check_mapping(fields, batch.attributes.columns, mapping)
    table = batch.geometry is None
    index = pd.Index(batch.rows, name="row")
    columns: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for field in fields:
        if field.name in mapping:
            raw = batch.attributes[mapping[field.name]]
            values, found = _typed(field, raw, batch.rows, tz, table=table)
            problems += found
        else:
            values = _typed(field, pd.Series([None] * len(index), dtype="str"), batch.rows, tz, table=False)[0]
        columns |= {name: column.set_axis(index) for name, column in values.items()}
    return pd.DataFrame(columns, index=index), problems


def _check_mapping(fields: Sequence[Field], columns: Iterable[str], mapping: Mapping[str, str]) -> None:
    names = {field.name for field in fields}
    present = list(columns)
    for target, column in mapping.items():
        if target not in names:
            raise GeodataError("FIELD_UNKNOWN", field=target)
        if column not in present:
            raise GeodataError("COLUMN_UNKNOWN", column=column, columns="、".join(present[:30]))
    for field in fields:
        if field.required and field.name not in mapping:
            raise GeodataError("COLUMN_REQUIRED", field=field.name, field_zh=field.zh, field_en=field.en)


def _typed(
    field: Field, raw: pd.Series, rows: np.ndarray, tz: str, *, table: bool
) -> tuple[dict[str, pd.Series], list[Problem]]:
    """The typed column (and its companion) of one field, with the problems of its cells."""
    problems: list[Problem] = []

    def report(code: str, mask: Mask, severity: Severity = Severity.ERROR, numbers: pd.Series | None = None) -> None:
        for i in np.flatnonzero(mask).tolist():
            params = {"field": field.name, "field_zh": field.zh, "field_en": field.en, "value": _shown(raw.iat[i])}
            if numbers is not None:
                params["number"] = str(numbers.iat[i])
            problems.append(Problem(code, severity, int(rows[i]), params=params))

    refused = ledger.formulas(raw) if table else np.zeros(len(raw), bool)
    report("CELL_FORMULA", refused)
    if refused.any():
        raw = raw.mask(refused)
    companion: dict[str, pd.Series] = {}
    if field.type == "count":
        values, approximate, bad = ledger.parse_count(raw)
        negative = bad & (ledger.parse_number(raw).values < 0).to_numpy() if bad.any() else bad
        report("COUNT_NEGATIVE", negative)
        report("COUNT_INVALID", bad & ~negative)
        report("COUNT_APPROXIMATE", approximate, Severity.INFO, values)
        companion[f"{field.name}_approximate"] = pd.Series(approximate)
    else:
        values, bad = _parsed(field.type, raw, tz)
        report(_BAD[field.type], bad)
    if field.required:
        report("VALUE_MISSING", values.isna().to_numpy() & ~bad & ~refused)
    if field.type == "text":
        unreadable = values.str.contains("\ufffd", na=False, regex=False).to_numpy(bool)
        report("CELL_UNREADABLE", unreadable, Severity.WARNING)
    return {field.name: values, **companion}, problems


_BAD = {
    "text": "CELL_UNREADABLE",
    "code": "CODE_DIGITS_LOST",
    "number": "NUMBER_INVALID",
    "date": "DATE_INVALID",
    "time": "TIME_INVALID",
    "flag": "FLAG_INVALID",
}


def _parsed(type: str, raw: pd.Series, tz: str) -> ledger.Values:
    if type == "time":
        return ledger.parse_time(raw, tz)
    parsers = {
        "text": ledger.parse_text,
        "code": ledger.parse_code,
        "number": ledger.parse_number,
        "date": ledger.parse_date,
        "flag": ledger.parse_flag,
    }
    return parsers[type](raw)


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
