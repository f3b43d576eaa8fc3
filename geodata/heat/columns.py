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

    ``category`` and ``region`` (n,) index ``categories`` (names) and ``regions`` (ids of the database). ``unit`` (n,)
    are ids of the units they lie in, 0 for none; None where nobody asks by unit.
    """

    x: Floats
    y: Floats
    at: Ints
    category: Ints
    region: Ints
    categories: tuple[str, ...]
    regions: tuple[int, ...]
    unit: Ints | None = None

    @property
    def units(self) -> Ints:
        """``unit``, noughts where it is not given."""
        return np.zeros(len(self), dtype=np.int64) if self.unit is None else self.unit

    def __len__(self) -> int:
        return len(self.x)
