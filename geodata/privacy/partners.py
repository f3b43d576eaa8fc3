"""Cells to withhold beside a small one: the cheapest box in its sub-table, else the total above it."""

from __future__ import annotations

import numpy as np

from geodata.privacy.trees import Bools, Ints, Tree

_NEVER = 1 << 60


class Partners:
    """Finds what to withhold beside a cell of ``counts`` (places, columns), and withholds it.

    Prefers what is hidden already, then the smallest counts that leave a small cell its whole range of 1 to 4.
    """

    def __init__(self, counts: Ints, places: Tree, columns: Tree, least: int) -> None:
        self.counts, self.places, self.columns, self.least = counts, places, columns, least

    def protect(self, place: int, column: int, hidden: Bools) -> None:
        """Withhold cells in ``hidden`` so that the cell lies on a cycle of four (two where its table is a line)."""
        rows = self.places.siblings[self.places.group[place]] if place else np.array([0])
        cols = self.columns.siblings[self.columns.group[column]] if column else np.array([0])
        box = np.ix_(rows, cols)
        value, shut = self.counts[box], hidden[box]
        r, c = int(np.searchsorted(rows, place)), int(np.searchsorted(cols, column))
        cost = np.where(shut, 0, np.where(value >= 2 * self.least - 2, value, value * 4 + 100))
        up = self.columns.parent[column] if column else -1
        if up >= 0 and place:  # a row or column whose own total is withheld holds nothing
            cost = np.where(hidden[rows, up][:, None], _NEVER, cost)
        above = self.places.parent[place] if place else -1
        if above >= 0 and column:
            cost = np.where(hidden[above, cols][None, :], _NEVER, cost)
        cost = np.where(value == 0, _NEVER, cost)
        low = (value > 1) & (value != self.least)  # may lose a case
        high = value != self.least - 1  # may gain one
        best = self._box(cost, low, high, r, c) if place and column else self._line(cost, low, high, r, c)
        if best is None:
            self._withhold_total(place, column, hidden)
            return
        for i, j in best:
            hidden[rows[i], cols[j]] = True

    @staticmethod
    def _line(cost: Ints, low: Bools, high: Bools, r: int, c: int) -> list[tuple[int, int]] | None:
        fits = (low & high[r, c]) | (high & low[r, c])
        price = np.where(fits, cost, _NEVER)
        price[r, c] = _NEVER
        i, j = divmod(int(price.argmin()), price.shape[1])
        return [(i, j)] if price[i, j] < _NEVER else None

    @staticmethod
    def _box(cost: Ints, low: Bools, high: Bools, r: int, c: int) -> list[tuple[int, int]] | None:
        price = np.minimum(cost[r : r + 1, :] + cost[:, c : c + 1] + cost, _NEVER)
        loses = low[r, c] & low & high[r : r + 1, :] & high[:, c : c + 1]
        gains = high[r, c] & high & low[r : r + 1, :] & low[:, c : c + 1]
        price = np.where(loses | gains, price, _NEVER)
        price[r, :], price[:, c] = _NEVER, _NEVER
        i, j = divmod(int(price.argmin()), price.shape[1])
        return [(i, j), (r, j), (i, c)] if price[i, j] < _NEVER else None

    def _withhold_total(self, place: int, column: int, hidden: Bools) -> None:
        """Withhold the smaller of the totals above; the cell then hides with all its detail below that."""
        totals = []
        if place:
            totals.append((int(self.places.parent[place]), column))
        if column:
            totals.append((place, int(self.columns.parent[column])))
        hidden[min(totals, key=lambda cell: int(self.counts[cell]))] = True
