"""The assignment unit -> grid, read back from the CSV or workbook that was exported."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from gridmap.errors import Invalid
from gridmap.services.exports.frames import KINDS, UNIT_HEADERS, UNITS_SHEET
from gridmap.services.plans.make import AssignmentRow, GridRow

_NEEDED = ("unit_id", "region_code", "number", "grid_code")


def read_assignment(path: Path) -> tuple[list[AssignmentRow], list[GridRow]]:
    """Rows and grids for :func:`gridmap.services.plans.from_assignment`.

    Raises ``Invalid`` ASSIGNMENT_COLUMN_MISSING, ASSIGNMENT_ROW and ``GeodataError`` for files that cannot be read.
    """
    from geodata.readers import open_source

    with tempfile.TemporaryDirectory(prefix="gridmap-") as scratch:
        source = open_source(path, scratch=Path(scratch) / "first")
        if UNITS_SHEET in source.layers:
            source = open_source(path, scratch=Path(scratch) / "second", layer=UNITS_SHEET)
        missing = [UNIT_HEADERS[name] for name in _NEEDED if UNIT_HEADERS[name] not in source.columns]
        if missing:
            raise Invalid("ASSIGNMENT_COLUMN_MISSING", columns="、".join(missing))
        present = {header: name for name, header in UNIT_HEADERS.items() if header in source.columns}
        records = [
            dict(zip(present.values(), cells, strict=True))
            for batch in source.batches()
            for cells in batch.attributes[list(present)].itertuples(index=False, name=None)
        ]
    grids, grid_of = _grids(records)
    rows = [
        _row(record, grid, line)
        for line, (record, grid) in enumerate(zip(records, grid_of, strict=True), start=1)
        if _text(record["unit_id"])
    ]
    return rows, grids


def _row(record: dict[str, Any], grid: int | None, line: int) -> AssignmentRow:
    try:
        unit_id, number = int(_text(record["unit_id"])), int(_text(record["number"]))
    except ValueError:
        raise Invalid("ASSIGNMENT_ROW", row=line, line=line) from None
    return AssignmentRow(unit_id, _text(record["region_code"]), number, grid)


def _grids(records: list[dict[str, Any]]) -> tuple[list[GridRow], list[int | None]]:
    """The grids in order of first appearance, and the grid of each record.

    Grids are told apart by their internal number where the file has it (codes may stand twice), else by their code.
    """
    kinds = {label: kind for kind, label in KINDS.items()}
    index: dict[str, int] = {}
    grids: list[GridRow] = []
    grid_of: list[int | None] = []
    for record in records:
        code = _text(record["grid_code"])
        key = _text(record.get("grid_id")) or code
        if key and key not in index:
            workers = _text(record.get("grid_workers"))
            index[key] = len(grids)
            kind = kinds.get(_text(record.get("grid_kind")), "basic")
            name, parent = _text(record.get("grid_name")) or None, _text(record.get("grid_parent")) or None
            grids.append(
                GridRow(
                    code,
                    name,
                    kind,
                    parent,
                    int(workers) if workers.isdigit() else None,
                    region_code=_text(record["region_code"]) or None,
                )
            )
        grid_of.append(index.get(key))
    return grids, grid_of


def _text(value: Any) -> str:
    """A cell as text: missing values empty, whole floats without a point, the guard against formulas taken off."""
    import pandas as pd

    from geodata.writers import undefused

    if pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return undefused(str(value).strip())
