"""Which month, hour of the week or bar of a histogram a moment falls in, by quarter of an hour.

Clocks differ from UTC by whole quarters of an hour everywhere since 1972 (and in China since 1949), so a table of
quarters is exact from then on, whatever the zone and its summer times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUARTER_S = 900
SECOND_US = 1_000_000
#: 1972-01-01, and the most quarters of a table: 228 years.
EARLIEST_S, QUARTERS_MAX = 63_072_000, 8_000_000
WEEK_HOURS = 7 * 24


@dataclass(frozen=True)
class Slots:
    """``of`` (quarters,) the slot of each quarter of an hour from ``first`` (seconds since 1970) on, below ``size``."""

    first: int
    of: NDArray[np.int32]
    size: int

    def check(self, first_us: int, last_us: int) -> None:
        """Raise ``ValueError`` unless the table reaches from ``first_us`` to ``last_us``, both included."""
        if first_us // SECOND_US < self.first or (last_us // SECOND_US - self.first) // QUARTER_S >= len(self.of):
            raise ValueError("the table of quarters is too short")

    def count(self, at: ArrayLike, weights: ArrayLike) -> NDArray[np.int64]:
        """Sums (size,) of ``weights`` (n,) by slot of ``at`` (n,), microseconds since 1970."""
        quarter = (np.asarray(at, dtype=np.int64) // SECOND_US - self.first) // QUARTER_S
        sums = np.bincount(self.of[quarter], weights=np.asarray(weights, dtype=np.float64), minlength=self.size)
        return sums.astype(np.int64)


def reach(first_us: int, last_us: int) -> tuple[int, int]:
    """First second and number of the quarters that hold both. ``ValueError`` for more than a table may have, or days
    when clocks did not differ by quarters."""
    first = first_us // SECOND_US // QUARTER_S * QUARTER_S
    quarters = (last_us // SECOND_US - first) // QUARTER_S + 1
    if first < EARLIEST_S or quarters > QUARTERS_MAX:
        raise ValueError("no table of quarters for such a span")
    return first, max(quarters, 1)


@lru_cache(maxsize=8)
def calendar(first_us: int, last_us: int, zone: str) -> tuple[Slots, tuple[str, ...]]:
    """Slots by month and hour of the week (Monday 0:00 is the first of 168), local time, and the months ("2025-03").

    Slot = number of the month * 168 + hour of the week.
    """
    import pandas as pd

    first, quarters = reach(first_us, last_us)
    begins = np.datetime64(first, "s") + (np.arange(quarters) * QUARTER_S).astype("timedelta64[s]")
    local = pd.DatetimeIndex(begins, tz="UTC").tz_convert(zone)
    month = np.asarray(local.year, dtype=np.int64) * 12 + np.asarray(local.month) - 1
    low, high = int(month.min()), int(month.max())
    hour = np.asarray(local.day_of_week, dtype=np.int64) * 24 + np.asarray(local.hour)
    names = tuple(f"{m // 12}-{m % 12 + 1:02d}" for m in range(low, high + 1))
    return Slots(first, ((month - low) * WEEK_HOURS + hour).astype(np.int32), len(names) * WEEK_HOURS), names


def quarters(first_us: int, last_us: int) -> Slots:
    """A slot for each quarter of an hour from that of ``first_us`` to that of ``last_us``. ``ValueError`` as
    :func:`reach`."""
    first, number = reach(first_us, last_us)
    return Slots(first, np.arange(number, dtype=np.int32), number)
