"""The fingerprints of all rows of a file, grown in place: millions of rows are never held twice."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from geodata.checks import Fingerprints

_NAMES = tuple(field.name for field in fields(Fingerprints))


class Marks:
    """Fingerprints added batch by batch; an array that grows by ``resize`` is moved by the system, not copied."""

    def __init__(self) -> None:
        self._columns: dict[str, np.ndarray] = {}

    def add(self, part: Fingerprints) -> None:
        """Append the fingerprints of a batch."""
        for name in _NAMES:
            values = getattr(part, name)
            if name not in self._columns:
                self._columns[name] = values.copy()
                continue
            column = self._columns[name]
            start = len(column)
            column.resize(start + len(values), refcheck=False)
            column[start:] = values

    def whole(self) -> list[Fingerprints]:
        """All of them as one batch, or none where nothing was added."""
        return [Fingerprints(**self._columns)] if self._columns else []


def release_unused() -> None:
    """Give back what reading needed and comparing does not."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
