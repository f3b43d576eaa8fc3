"""CSV and XLSX ledgers as batches of records."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geodata.errors import GeodataError
from geodata.problems import Problem, Severity
from geodata.readers import layout
from geodata.readers.archive import Limits
from geodata.readers.batch import Batch
from geodata.readers.encoding import BY_FORMAT, of_file
from geodata.readers.formats import Format
from geodata.readers.merged import Merges, filled
from geodata.readers.sheets import check_workbook, csv_lines, sheet_merges, xlsx_head, xlsx_lines

_REPORTED = {"totals": "LEDGER_TOTALS", "note": "LEDGER_NOTE", "header": "LEDGER_REPEATED_HEADER"}


class TableReader:
    """A CSV file or a sheet of a workbook. ``first_line``: 1-based line of the first record on the sheet."""

    def __init__(self, path: Path, form: Format, *, encoding: str | None, layer: str | None, limits: Limits) -> None:
        self.crs_wkt: str | None = None
        self.row_count: int | None = None
        self.geometry_type: str | None = None
        head: Sequence[Sequence[Any]]
        if form is Format.XLSX:
            check_workbook(path, limits)
            self.encoding = BY_FORMAT
            names, self.layer, head = xlsx_head(path, layer, layout.HEAD_ROWS)
        else:
            self.encoding = of_file(path, encoding)
            names, self.layer = ["csv"], "csv"
            head = list(itertools.islice(csv_lines(path, self.encoding), layout.HEAD_ROWS))
        self.layers: Sequence[str] = names
        self._form = form
        self._path = path
        self._layout = layout.find(head)
        if not self._layout.columns:
            raise GeodataError("TABLE_EMPTY", name=path.name)
        self.columns = self._layout.columns
        self.first_line = self._layout.data_from + 1
        self.notes: list[Problem] = list(self._layout.notes)
        self._merges: Merges = sheet_merges(path, self.layer) if form is Format.XLSX else {}
        if cells := sum(len(spans) for line, spans in self._merges.items() if line >= self._layout.data_from):
            self.notes.append(Problem("LEDGER_MERGED_CELLS", Severity.INFO, params={"cells": cells}))

    def batches(self, size: int) -> Iterator[Batch]:
        rows: list[int] = []
        cells: list[Sequence[Any]] = []
        problems: list[Problem] = []
        width = len(self.columns)
        verdict = self._layout.verdict
        for number, line in enumerate(itertools.islice(self._lines(width + 1), self._layout.data_from, None), 1):
            kind = verdict(line)
            if kind == "data":
                if len(line) > width and any(line[width:]):
                    problems.append(
                        Problem("ROW_TOO_LONG", Severity.ERROR, number, params={"cells": len(line), "columns": width})
                    )
                rows.append(number)
                cells.append(line)
            elif kind in _REPORTED:
                problems.append(Problem(_REPORTED[kind], Severity.INFO, number))
            if len(rows) >= size:
                yield Batch(np.array(rows, np.int64), self._frame(cells), problems=problems)
                rows, cells, problems = [], [], []
        if rows or problems:
            yield Batch(np.array(rows, np.int64), self._frame(cells), problems=problems)

    def _lines(self, width: int) -> Iterator[Sequence[Any]]:
        if self._form is Format.XLSX:
            return filled(xlsx_lines(self._path, self.layer, width), self._merges)
        return csv_lines(self._path, self.encoding)

    def _frame(self, cells: list[Sequence[Any]]) -> pd.DataFrame:
        width = len(self.columns)
        build: Callable[[Sequence[Any]], pd.Series] = _mixed if self._form is Format.XLSX else _text
        columns = list(itertools.zip_longest(*cells))[:width]
        columns += [(None,) * len(cells)] * (width - len(columns))
        frame = pd.DataFrame({i: build(column) for i, column in enumerate(columns)})
        frame.columns = self.columns
        return frame


def _text(column: Sequence[str | None]) -> pd.Series:
    return pd.Series([(cell.strip() or None) if cell else None for cell in column], dtype="str")


def _mixed(column: Sequence[Any]) -> pd.Series:
    """A column of a sheet: numbers where all are numbers, else text."""
    cells = [_plain(cell) for cell in column]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {int} and all(abs(cell) < 1 << 62 for cell in cells if isinstance(cell, int)):
        return pd.Series(cells, dtype="Int64")
    if kinds and kinds <= {int, float}:
        return pd.Series([np.nan if cell is None else float(cell) for cell in cells], dtype="float64")
    return pd.Series([cell if cell is None or isinstance(cell, str) else _written(cell) for cell in cells], dtype="str")


def _written(number: float) -> str:
    """A number among text, as its cell shows it; beyond 15 digits a spreadsheet knows no more than the power of ten."""
    return str(int(number)) if isinstance(number, int) or (number.is_integer() and abs(number) < 1e15) else repr(number)


def _plain(cell: Any) -> str | int | float | None:
    if cell is None or (isinstance(cell, float | int) and not isinstance(cell, bool)):
        return cell
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return f"={getattr(cell, 'text', cell)}"  # array formulas and data tables are objects of openpyxl
