"""Columns of a file and fields of the model: guess which is which, and turn one into the other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata import ledger
from geodata.errors import GeodataError
from geodata.fields import FIELDS, Field, Kind
from geodata.ledger import Mask
from geodata.personal import is_personal_header, personal_cells, personal_columns
from geodata.problems import Problem, Severity
from geodata.readers.source import header_hash

if TYPE_CHECKING:
    from geodata.readers.batch import Batch

__all__ = ["apply_mapping", "guess_mapping", "header_hash", "is_personal_header", "personal_columns"]

#: Words that stand in too many headers to say anything as a part of one.
_GENERIC = {
    "名称",
    "编码",
    "代码",
    "编号",
    "类型",
    "级别",
    "等级",
    "来源",
    "日期",
    "时间",
    "地点",
    "地址",
    "位置",
    "类别",
    "部门",
    "上级",
    "大类",
}
_DECORATION = re.compile(r"[（(\[【].*?[)）\]】]|[\s_\-*：:.．]+")
_SUFFIXES = ("总数量", "数量", "总数", "情况", "统计", "合计", "数")
_PREFIXES = ("实有", "现有", "登记", "实际", "本", "总")
#: Preferred among columns that mean the same: the sum before its parts.
_WHOLE = ("合计", "总", "小计", "常住", "total")
#: Longitudes and latitudes of China, for columns whose headers say nothing.
_CHINA_LON, _CHINA_LAT = (73.0, 136.0), (3.0, 54.0)
_SHOWN = 40
#: Fields that name a record: a column that repeats its values is none, whatever its header.
_IDENTIFIERS = {"key", "code", "number"}


def guess_mapping(kind: Kind, columns: Sequence[str], sample: pd.DataFrame | None = None) -> dict[str, str]:
    """The likely column of each field of ``kind``; each column serves one field, personal columns none.

    Headers are compared in Chinese and English, full-width or not, cut at ten bytes (Shapefile), with the usual
    prefixes and suffixes; ``sample`` (some records) finds longitude and latitude by their range.
    """
    usable = [name for name in columns if not is_personal_header(name)]
    scored = sorted(
        (
            (-score, order, position, field.name, column)
            for order, field in enumerate(FIELDS[kind])
            for position, column in enumerate(usable)
            if (score := _score(field, column)) > 0
        ),
    )
    mapping: dict[str, str] = {}
    for *_rank, target, column in scored:
        if (
            target not in mapping
            and column not in mapping.values()
            and not (target in _IDENTIFIERS and sample is not None and _repeats(sample[column]))
        ):
            mapping[target] = column
    if sample is not None and any(field.name == "lon" for field in FIELDS[kind]):
        mapping |= _lonlat_by_range(sample, [c for c in usable if c not in mapping.values()], mapping)
    return {field.name: mapping[field.name] for field in FIELDS[kind] if field.name in mapping}


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
    if field.type in ("text", "code"):
        personal = personal_cells(raw, mobiles=field.type == "text")
        for i in np.flatnonzero(personal).tolist():
            params = {"field": field.name, "field_zh": field.zh, "field_en": field.en}
            problems.append(Problem("PERSONAL_VALUE", Severity.ERROR, int(rows[i]), params=params))
        refused = refused | personal
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


def _plain(header: str) -> str:
    """A header for comparison: NFKC, lower case, without blanks, punctuation and bracketed units."""
    text = unicodedata.normalize("NFKC", header).lower()
    return _DECORATION.sub("", text) or "".join(text.split())


def _core(header: str) -> str:
    """A plain header without the usual prefixes and suffixes: 总户数 and 户数量 are both 户."""
    for suffix in _SUFFIXES:
        if header.endswith(suffix) and len(header) > len(suffix):
            header = header.removesuffix(suffix)
            break
    for prefix in _PREFIXES:
        if header.startswith(prefix) and len(header) > len(prefix):
            return header.removeprefix(prefix)
    return header


def _score(field: Field, column: str) -> float:
    """How well ``column`` names ``field``: 100 for the first guess itself, 0 for not at all."""
    parts = column.split("/")
    candidates = [(column, 0.0)]
    if len(parts) > 1:
        candidates += [("".join(parts), 0), ("".join(reversed(parts)), 1), (parts[-1], 10), (parts[0], 15)]
    best = max(_score_plain(field, _plain(name)) - cost for name, cost in candidates)
    return best + (2 if best > 0 and any(word in column.lower() for word in _WHOLE) else 0)


def _score_plain(field: Field, header: str) -> float:
    best = 0.0
    guesses = [_plain(guess) for guess in (*field.guesses, field.zh, field.en)]
    for rank, guess in enumerate(guesses):
        if header == guess:
            return 100 - rank
        chinese = not guess.isascii()
        if chinese and _core(header) == _core(guess) and len(_core(guess)) > 0:
            best = max(best, 70 - rank)
        if guess.startswith(header) and _is_cut(header):
            best = max(best, 60 - rank)
        if chinese and len(guess) > 1 and guess in header and guess not in _GENERIC:
            best = max(best, 40 + len(guess) - rank / 10)
    return best


def _is_cut(header: str) -> bool:
    """Whether ``header`` is as long as a Shapefile allows: ten bytes, less the half of a character."""
    return any(8 < len(header.encode(encoding)) <= 10 for encoding in ("utf-8", "gb18030"))


def _repeats(sample: pd.Series) -> bool:
    filled = sample.dropna()
    return len(filled) >= 5 and filled.nunique() < 0.8 * len(filled)


def _lonlat_by_range(sample: pd.DataFrame, columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Longitude and latitude among ``columns`` by their values, both or none."""
    if "lon" in mapping or "lat" in mapping:
        return {}
    found: dict[str, str] = {}
    for column in columns:
        numbers, bad = ledger.parse_number(sample[column])
        numbers = numbers.dropna()
        fractions = (numbers != numbers.round(1)).mean() if len(numbers) else 0.0
        if bad.any() or fractions < 0.8:
            continue
        for target, (low, high) in (("lon", _CHINA_LON), ("lat", _CHINA_LAT)):
            if target not in found and numbers.between(low, high).all():
                found[target] = column
                break
    return found if len(found) == 2 else {}
