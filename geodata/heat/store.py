"""A store: the columns of a folder, mapped into memory and shared by every process that opens it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.heat.columns import Cases
from geodata.heat.files import StoreError, read
from geodata.heat.fine import add_fine
from geodata.heat.frame import Bins, Choice, Wanted, empty, mask, sides
from geodata.heat.kernels import (
    Columns,
    add_cases,
    add_cube,
    add_period,
    add_slots,
    add_units,
    choose,
    limits,
    restore,
    restore_some,
)
from geodata.heat.layout import SUB_BITS
from geodata.heat.slots import Slots

__all__ = ["Store", "StoreError"]


@dataclass(frozen=True, slots=True)
class Store:
    """Cases by period, cell and region. ``told`` is what the builder kept with it."""

    folder: Path
    told: dict[str, Any]
    categories: tuple[str, ...]
    regions: tuple[int, ...]
    cases: int
    size_bytes: int
    columns: Columns

    @classmethod
    def open(cls, folder: Path, *, thorough: bool = True) -> Store:
        """Map the store in ``folder``; ``StoreError`` where there is none or it is damaged.

        ``thorough`` compares every byte with its checksum, a tenth of a second for 10 million cases.
        """
        header, arrays = read(folder, thorough=thorough)
        try:
            numbers: dict[str, Any] = {name: int(header[name]) for name in ("level", "time_bits", "rest_bits")}
            parts: dict[str, Any] = arrays | numbers
            columns = Columns(**parts)
            size = sum(values.nbytes for values in arrays.values())
            categories, regions = tuple(header["categories"]), tuple(header["regions"])
            return cls(folder, header["told"], categories, regions, int(header["cases"]), size, columns)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(str(error)) from error

    def bins(self, wanted: Wanted) -> Bins:
        """Exact counts in the bins of a view. Raises ``ValueError`` for a view that is none or of too many bins."""
        bins = empty(wanted)
        columns = self.columns
        if not self.cases:
            return bins
        since, until = wanted.span
        categories, regions = self._masks(wanted.choice)
        frame = (wanted.level, bins.column, bins.row, bins.counts.shape[1])
        q = columns.level + SUB_BITS
        side = sides(wanted.bounds, q)
        bounds = tuple(float(one) for one in wanted.bounds)
        view = (side, bounds, limits(side, bounds, q))
        begin, end = self._touched(wanted.choice)
        if begin == end:
            return bins
        counts = bins.counts.reshape(-1)
        whole, whole_bins, cut, cut_bins = choose(columns, side, regions, frame)
        first = begin + int(columns.period_first[begin] < since)
        last = max(end - int(columns.period_last[end - 1] >= until), first)
        rest = ((since, until), categories, view, frame, counts)
        partly = sorted({*range(begin, min(first, end)), *range(last, end)})
        if wanted.level > columns.level:  # several bins in a cell: the cube cannot tell them apart
            add_fine(columns, (whole, whole_bins), (cut, cut_bins), (begin, first, last, end), partly, rest)
            return bins
        for p in partly:
            add_period(columns, whole, whole_bins, p, (since, until), categories, bool(categories.all()), counts)
        add_cube(columns, whole, whole_bins, first, last, categories, counts)
        add_cases(columns, cut, cut_bins, True, begin, end, *rest)
        return bins

    def slots(self, wanted: Choice, slots: Slots) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The store's categories, and counts (categories, slots) of the chosen cases by slot of their time.

        Raises ``ValueError`` where ``slots`` do not reach over all its cases of the span.
        """
        counts = np.zeros((len(self.categories), slots.size), dtype=np.int64)
        begin, end = self._touched(wanted)
        if begin < end:
            first = max(int(self.columns.period_first[begin]), wanted.span[0])
            last = min(int(self.columns.period_last[end - 1]), wanted.span[1] - 1)
            slots.check(first, last)
            categories, regions = self._masks(wanted)
            add_slots(self.columns, regions, begin, end, wanted.span, categories, (slots.first, slots.of), counts)
        return self.categories, counts

    def units(self, wanted: Choice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids of the units that hold chosen cases (ascending; 0: of no unit), and how many each."""
        counts = self._by_unit(wanted)
        held = np.flatnonzero(counts)
        ids, of = np.unique(self.columns.unit_id[held], return_inverse=True)
        return ids, np.bincount(of, weights=counts[held], minlength=len(ids)).astype(np.int64)

    def in_regions(self, wanted: Choice) -> dict[int, int]:
        """How many chosen cases each region (id) has that has any."""
        if not self.cases:
            return {}
        of_segment = np.add.reduceat(self._by_unit(wanted), self.columns.unit_first[:-1])
        sums = np.bincount(self.columns.cell_region, weights=of_segment, minlength=len(self.regions))
        return {id_: int(n) for id_, n in zip(self.regions, sums.tolist(), strict=True) if n}

    def _by_unit(self, wanted: Choice) -> NDArray[np.int64]:
        """Chosen cases of each unit of a segment, as long as ``unit_id``."""
        counts = np.zeros(len(self.columns.unit_id), dtype=np.int64)
        begin, end = self._touched(wanted)
        if begin < end:
            categories, regions = self._masks(wanted)
            add_units(self.columns, regions, begin, end, wanted.span, categories, counts)
        return counts

    def all(self) -> Cases:
        """Every case as it was given, in the order of the store."""
        out = self._rows(self.cases)
        restore(self.columns, out)
        return self._cases(out)

    def apart(self) -> Cases:
        """The cases that were marked as such when the store was built."""
        rows = self.columns.apart.astype(np.int64)
        out = self._rows(len(rows))
        restore_some(self.columns, rows, out)
        return self._cases(out)

    @staticmethod
    def _rows(n: int) -> tuple[Any, ...]:
        return np.empty(n), np.empty(n), *(np.empty(n, dtype=np.int64) for _ in range(4))

    def _cases(self, out: tuple[Any, ...]) -> Cases:
        x, y, at, category, region, unit = out
        return Cases(x, y, at, category, region, self.categories, self.regions, unit)

    def _touched(self, wanted: Choice) -> tuple[int, int]:
        """First and end of the periods that hold a case of the span."""
        since, until = wanted.span
        found = np.flatnonzero((self.columns.period_last >= since) & (self.columns.period_first < until))
        return (int(found[0]), int(found[-1]) + 1) if self.cases and len(found) else (0, 0)

    def _masks(self, wanted: Choice) -> tuple[Any, Any]:
        return self._chosen(self.categories, wanted.categories), self._chosen(self.regions, wanted.regions)

    @staticmethod
    def _chosen(known: tuple[Any, ...], asked: Any) -> Any:
        return np.ones(len(known), dtype=bool) if asked is None else mask(known, asked)
