"""Writes the rows of a benchmark to ``build/bench/NAME.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "build" / "bench"
COLUMNS = ("metric", "value", "unit", "bar", "peer", "peer_value", "ratio")


def write(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write ``rows`` (keys of ``COLUMNS``; an absent one is null) and print them as a table."""
    full = [{column: row.get(column) for column in COLUMNS} for row in rows]
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(full, ensure_ascii=False, indent=1) + "\n", "utf-8")
    table = [COLUMNS, *(tuple(_text(row[c]) for c in COLUMNS) for row in full)]
    widths = [max(len(line[k]) for line in table) for k in range(len(COLUMNS))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return path


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
