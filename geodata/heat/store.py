"""A store: the columns of a folder, mapped into memory and shared by every process that opens it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geodata.heat.columns import Cases
from geodata.heat.files import StoreError, read
from geodata.heat.frame import Bins, Wanted, empty, mask, sides
from geodata.heat.kernels import Columns, add_cases, add_cube, add_period, add_whole, choose, limits, restore
from geodata.heat.layout import SUB_BITS

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
        categories = self._chosen(self.categories, wanted.categories)
        regions = self._chosen(self.regions, wanted.regions)
        frame = (wanted.level, bins.column, bins.row, bins.counts.shape[1])
        q = columns.level + SUB_BITS
        side = sides(wanted.bounds, q)
        bounds = tuple(float(one) for one in wanted.bounds)
        view = (side, bounds, limits(side, bounds, q))
        touched = np.flatnonzero((columns.period_last >= since) & (columns.period_first < until))
        if not len(touched):
            return bins
        counts = bins.counts.reshape(-1)
        whole, whole_bins, cut, cut_bins = choose(columns, side, regions, frame)
        begin, end = int(touched[0]), int(touched[-1]) + 1
        first = begin + int(columns.period_first[begin] < since)
        last = max(end - int(columns.period_last[end - 1] >= until), first)
        rest = ((since, until), categories, view, frame, counts)
        partly = sorted({*range(begin, min(first, end)), *range(last, end)})
        if wanted.level > columns.level:  # several bins in a cell: the cube cannot tell them apart
            for p in partly:
                add_cases(columns, whole, whole_bins, False, p, p + 1, *rest)
            add_whole(columns, whole, whole_bins, first, last, categories, frame, counts)
        else:
            for p in partly:
                add_period(columns, whole, whole_bins, p, (since, until), categories, bool(categories.all()), counts)
            add_cube(columns, whole, whole_bins, first, last, categories, counts)
        add_cases(columns, cut, cut_bins, True, begin, end, *rest)
        return bins

    def all(self) -> Cases:
        """Every case as it was given, in the order of the store."""
        x, y = np.empty(self.cases), np.empty(self.cases)
        at, category, region = (np.empty(self.cases, dtype=np.int64) for _ in range(3))
        restore(self.columns, x, y, at, category, region)
        return Cases(x, y, at, category, region, self.categories, self.regions)

    @staticmethod
    def _chosen(known: tuple[Any, ...], asked: Any) -> Any:
        return np.ones(len(known), dtype=bool) if asked is None else mask(known, asked)
