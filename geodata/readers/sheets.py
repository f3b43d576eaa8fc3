"""Lines of CSV and XLSX files, cell by cell, as they stand."""

from __future__ import annotations

import csv
import itertools
import statistics
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException

from geodata.errors import GeodataError
from geodata.readers.archive import Limits, inflate, opened
from geodata.readers.encoding import Encoding
from geodata.readers.merged import Merges, merges
from geodata.readers.xmlguard import refuse_entities

MAX_COLUMNS = 1000
_BLOCK_ROWS = 200
_MAX_ROWS = 1_048_576  # of Excel; a row numbered beyond would make us count to it
_DELIMITERS = (",", "\t", ";", "|", "，")
#: What openpyxl lets through when a workbook is damaged.
_BROKEN_WORKBOOK = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    AssertionError,
    EOFError,
    OSError,
    RuntimeError,
    ParseError,
    DefusedXmlException,
    zipfile.BadZipFile,
    zlib.error,
)


def csv_lines(path: Path, encoding: Encoding) -> Iterator[list[str]]:
    """The records of a delimited text file; raises ``CSV_BROKEN`` where quotes never close."""
    errors = "replace" if encoding.how == "override" else "strict"
    delimiter = _delimiter(path, encoding.name)
    with path.open(encoding=encoding.name, errors=errors, newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            for row in reader:
                yield row[:MAX_COLUMNS]
        except (csv.Error, UnicodeError) as error:
            raise GeodataError("CSV_BROKEN", line=reader.line_num) from error


def _delimiter(path: Path, encoding: str) -> str:
    """The separator that cuts the first lines into most columns."""
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        lines = [
            line[:65536] for line in itertools.islice(iter(lambda: stream.readline(65536), ""), 50) if line.strip()
        ]
    best = {}
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        best[delimiter] = statistics.median(widths) if widths else 0
    return max(best, key=lambda d: best[d], default=",")


def check_workbook(path: Path, limits: Limits) -> None:
    """Refuse a workbook whose parts inflate beyond ``limits`` or hold a document type."""
    budget = limits.max_inflated
    with opened(path, limits) as (archive, files):
        for info in files:
            if info.filename.lower().endswith((".xml", ".rels", ".vml")):
                with archive.open(info) as stream:
                    refuse_entities(stream, info.filename)
            budget -= inflate(archive, info, None, budget)


def xlsx_head(path: Path, sheet: str | None, count: int) -> tuple[list[str], str, list[tuple[Any, ...]]]:
    """The visible sheets in order, the chosen one (the first that is not empty), and its first ``count`` rows.

    Raises ``LAYER_UNKNOWN`` or ``TABLE_EMPTY``.
    """
    with _workbook(path) as book:
        visible = [ws.title for ws in book.worksheets if ws.sheet_state == "visible"]
        names = visible or [ws.title for ws in book.worksheets]
        if sheet is not None and sheet not in names:
            raise GeodataError("LAYER_UNKNOWN", layer=sheet, layers="、".join(names[:20]))
        for name in [sheet] if sheet else names:
            head = list(itertools.islice(_rows(book[name], MAX_COLUMNS), count))
            if any(cell is not None for row in head for cell in row):
                return names, name, head
    raise GeodataError("TABLE_EMPTY", name=path.name)


def xlsx_lines(path: Path, sheet: str, max_columns: int = MAX_COLUMNS) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet: text, numbers, dates; formulas as their text (never the cached value)."""
    with _workbook(path) as book:
        yield from _rows(book[sheet], max_columns)


def sheet_merges(path: Path, sheet: str) -> Merges:
    """The cells of ``sheet`` that are merged over several lines."""
    with _workbook(path) as book:  # read-only sheets tell neither their merges nor, in public, their part
        return merges(book._archive, book[sheet]._worksheet_path)


def _rows(sheet: Any, max_columns: int) -> Iterator[tuple[Any, ...]]:
    """All rows; remarks of openpyxl (styles, validations, dates out of range) concern nobody here."""
    sheet.reset_dimensions()  # many programs write a wrong dimension, and rows would be lost
    rows = itertools.islice(sheet.iter_rows(max_col=max_columns, values_only=True), _MAX_ROWS)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block = list(itertools.islice(rows, _BLOCK_ROWS))
        if not block:
            return
        yield from block


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    import openpyxl

    try:
        with path.open("rb") as stream:  # openpyxl judges a path by its suffix
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except _BROKEN_WORKBOOK as error:
        raise GeodataError("FILE_BROKEN", name=path.name, reason=str(error)[:200]) from error
