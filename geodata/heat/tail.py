"""What changed since a store was built: cases that came, and with a minus those that went or were something else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geodata.heat.columns import Cases, Floats, Ints
from geodata.heat.frame import Bins, Choice, Wanted, mask
from geodata.heat.lattice import FINEST, squares
from geodata.heat.slots import Slots


class Changes(NamedTuple):
    """Changes by time; ``column`` and ``line`` are squares of the finest level."""

    x: Floats
    y: Floats
    at: Ints
    category: Ints
    region: Ints
    unit: Ints
    sign: Ints
    column: Ints
    line: Ints


@dataclass(frozen=True, slots=True)
class Tail:
    """Changes sorted by time, each +1 or -1."""

    changes: Changes
    categories: tuple[str, ...]
    regions: tuple[int, ...]

    @classmethod
    def of(cls, cases: Cases, sign: NDArray[Any]) -> Tail:
        """The tail of ``cases``, those with ``sign`` 1 added and those with -1 taken away."""
        order = np.argsort(cases.at, kind="stable")
        column, line = squares(cases.x[order], cases.y[order], FINEST)
        changes = Changes(
            x=cases.x[order],
            y=cases.y[order],
            at=cases.at[order],
            category=cases.category[order],
            region=cases.region[order],
            unit=cases.units[order],
            sign=np.asarray(sign, dtype=np.int64)[order],
            column=column,
            line=line,
        )
        return cls(changes, cases.categories, cases.regions)

    @classmethod
    def nothing(cls) -> Tail:
        """A tail without changes."""
        none = np.empty(0, dtype=np.int64)
        return cls.of(Cases(none.astype(float), none.astype(float), none, none, none, (), ()), none)

    def __len__(self) -> int:
        return len(self.changes.at)

    def joined(self, later: Tail) -> Tail:
        """This tail and ``later`` as one."""
        if not len(self) or not len(later):
            return later if len(later) else self
        categories = tuple(dict.fromkeys((*self.categories, *later.categories)))
        regions = tuple(dict.fromkeys((*self.regions, *later.regions)))
        parts = []
        for one in (self, later):
            category = np.array([categories.index(name) for name in one.categories], dtype=np.int64)
            region = np.array([regions.index(id_) for id_ in one.regions], dtype=np.int64)
            changes = one.changes
            parts.append(changes._replace(category=category[changes.category], region=region[changes.region]))
        both = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
        order = np.argsort(both[2], kind="stable")
        return Tail(Changes(*(column[order] for column in both)), categories, regions)

    def cases(self) -> Cases:
        """The changes as cases, whatever their signs."""
        of = self.changes
        return Cases(of.x, of.y, of.at, of.category, of.region, self.categories, self.regions, of.unit)

    def only(self, chosen: NDArray[np.bool_], *, factor: int = 1) -> Tail:
        """The ``chosen`` (n,) changes by themselves, their signs times ``factor``."""
        columns: list[Any] = [column[chosen] for column in self.changes]
        kept = Changes(*columns)
        return Tail(kept._replace(sign=kept.sign * factor), self.categories, self.regions)

    def slots(self, wanted: Choice, slots: Slots) -> dict[str, NDArray[np.int64]]:
        """Sums (slots,) of the chosen changes by slot of their time, by category. ``ValueError`` as a store has it."""
        chosen = np.flatnonzero(wanted.allows(self.cases()))
        found: dict[str, NDArray[np.int64]] = {}
        if len(chosen):
            of = self.changes
            slots.check(int(of.at[chosen[0]]), int(of.at[chosen[-1]]))
            for number, name in enumerate(self.categories):
                own = chosen[of.category[chosen] == number]
                found[name] = slots.count(of.at[own], of.sign[own])
        return found

    def units(self, wanted: Choice) -> tuple[Ints, Ints]:
        """Ids of the units of chosen changes (0: of none), and the sum of their signs."""
        chosen = wanted.allows(self.cases())
        ids, of = np.unique(self.changes.unit[chosen], return_inverse=True)
        sums = np.bincount(of, weights=self.changes.sign[chosen], minlength=len(ids))
        return ids, sums.astype(np.int64)

    def in_regions(self, wanted: Choice) -> dict[int, int]:
        """The sum of the signs of the chosen changes of each region (id)."""
        chosen = wanted.allows(self.cases())
        sums = np.bincount(self.changes.region[chosen], weights=self.changes.sign[chosen], minlength=len(self.regions))
        return {id_: int(n) for id_, n in zip(self.regions, sums.tolist(), strict=True)}

    def add(self, bins: Bins, wanted: Wanted) -> None:
        """Add the changes to ``bins``, which were counted for ``wanted``."""
        if not len(self):
            return
        since, until = wanted.span
        begin, end = np.searchsorted(self.changes.at, (since, until))
        categories = _chosen(self.categories, wanted.categories)
        regions = _chosen(self.regions, wanted.regions)
        frame = (FINEST - wanted.level, bins.column, bins.row, bins.counts.shape[1])
        bounds = tuple(float(one) for one in wanted.bounds)
        _add_signed(self.changes, int(begin), int(end), categories, regions, bounds, frame, bins.counts.reshape(-1))


def _chosen(known: tuple[Any, ...], asked: Any) -> NDArray[np.bool_]:
    return np.ones(len(known), dtype=bool) if asked is None else mask(known, asked)


@njit(cache=True, nogil=True)
def _add_signed(
    tail: Any, begin: int, end: int, categories: Any, regions: Any, bounds: Any, frame: Any, counts: Any
) -> None:
    """Add the changes ``begin`` to ``end`` of a tail, each with its sign."""
    shift = frame[0]
    for k in range(begin, end):
        if not (categories[tail.category[k]] and regions[tail.region[k]]):
            continue
        x, y = tail.x[k], tail.y[k]
        if bounds[0] <= x < bounds[2] and bounds[1] <= y < bounds[3]:
            at = ((tail.line[k] >> shift) - frame[2]) * frame[3] + (tail.column[k] >> shift) - frame[1]
            counts[at] += tail.sign[k]
