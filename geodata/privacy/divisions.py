"""Households of one ground divided in several ways at once, by regions and by plans: which sums may be told.

Two plans that differ by a compound of two households tell those two by their difference, however large every grid is.
Cells are therefore judged together. A count of 1 to 4 (of a cell, of what two cells of two divisions have in common, of
the finest pieces of all) is safe where another town could be behind the same publication, one that has another number
just there. Such a town is looked for by an integer program over the pieces around: households move between pieces so
that every sum that is told stays, every mark stays true, and the count in question changes by one. Where none is found
the program also says which cells to withhold so that there is one, the fewest households first.

A cell that is withheld without a mark may be any number: "—" stands for 5 and more beside a small one, and for a small
one where "<5" would tell it.

What is withheld later only widens what could be, so a town once found stays one. Nothing is claimed of the numbers that
somebody knows from elsewhere. Source: the suppression of linked tables as an integer program, after M. Fischetti and
J. J. Salazar, "Solving the Cell Suppression Problem on Tabular Data with Linear Constraints", Management Science 47
(2001).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack

from geodata.privacy.suppress import EXACT, LEAST, SMALL, WITHHELD, States
from geodata.privacy.trees import Bools, Ints

#: A cell upon which nothing is decided yet.
FREE = 3
#: Pieces around a count among which another town is looked for; more only where those do not do.
_NEAR, _FAR = 120, 1500
#: Households that a piece loses or gains at most in another town.
_STEP = 4
#: A small cell whose "<5" would tell it is withheld without a mark: dearer than any number of others.
_UNMARKED = 1e7
_ANY = 1 << 40


@dataclass(frozen=True)
class Division:
    """The cell (units,) that each unit lies in, -1 for none; and of each cell what is decided (cells,).

    ``state``: EXACT (told, for good), SMALL ("<5"), WITHHELD, or FREE. ``low`` and ``high`` bound what a withheld cell
    can be by what else is told of it: its status under the standard. ``price``: of withholding a household. Of regions
    (``region``) the pieces that they have in common with others are no counts of their own; nothing of them is free.
    """

    cell: Ints
    state: States
    low: Ints
    high: Ints
    price: float = 1.0
    region: bool = False

    @classmethod
    def of(cls, cell: Ints, state: States | None = None, *, price: float = 1.0, region: bool = False) -> Division:
        """A division without any bounds; without ``state`` all is free (of regions: told)."""
        n = int(cell.max(initial=-1)) + 1 if state is None else len(state)
        decided = np.full(n, EXACT if region else FREE, dtype=np.uint8) if state is None else state
        return cls(cell, decided, np.zeros(n, dtype=np.int64), np.full(n, _ANY), price, region)


def decide(households: Ints, divisions: Sequence[Division], least: int = LEAST) -> list[States]:
    """What may be told of every cell of every division: EXACT, SMALL or WITHHELD (cells,); nothing stays free.

    ``households`` (units,). A free cell below ``least`` becomes SMALL (an empty one is told). Raises ``ValueError``
    where a division is not one of the same units.
    """
    if any(one.cell.shape != households.shape for one in divisions):
        raise ValueError("every division must name a cell for each unit")
    table = _Table(households, divisions, least)
    for target in table.targets():
        table.protect(target)
    return [table.state[cells] for cells in table.cells]


class _Table:
    """Pieces that hold households, and cells of all divisions: those with the same pieces are one."""

    def __init__(self, households: Ints, divisions: Sequence[Division], least: int) -> None:
        self.least = least
        inhabited = households > 0
        cells = np.stack([one.cell[inhabited] for one in divisions], axis=1)
        piece = _grouped(cells)
        self.x = np.bincount(piece, households[inhabited]).astype(np.int64)
        at = np.full(len(self.x), -1)
        at[piece] = np.arange(len(piece))
        #: Cell of each piece, by division: (pieces, divisions), numbered within the division.
        self.own = cells[at]
        self._number(divisions)
        self.plans = [k for k, one in enumerate(divisions) if not one.region]
        self.regions = [k for k, one in enumerate(divisions) if one.region]

    def _number(self, divisions: Sequence[Division]) -> None:
        """One number for cells with the same pieces; ``cells`` says it of each division's cells (last: empty ones)."""
        n = len(self.x)
        mark = np.random.default_rng(0).integers(1, 1 << 62, n).astype(np.uint64)
        sums = []
        for k, one in enumerate(divisions):
            total = np.zeros(len(one.state), dtype=np.uint64)
            inside = self.own[:, k] >= 0
            np.add.at(total, self.own[inside, k], mark[inside])
            sums.append(total)
        names, back = np.unique(np.concatenate([np.zeros(1, dtype=np.uint64), *sums]), return_inverse=True)
        cuts = np.cumsum([len(total) for total in sums])[:-1]
        self.cells = [part.astype(np.int64) for part in np.split(back[1:], cuts)]
        m = len(names)  # number 0: cells without households
        self.value = np.zeros(m, dtype=np.int64)
        self.low, self.high, self.price = np.zeros(m, dtype=np.int64), np.full(m, _ANY), np.zeros(m)
        told, marked, shut, free = (np.zeros(m, dtype=bool) for _ in range(4))
        rows, columns = [], []
        for k, (one, cells) in enumerate(zip(divisions, self.cells, strict=True)):
            inside = np.flatnonzero(self.own[:, k] >= 0)
            number = cells[self.own[inside, k]]
            rows.append(number)
            columns.append(inside)
            self.value[cells] = np.bincount(number, self.x[inside], minlength=m)[cells]
            np.maximum.at(self.low, cells, one.low)
            np.minimum.at(self.high, cells, one.high)
            np.maximum.at(self.price, cells, one.price)
            for mask, state in ((told, EXACT), (marked, SMALL), (shut, WITHHELD), (free, FREE)):
                mask[cells[one.state == state]] = True
        keys = np.unique(np.concatenate(rows) * n + np.concatenate(columns))
        self.pieces = csr_array((np.ones(len(keys)), (keys // n, keys % n)), shape=(m, n))
        self.holders = csr_array(self.pieces.T)
        few = (self.value > 0) & (self.value < self.least)
        told[0] = True  # nobody lives there: that is no number of households
        self.state = np.full(m, EXACT, dtype=np.uint8)
        self.state[~told & shut] = WITHHELD
        self.state[few & ~shut] = SMALL
        self.state[~told & marked & ~few] = WITHHELD  # it has grown: once withheld, always
        #: May still be withheld, or lose its mark.
        self.open = free & ~told & ~marked & ~shut
        self.low[few], self.high[few] = 0, _ANY  # a status says no more of them than the mark

    def targets(self) -> Iterator[Ints]:
        """Pieces of every small count: of cells, of what two plans have in common, of the finest pieces."""
        seen: set[bytes] = set()
        for found in self._small():
            name = found.tobytes()
            if name not in seen:
                seen.add(name)
                yield found

    def _small(self) -> Iterator[Ints]:
        for cell in np.flatnonzero((self.value > 0) & (self.value < self.least)).tolist():
            yield self._of(cell)
        for i in self.plans if self.regions else []:  # small grids of a region together: its total less all the others
            own, home = self.own[:, i], self.own[:, self.regions[0]]
            small = np.flatnonzero((own >= 0) & (home >= 0) & (self.state[self.cells[i][own]] == SMALL))
            if len(small):
                yield from _few(small, _grouped(home[small, None]), self.x, self.least)
        for k, i in enumerate(self.plans):
            for j in self.plans[:k]:
                both = np.flatnonzero((self.own[:, i] >= 0) & (self.own[:, j] >= 0))
                if len(both):
                    yield from _few(both, _grouped(self.own[both][:, [i, j]]), self.x, self.least)
        if len(self.plans) > 2:
            yield from _few(np.arange(len(self.x)), np.arange(len(self.x)), self.x, self.least)

    def _of(self, cell: int) -> Ints:
        found: Ints = self.pieces.indices[self.pieces.indptr[cell] : self.pieces.indptr[cell + 1]].astype(np.int64)
        return found

    def protect(self, target: Ints) -> None:
        """Withhold, if need be, what keeps a small count from being worked out."""
        for most, strict in ((_NEAR, True), (_FAR, True), (_FAR, False)):
            near = self._around(target, most)
            best = _Moves(self, near, np.isin(near, target), strict).cheapest()
            if best[0] < _UNMARKED:
                break
        self.state[best[1]] = WITHHELD
        if not np.isfinite(best[0]):  # no town was found: nothing new is told around here
            around = np.unique(self.holders[near].indices)
            self.state[around[self.open[around]]] = WITHHELD

    def _around(self, target: Ints, most: int) -> Ints:
        """Pieces near a count, itself first: in its cells and theirs, then of its regions, withheld ones first."""
        seen = list(target.tolist())
        known = set(seen)

        def take(pieces: Ints) -> None:
            for piece in pieces.tolist():
                if piece not in known and len(seen) < most:
                    known.add(piece)
                    seen.append(piece)

        def beside(pieces: Sequence[int], divisions: list[int]) -> Iterator[int]:
            done: set[int] = set()
            for k in divisions:
                for own in self.own[pieces, k].tolist():
                    cell = int(self.cells[k][own]) if own >= 0 else 0
                    if cell and cell not in done:
                        done.add(cell)
                        yield cell

        begin = 0
        for _ in range(2):
            end = len(seen)
            for cell in beside(seen[begin:end], self.plans):
                take(self._of(cell))
            begin = end
        for k in self.regions:  # the narrowest first
            for cell in beside(target.tolist(), [k]):
                found = self._of(cell)
                hidden = np.zeros(len(found), dtype=bool)
                size = np.zeros(len(found), dtype=np.int64)
                for plan in self.plans:
                    own = self.own[found, plan]
                    number = np.where(own >= 0, self.cells[plan][own], 0)
                    hidden |= self.state[number] != EXACT
                    size = np.maximum(size, self.value[number])
                take(found[np.lexsort((size, ~hidden))])
        return np.array(seen, dtype=np.int64)


class _Moves:
    """Households that move among some pieces so that nothing that is told changes."""

    def __init__(self, table: _Table, near: Ints, target: Bools, strict: bool) -> None:
        """``strict``: a cell that is withheld without a mark is taken to be one of ``least`` or more."""
        self.table = table
        holders = csr_array(table.holders[near])
        self.cells = np.unique(holders.indices).astype(np.int64)
        inside = csr_array(holders[:, self.cells].T)
        v, state = table.value[self.cells], table.state[self.cells]
        can = table.open[self.cells]
        may_shut = can & (state == EXACT)
        may_bare = can & (state == SMALL)
        self.choice = np.flatnonzero(may_shut | may_bare)
        told = state == EXACT
        low, high = table.low[self.cells], table.high[self.cells]
        lower = np.where(state == SMALL, 1, np.where(v < table.least, 0, np.maximum(table.least * strict, low))) - v
        upper = np.where(state == SMALL, table.least - 1, high) - v
        reach = _STEP * max(len(near), 1)
        lower, upper = np.maximum(lower, -reach), np.minimum(upper, reach)
        # a chosen cell is freed of its sum (or its mark): down by `down`, up by `up` more than without
        down = np.where(may_bare, lower + v, np.where(may_shut, -lower, 0)).clip(0)
        up = np.where(may_bare, reach, np.where(may_shut, upper, 0)).clip(0)
        lower[told], upper[told] = 0, 0
        n, c = len(near), len(self.choice)
        self.rules = [
            LinearConstraint(hstack([inside, self._freed(down)]), lower, np.inf),
            LinearConstraint(hstack([inside, self._freed(-up)]), -np.inf, upper),
        ]
        self.count = csr_array(np.concatenate([target, np.zeros(c, dtype=bool)])[None, :].astype(float))
        x = table.x[near]
        self.bounds = Bounds(
            np.concatenate([-np.minimum(x, _STEP), np.zeros(c)]), np.concatenate([np.full(n, _STEP), np.ones(c)])
        )
        price = np.where(state == SMALL, _UNMARKED, table.price[self.cells] * (v + 1.0))[self.choice]
        self.cost = np.concatenate([np.zeros(n), price])
        self.n = n

    def _freed(self, by: Ints) -> csr_array:
        return csr_array(
            (by[self.choice].astype(float), (self.choice, np.arange(len(self.choice)))),
            shape=(len(self.cells), len(self.choice)),
        )

    def cheapest(self) -> tuple[float, Ints]:
        """The cheaper of a household more and one less; nothing is cheaper than nothing."""
        more = self.solve(1)
        return more if more[0] == 0 else min(more, self.solve(-1), key=lambda one: one[0])

    def solve(self, step: int) -> tuple[float, Ints]:
        """The price of a town in which the count differs by ``step``, and the cells to withhold for it."""
        found = milp(
            self.cost,
            constraints=[*self.rules, LinearConstraint(self.count, step, step)],
            integrality=np.ones(len(self.cost), dtype=np.int64),
            bounds=self.bounds,
        )
        if found.x is None:
            return np.inf, np.zeros(0, dtype=np.int64)
        chosen = self.choice[found.x[self.n :] > 0.5]
        return float(found.fun), self.cells[chosen]


def _grouped(keys: Ints) -> Ints:
    """A number for each row of keys (n, k): equal rows, equal numbers."""
    out = np.zeros(len(keys), dtype=np.int64)
    for column in keys.T:
        wide = int(column.max(initial=0)) + 2
        out = np.unique(out * wide + column + 1, return_inverse=True)[1]
    return out


def _few(pieces: Ints, group: Ints, x: Ints, least: int) -> Iterator[Ints]:
    """Pieces of every group with fewer households than ``least``."""
    total = np.bincount(group, x[pieces])
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    for number, rows in enumerate(np.split(order, cuts)):
        if len(rows) and total[number] < least:
            yield pieces[rows]
