"""A plan as a file, ``unit,grid``: read in whatever encoding, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from geodata.errors import GeodataError
from geodata.readers.encoding import of_file
from geodata.readers.sheets import csv_lines
from geodata.redraw.files import listed

_PLAN_HEADER = ("unit", "grid")


def read_plan(path: Path, ids: Sequence[str]) -> list[str]:
    """The grid of each unit of ``ids`` in a CSV with columns ``unit`` and ``grid`` (UTF-8 or GBK); "" unassigned.

    Raises ``REDRAW_START_*`` for other columns, and for units that are unknown, missing or there twice.
    """
    if not path.is_file():
        raise GeodataError("FILE_MISSING", name=path.name)
    lines = csv_lines(path, of_file(path))
    header = [name.strip().lower() for name in next(lines, [])]
    if not set(_PLAN_HEADER) <= set(header):
        raise GeodataError("REDRAW_START_COLUMNS", name=path.name, columns=listed(header))
    unit_at, grid_at = (header.index(name) for name in _PLAN_HEADER)
    known = set(ids)
    grid_of: dict[str, str] = {}
    for line, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        unit = cells[unit_at].strip() if unit_at < len(cells) else ""
        if unit not in known:
            raise GeodataError("REDRAW_START_UNKNOWN", row=line, name=path.name, line=line, unit=unit)
        if unit in grid_of:
            raise GeodataError("REDRAW_START_TWICE", row=line, name=path.name, line=line, unit=unit)
        grid_of[unit] = cells[grid_at].strip() if grid_at < len(cells) else ""
    missing = [unit for unit in ids if unit not in grid_of]
    if missing:
        raise GeodataError("REDRAW_START_MISSING", name=path.name, units=len(missing), unit=missing[0])
    return [grid_of[unit] for unit in ids]


def plan_csv(ids: Sequence[str], grids: Sequence[str]) -> bytes:
    """The plan as CSV, ``unit,grid``, UTF-8, in the order of ``ids``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_PLAN_HEADER)
    writer.writerows(zip(ids, grids, strict=True))
    return text.getvalue().encode()


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` whole or not at all; raises ``REDRAW_OUT``."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GeodataError("REDRAW_OUT", path=str(path), reason=error.strerror or str(error)) from error


def check_writable(path: Path) -> None:
    """Raise ``REDRAW_OUT`` where ``path`` cannot be written; leaves nothing behind."""
    reason = "" if path.parent.is_dir() else os.strerror(2)
    if not reason and path.is_dir():
        reason = os.strerror(21)
    if not reason:
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-"):
                pass
        except OSError as error:
            reason = error.strerror or str(error)
    if reason:
        raise GeodataError("REDRAW_OUT", path=str(path), reason=reason)
