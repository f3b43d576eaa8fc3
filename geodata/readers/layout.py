"""How a ledger lies on its sheet: titles, a header of one to three rows, remarks, records, totals, notes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geodata.fields import FIELDS
from geodata.problems import Problem, Severity

Row = Sequence[Any]

#: Rows looked at to find the header.
HEAD_ROWS = 40
_MAX_HEADER_ROWS = 3
_TOTALS = {"合计", "总计", "小计", "共计", "累计", "total", "subtotal", "grandtotal", "sum"}
_NOTE_WORDS = ("注", "备注", "说明", "制表", "填报", "填表", "审核", "复核", "负责人", "单位", "联系人")
_NOTE = re.compile(rf"^(?:{'|'.join(_NOTE_WORDS)})[^,，]{{0,6}}[:：]")
#: First characters of lines that need a second look; all others are records.
_STARTS = frozenset(word[0] for word in (*_TOTALS, *_NOTE_WORDS))
_REMARK = re.compile(r"必填|选填|必选|填写|示例|格式|下拉|如[:：]|例如|例[:：]|说明[:：]|^[（(].*[)）]$")
_UNITS = {"户", "人", "㎡", "m2", "m²", "平方米", "平方公里", "元", "个", "栋", "幢", "层", "米", "m", "%", "度", "年"}
_NUMERIC = re.compile(r"^[约近+-]?[\d０-９][\d０-９,，.:：/年月日时分秒 TZ+-]*[户人余多层㎡个栋米元%]?$")


def squeezed(value: Any) -> str:
    """A cell or header as text for comparison: NFKC, lower case, without spaces."""
    return "".join(unicodedata.normalize("NFKC", str(value)).lower().split())


_VOCABULARY = {word for fields in FIELDS.values() for f in fields for word in (*f.guesses, f.zh, f.en)}


@dataclass(frozen=True, slots=True)
class Layout:
    """``columns``: unique headers, multi-row ones joined by "/"; ``data_from``: 0-based line of the first record.

    ``starts``: first characters of lines that may be something else than a record.
    """

    columns: list[str]
    data_from: int
    header_rows: tuple[tuple[str, ...], ...]
    notes: list[Problem]
    starts: frozenset[str]

    def verdict(self, row: Row) -> str:
        """What a line after the header is: "data", "blank", "totals", "note" or "header" (repeated on a new page)."""
        first = next((value for value in row if not _empty(value)), None)
        if first is None:
            return "blank"
        if not isinstance(first, str) or first.lstrip()[:1].lower() not in self.starts:
            return "data"
        word = squeezed(first).rstrip(":")
        if word in _TOTALS:
            return "totals"
        if self.header_rows and any(header[:1] == (word,) for header in self.header_rows) and self._repeats(row):
            return "header"
        filled = sum(not _empty(value) for value in row)
        few = len(self.columns) > 2 and filled <= max(2, len(self.columns) // 3)
        return "note" if few and _NOTE.match(word + ":") else "data"

    def _repeats(self, row: Row) -> bool:
        width = len(self.columns)
        cells = ["" if _empty(value) else squeezed(value) for value in row[:width]]
        return tuple(cells + [""] * (width - len(cells))) in self.header_rows


def find(head: Sequence[Row]) -> Layout:
    """The layout of a table from its first ``HEAD_ROWS`` lines."""
    rows = [[("" if _empty(value) else str(value).strip()) for value in row] for row in head]
    width = max((_last_filled(row) + 1 for row in rows), default=0)
    rows = [(row + [""] * width)[:width] for row in rows]
    start = _header_start(rows)
    levels = 1
    while levels < _MAX_HEADER_ROWS and _continues(rows, start, levels):
        levels += 1
    after = start + levels
    width = _named_width(rows[start:after], rows[after:])
    rows = [row[:width] for row in rows]
    header = rows[start:after]
    notes = [Problem("LEDGER_TITLE", Severity.INFO, params={"lines": start})] if any(map(any, rows[:start])) else []
    while after < len(rows) and _is_remark(rows[after], rows[after + 1 :]):
        notes.append(Problem("LEDGER_REMARK", Severity.INFO, params={"line": after + 1}))
        after += 1
    if levels > 1:
        notes.append(Problem("LEDGER_MERGED_HEADER", Severity.INFO, params={"rows": levels}))
    squeezed_rows = tuple(tuple(squeezed(cell) for cell in row) for row in header)
    starts = {row[0][:1].lower() for row in (*header, *squeezed_rows) if row and row[0]}
    return Layout(_flattened(header), after, squeezed_rows, notes, frozenset(starts) | _STARTS)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def _last_filled(row: Row) -> int:
    return max((i for i, value in enumerate(row) if value), default=-1)


def _is_text(cell: str) -> bool:
    return bool(cell) and not _NUMERIC.match(cell)


def _known(row: Sequence[str]) -> int:
    return sum(squeezed(cell).strip("*") in _VOCABULARY for cell in row if cell)


def _header_start(rows: Sequence[Sequence[str]]) -> int:
    """The first row that is mostly filled with words; titles fill one cell, form lines ("填报单位：…") hold a colon."""
    typical = Counter(sum(map(bool, row)) for row in rows if any(row))
    usual = max((count for count, times in typical.items() if times > 1), default=max(typical, default=1))
    for i, row in enumerate(rows):
        filled = [cell for cell in row if cell]
        words = sum(map(_is_text, filled))
        form = len(filled) < usual * 0.8 and any("：" in cell or ":" in cell for cell in filled)
        wide = len(filled) >= usual * 0.4 or _known(row) >= 2
        if len(filled) >= min(2, usual) and words >= len(filled) * 0.6 and wide and not form:
            return i
    return next((i for i, row in enumerate(rows) if any(row)), 0)


def _continues(rows: Sequence[Sequence[str]], start: int, levels: int) -> bool:
    """Whether the next line is a further row of the header: words only, and it fills the gaps of the rows above."""
    below = start + levels
    if below >= len(rows) or not any(rows[below]):
        return False
    above = [any(rows[start + k][i] for k in range(levels)) for i in range(len(rows[below]))]
    nxt = rows[below]
    if not all(_is_text(cell) for cell in nxt if cell) or any(_REMARK.search(cell) for cell in nxt if cell):
        return False
    gaps = [i for i, filled in enumerate(above) if not filled]
    top_gaps = [i for i, cell in enumerate(rows[below - 1]) if not cell]
    if not top_gaps or not any(nxt[i] for i in top_gaps) or any(not nxt[i] for i in gaps):
        return False
    leaves_merged = any(above[i] and not cell for i, cell in enumerate(nxt))
    follows = [row for row in rows[below + 1 :] if any(row)]
    numeric_below = any(cell and not _is_text(cell) for row in follows[:3] for cell in row)
    return _known(nxt) > 0 or (leaves_merged and numeric_below)


def _is_remark(row: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    filled = [cell for cell in row if cell]
    if not filled or not any(map(any, following)):
        return False
    below = next(other for other in following if any(other))
    if not any(_is_text(cell) and below[i] and not _is_text(below[i]) for i, cell in enumerate(row)):
        return False  # without numbers below there is no telling a remark from a record
    units = all(squeezed(cell).strip("()") in _UNITS for cell in filled)
    return units or (all(map(_is_text, filled)) and any(_REMARK.search(cell) for cell in filled))


def _named_width(header: Sequence[Sequence[str]], records: Sequence[Sequence[str]]) -> int:
    """Columns up to the last named one; nameless ones after it only where half of the records fill them."""
    width = max((_last_filled(row) + 1 for row in header), default=0)
    for i in range(width, len(header[0]) if header else 0):
        if 2 * sum(bool(row[i]) for row in records) >= max(1, len(records)):
            width = i + 1
    return width


def _flattened(header: Sequence[Sequence[str]]) -> list[str]:
    """One unique name a column: "户数/常住"; a merged cell above reaches right over the gaps that are filled below."""
    spread = []
    for level, row in enumerate(header):
        carried = list(row)
        for i in range(1, len(row)):
            below = any(lower[i] for lower in header[level + 1 :])
            if not carried[i] and below and not any(upper[i] for upper in header[:level]):
                carried[i] = carried[i - 1]
        spread.append(carried)
    names: list[str] = []
    for i in range(len(header[0]) if header else 0):
        parts = dict.fromkeys(" ".join(row[i].split()) for row in spread if row[i])
        name = "/".join(parts).removeprefix("*").strip() or f"列{i + 1}"
        serial = 2
        unique = name
        while unique in names:
            unique = f"{name}_{serial}"
            serial += 1
        names.append(unique)
    return names
