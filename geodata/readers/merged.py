"""Cells merged downwards on a sheet: a compound's name that stands once for all its buildings."""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_CHUNK = 1 << 20
_OVERLAP = 64
_MAX_MERGES = 100_000
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')

#: A count as text: never to be multiplied. Longer digits are codes.
_COUNT = re.compile(r"^\s*[约近]?[\d,，.]{1,8}[余多]?[户人]?\s*$")

#: Line (0-based) -> (column, last line) of the merges that begin there.
Merges = Mapping[int, Sequence[tuple[int, int]]]


def merges(archive: zipfile.ZipFile, part: str) -> Merges:
    """The merges over several lines of the sheet stored as ``part``, found without holding the sheet."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    count = 0
    with archive.open(part.lstrip("/")) as stream:
        tail = b""
        while (chunk := stream.read(_CHUNK)) and count < _MAX_MERGES:
            text = tail + chunk
            end = 0
            for hit in _MERGE.finditer(text):
                end = hit.end()
                column, first, _last_column, last = hit.groups()
                if last != first:
                    found[int(first) - 1].append((_number(column), int(last) - 1))
                    count += 1
            tail = text[max(end, len(text) - _OVERLAP) :]
    return found


def filled(lines: Iterator[tuple[Any, ...]], merges: Merges) -> Iterator[tuple[Any, ...]]:
    """``lines`` with the text of merged cells on each line they cover; a number counts once, where it stands."""
    active: dict[int, tuple[int, str]] = {}
    for at, line in enumerate(lines):
        if at in merges:
            starts = {column: (last, line[column]) for column, last in merges[at] if column < len(line)}
            active |= {column: (last, cell) for column, (last, cell) in starts.items() if _is_word(cell)}
        if active:
            active = {column: span for column, span in active.items() if span[0] >= at}
            cells = list(line)
            for column, (_last, word) in active.items():
                if column < len(cells) and cells[column] is None:
                    cells[column] = word
            line = tuple(cells)
        yield line


def _is_word(cell: Any) -> bool:
    return isinstance(cell, str) and not cell.startswith("=") and not _COUNT.match(cell)


def _number(letters: bytes) -> int:
    """0-based column of "A", "Z", "AA"."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
