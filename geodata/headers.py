"""What a header means: the columns of a file guessed to be fields of the model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd

from geodata.fields import FIELDS, Field, Kind
from geodata.ledger import parse_number
from geodata.personal import is_personal_header

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
        numbers, bad = parse_number(sample[column])
        numbers = numbers.dropna()
        fractions = (numbers != numbers.round(1)).mean() if len(numbers) else 0.0
        if bad.any() or fractions < 0.8:
            continue
        for target, (low, high) in (("lon", _CHINA_LON), ("lat", _CHINA_LAT)):
            if target not in found and numbers.between(low, high).all():
                found[target] = column
                break
    return found if len(found) == 2 else {}
