"""What is asked of a store, and what it answers: counts in the bins of a view."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.heat.columns import Cases
from geodata.heat.lattice import FINEST, column_at, latitude, longitude, row_at, squares

BINS_MAX = 1 << 20
#: The finest bins, 2.4 m at the equator.
LEVEL_MAX = 24
_LONG_AGO, _FAR_OFF = -(1 << 62), 1 << 62

Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of cases, wherever they are.

    ``since`` (microseconds since 1970) belongs to the span, ``until`` does not. None chooses all. ``regions`` are ids.
    """

    since: int | None = None
    until: int | None = None
    categories: Collection[str] | None = None
    regions: Collection[int] | None = None

    @property
    def span(self) -> tuple[int, int]:
        """Beginning and end, far away where there is none."""
        return (
            _LONG_AGO if self.since is None else self.since,
            _FAR_OFF if self.until is None else self.until,
        )

    def allows(self, cases: Cases) -> NDArray[np.bool_]:
        """Which of ``cases`` (n,) are chosen."""
        since, until = self.span
        chosen: NDArray[np.bool_] = (cases.at >= since) & (cases.at < until)
        if self.categories is not None:
            chosen &= mask(cases.categories, self.categories)[cases.category]
        if self.regions is not None:
            chosen &= mask(cases.regions, self.regions)[cases.region]
        return chosen


@dataclass(frozen=True, slots=True)
class Wanted:
    """A view and a choice of cases.

    ``bounds`` are west, south, east, north in degrees; west and south belong to it, east and north do not. ``level``:
    2**level bins span the world from west to east. ``since`` (microseconds since 1970) belongs to the span, ``until``
    does not. None chooses all. ``regions`` are ids.
    """

    bounds: tuple[float, float, float, float]
    level: int
    since: int | None = None
    until: int | None = None
    categories: Collection[str] | None = None
    regions: Collection[int] | None = None

    @property
    def choice(self) -> Choice:
        """The choice without the view."""
        return Choice(self.since, self.until, self.categories, self.regions)

    @property
    def span(self) -> tuple[int, int]:
        """Beginning and end, far away where there is none."""
        return self.choice.span


@dataclass(frozen=True, slots=True)
class Bins:
    """``counts`` (rows, columns), row 0 in the north, of the bins that the view touches; ``column`` and ``row`` are
    those of the first bin among the 2**level of the world."""

    level: int
    column: int
    row: int
    counts: Counts

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def longitudes(self) -> NDArray[np.float64]:
        """Edges of the columns in degrees, from the west."""
        return np.array([longitude(self.column + k, self.level) for k in range(self.counts.shape[1] + 1)])

    @property
    def latitudes(self) -> NDArray[np.float64]:
        """Edges of the rows in degrees, from the north."""
        return np.array([latitude(self.row + k, self.level) for k in range(self.counts.shape[0] + 1)])


class Sides(NamedTuple):
    """Squares of level ``q`` that lie in a view.

    Columns ``west`` to ``east`` and rows ``north`` to ``south`` (inclusive) lie wholly within; of the columns
    ``west_cut``, ``east_cut`` and the rows ``north_cut``, ``south_cut`` (-1: none) degrees decide.
    """

    west: int
    east: int
    north: int
    south: int
    west_cut: int
    east_cut: int
    north_cut: int
    south_cut: int


def sides(bounds: tuple[float, float, float, float], q: int) -> Sides:
    """The squares of a view; those at the end of the world, where all that is beyond stands too, are always cut."""
    west, south, east, north = bounds
    first, last, top, bottom = column_at(west, q), column_at(east, q), row_at(north, q), row_at(south, q)
    flush_west = longitude(first, q) == west and first > 0
    flush_south = latitude(bottom + 1, q) == south and bottom < (1 << q) - 1
    return Sides(
        west=first if flush_west else first + 1,
        east=last - 1,
        north=top + 1,
        south=bottom if flush_south else bottom - 1,
        west_cut=-1 if flush_west else first,
        east_cut=-1 if longitude(last, q) == east else last,
        north_cut=-1 if latitude(top + 1, q) == north else top,
        south_cut=-1 if flush_south else bottom,
    )


def touched(of: Sides) -> tuple[int, int, int, int]:
    """First and last column, first and last row with any part in the view."""
    return (
        of.west if of.west_cut < 0 else of.west_cut,
        of.east if of.east_cut < 0 else of.east_cut,
        of.north if of.north_cut < 0 else of.north_cut,
        of.south if of.south_cut < 0 else of.south_cut,
    )


def empty(wanted: Wanted) -> Bins:
    """The bins of a view, without counts. Raises ``ValueError`` for a view that is none, or one of too many bins."""
    west, south, east, north = wanted.bounds
    if not (west < east and south < north and 0 <= wanted.level <= LEVEL_MAX):
        raise ValueError("the view must have an extent and a level that there is")
    first, last, top, bottom = touched(sides(wanted.bounds, FINEST))
    shift = FINEST - wanted.level
    column, row = first >> shift, top >> shift
    shape = (bottom >> shift) - row + 1, (last >> shift) - column + 1
    if shape[0] * shape[1] > BINS_MAX:
        raise ValueError(f"more than {BINS_MAX} bins")
    return Bins(wanted.level, column, row, np.zeros(shape, dtype=np.int32))


def bins_of(cases: Cases, wanted: Wanted) -> Bins:
    """The bins of a view counted from the cases themselves: the definition that a store must agree with."""
    bins = empty(wanted)
    west, south, east, north = wanted.bounds
    chosen = wanted.choice.allows(cases)
    chosen &= (cases.x >= west) & (cases.x < east) & (cases.y >= south) & (cases.y < north)
    columns, rows = squares(cases.x[chosen], cases.y[chosen], wanted.level)
    np.add.at(bins.counts, (rows - bins.row, columns - bins.column), 1)
    return bins


def mask(known: Collection[object], chosen: Collection[object]) -> NDArray[np.bool_]:
    """Which of ``known`` are among ``chosen``."""
    picked = frozenset(chosen)
    return np.array([one in picked for one in known], dtype=bool)
