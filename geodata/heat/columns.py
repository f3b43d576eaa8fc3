"""Cases as plain columns, as they come out of the database and into a store or a tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases of known place and region: degrees, microseconds since 1970 (UTC), and what kind and where.

    ``category`` and ``region`` (n,) index ``categories`` (names) and ``regions`` (ids of the database).
    """

    x: Floats
    y: Floats
    at: Ints
    category: Ints
    region: Ints
    categories: tuple[str, ...]
    regions: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.x)
