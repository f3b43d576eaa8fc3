"""Grids of two plans as columns: a hundred thousand are summed, ordered and cut as arrays, and shown one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from gridmap.db import bulk
from gridmap.services.mapdata import MAX_FEATURES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Side:
    """A grid in one of the plans; ``workers`` None where they are not known."""

    id: int
    code: str
    name: str | None
    households: int
    workers: int | None
    cases: int

    @property
    def rate(self) -> float | None:
        """Cases per 1,000 households; None without households."""
        return round(1000 * self.cases / self.households, 2) if self.households else None

    @property
    def per_worker(self) -> float | None:
        """Cases for each grid worker."""
        return round(self.cases / self.workers, 2) if self.workers else None


@dataclass(frozen=True, slots=True)
class Sides:
    """Grids of one plan (n,); ``workers`` -1 where they are not known."""

    id: Ints
    code: bulk.Objects
    name: bulk.Objects
    households: Ints
    workers: Ints
    cases: Ints

    @classmethod
    def of(cls, sides: Sequence[Side]) -> Sides:
        """The columns of some grids."""

        def whole(name: str) -> Ints:
            return np.array([-1 if (n := getattr(one, name)) is None else n for one in sides], dtype=np.int64)

        def words(name: str) -> bulk.Objects:
            return np.array([*(getattr(one, name) for one in sides), None], dtype=object)[:-1]

        return cls(whole("id"), words("code"), words("name"), whole("households"), whole("workers"), whole("cases"))

    def __len__(self) -> int:
        return len(self.id)

    def at(self, k: int) -> Side:
        """One grid."""
        workers = int(self.workers[k])
        return Side(
            int(self.id[k]),
            self.code[k],
            self.name[k],
            int(self.households[k]),
            None if workers < 0 else workers,
            int(self.cases[k]),
        )

    def taken(self, chosen: Ints) -> Sides:
        """Some of the grids, in the order given."""
        return Sides(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @property
    def rate(self) -> Floats:
        """Cases per 1,000 households (n,); -1 without households."""
        return np.where(self.households > 0, 1000 * self.cases / np.maximum(self.households, 1), -1.0)

    @property
    def per_worker(self) -> Floats:
        """Cases for each grid worker (n,); -1 where there is none or it is not known."""
        return np.where(self.workers > 0, self.cases / np.maximum(self.workers, 1), -1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a grid: ``change`` as in a comparison of plans; one side is None where it is new or gone."""

    change: str
    region_code: str | None
    region_name: str | None
    before: Side | None
    after: Side | None

    @property
    def by(self) -> int:
        """How many cases more."""
        return (self.after.cases if self.after else 0) - (self.before.cases if self.before else 0)


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Sequence[Row]):
    """Rows (n,): what became of grids, ``was`` and ``now`` their indices in ``before`` and ``after``, -1 none."""

    change: bulk.Objects
    region_code: bulk.Objects
    region_name: bulk.Objects
    before: Sides
    after: Sides
    was: Ints
    now: Ints

    def __len__(self) -> int:
        return len(self.was)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> Row | Rows:
        return self.taken(np.arange(len(self))[at]) if isinstance(at, slice) else self._row(at)

    def __iter__(self) -> Iterator[Row]:
        return (self._row(k) for k in range(len(self)))

    def taken(self, chosen: Ints) -> Rows:
        """Some of the rows, in the order given."""
        columns = {name: getattr(self, name)[chosen] for name in ("change", "region_code", "region_name", "was", "now")}
        return replace(self, **columns)

    @property
    def by(self) -> Ints:
        """How many cases more (n,)."""
        more: Ints = _of(self.after.cases, self.now) - _of(self.before.cases, self.was)
        return more

    def latest(self, name: str) -> Floats:
        """``cases`` or ``rate`` (n,) of each grid after, where it is gone before."""
        now, was = (_of(getattr(side, name), at) for side, at in ((self.after, self.now), (self.before, self.was)))
        latest: Floats = np.where(self.now >= 0, now, was).astype(np.float64)
        return latest

    def ends(self) -> tuple[Row, Row] | None:
        """The grids of both plans whose cases fell and rose the most; None where there is none."""
        both = np.flatnonzero((self.was >= 0) & (self.now >= 0))
        if not len(both):
            return None
        by = self.by[both]
        return self._row(int(both[by.argmin()])), self._row(int(both[by.argmax()]))

    def _row(self, k: int) -> Row:
        was, now = int(self.was[k]), int(self.now[k])
        return Row(
            self.change[k],
            self.region_code[k],
            self.region_name[k],
            None if was < 0 else self.before.at(was),
            None if now < 0 else self.after.at(now),
        )


def many(rows: Rows) -> bool:
    """Whether there are more grids than a map draws one by one: then it colours the regions they lie in."""
    return max(len(rows.before), len(rows.after)) > MAX_FEATURES


def by_region(rows: Rows, digits: int) -> tuple[dict[str, tuple[float, float | None]], ...]:
    """Of both plans, by the first ``digits`` of the grids' regions: cases a grid, and per 1,000 households."""
    found = []
    codes = np.array([(code or "")[:digits] for code in rows.region_code], dtype=str)
    for sides, at in ((rows.before, rows.was), (rows.after, rows.now)):
        held = at >= 0
        parts, of = np.unique(codes[held], return_inverse=True)
        grids = np.bincount(of, minlength=len(parts))
        cases, homes = (np.bincount(of, one[at[held]], len(parts)) for one in (sides.cases, sides.households))
        told = zip(parts.tolist(), cases.tolist(), homes.tolist(), grids.tolist(), strict=True)
        found.append({part: (round(c / g, 1), round(1000 * c / h, 2) if h else None) for part, c, h, g in told if part})
    return tuple(found)


def ordered(rows: Rows, order: str) -> Rows:
    """Rows by the greatest change ("by"), most cases ("cases") or per 1,000 households ("rate") after, else by code."""
    if order == "by":
        return rows.taken(np.argsort(-np.abs(rows.by), kind="stable"))
    if order in ("cases", "rate"):
        return rows.taken(np.argsort(-np.maximum(rows.latest(order), 0), kind="stable"))
    return rows


def _of(values: Any, at: Ints) -> Any:
    """``values`` at indices, 0 at -1."""
    return np.append(values, np.zeros(1, values.dtype))[at]
