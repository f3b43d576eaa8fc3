"""What every reader delivers, and what it has to say about its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.problems import Problem
from geodata.readers.encoding import Encoding


@dataclass(slots=True)
class Batch:
    """Some records of a file, in its order.

    ``rows`` (n, int64): 1-based record numbers; blank and totals rows are counted and left out, so numbers may jump.
    ``attributes``: n rows, original headers, text or numbers as they stand. ``geometry``: (n,) shapely objects in the
    file's own CRS and axis order, None where broken or missing; None as a whole for a table. ``problems``: of geometry.
    """

    rows: NDArray[np.int64]
    attributes: pd.DataFrame
    geometry: NDArray[np.object_] | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def row0(self) -> int:
        """The number of the first record."""
        return int(self.rows[0]) if len(self.rows) else 1

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, keep: NDArray[np.bool_]) -> Batch:
        """The records where ``keep`` (n,) is true, with the problems of these only."""
        kept = set(self.rows[keep].tolist())
        return Batch(
            self.rows[keep],
            self.attributes[keep].reset_index(drop=True),
            None if self.geometry is None else self.geometry[keep],
            [problem for problem in self.problems if problem.row is None or problem.row in kept],
        )


class Reader(Protocol):
    """One open data set of one format; ``batches`` may be called again and starts from the first record."""

    @property
    def layers(self) -> Sequence[str]: ...
    @property
    def columns(self) -> Sequence[str]: ...

    layer: str
    encoding: Encoding
    crs_wkt: str | None
    row_count: int | None
    geometry_type: str | None
    first_line: int
    notes: list[Problem]

    def batches(self, size: int) -> Iterator[Batch]: ...
