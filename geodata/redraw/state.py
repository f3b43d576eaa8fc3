"""A plan under the editor's hands: move units, undo, redo, and know at once what that does to the grids it touches.

Nothing is refused: a plan may pass through a worse one. What a hard rule forbids is told when asked
(:meth:`State.allowed`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from geodata.redraw.edits import Change, GridNow, Reason, Totals
from geodata.redraw.ledger import (
    AREA_M2,
    BARRIER_M,
    BORDER_M,
    EXCESS,
    FIRST,
    HOUSEHOLDS,
    OUTSIDE,
    PERIMETER_M,
    PIECES,
    POLSBY_POPPER,
    POPULATION,
    SCORE,
    SIZE,
    STATUS,
    add_up,
    facts,
    ledger,
    put,
    widened,
)
from geodata.redraw.measure import STATUS as NAMES
from geodata.redraw.measure import Score
from geodata.redraw.model import PARTS, Instance, Ints

_SPARE = 16

Step = tuple[Ints, Ints, Ints]  # units, the slots they were in, the slots they are in


class State:
    """``plan`` (n,), the grid of each unit (-1 for none), with every figure kept up to date; not thread-safe."""

    def __init__(self, instance: Instance, plan: Ints) -> None:
        self.instance = instance
        self._weights = instance.weights.array()
        numbers = np.unique(np.concatenate([plan, instance.start]))
        self._number: list[int] = numbers[numbers >= 0].tolist()
        self._slot = {grid: at for at, grid in enumerate(self._number)} | {-1: -1}
        self._next = max([instance.n_start - 1, *self._number]) + 1
        place = np.searchsorted(np.array(self._number, dtype=np.int64), plan)
        self._facts = facts(instance, np.array([self._slot[grid] for grid in instance.start.tolist()], dtype=np.int64))
        self._book = ledger(self._facts, np.where(plan >= 0, place, -1), len(self._number) + _SPARE)
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._loose = self._count_loose()

    @property
    def plan(self) -> Ints:
        """The grid of each unit (n,), -1 for none; a copy."""
        return self._grid_of(self._book.slot)

    @property
    def new_grid(self) -> int:
        """A number for a new grid: neither the start plan nor any grid so far has used it."""
        return int(self._next)

    @property
    def can_undo(self) -> bool:
        """Whether there is a move to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a move to make again."""
        return bool(self._undone)

    def move(self, units: Iterable[int], grid: int) -> Change:
        """Put ``units`` into ``grid``: any number, also a new one; -1 for none. ``IndexError`` for no such unit."""
        chosen = self._chosen(units)
        step = (chosen, self._book.slot[chosen], np.full(len(chosen), self._slot_of(grid)))
        self._next = max(self._next, grid + 1)
        self._done.append(step)
        self._undone.clear()
        return self._go(*step)

    def undo(self) -> Change | None:
        """Take the last move back; None if there is none."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        units, origin, target = self._undone[-1]
        return self._go(units, target, origin)

    def redo(self) -> Change | None:
        """Make the move again that was taken back last; None if there is none."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._go(*self._done[-1])

    def grid(self, grid: int) -> GridNow:
        """One grid; raises ``KeyError`` for a number that was never one."""
        if grid < 0:
            raise KeyError(grid)
        return self._now(self._slot[grid])

    def grids(self) -> list[GridNow]:
        """All grids that hold a unit, by number."""
        held = np.flatnonzero(self._book.counts[:, SIZE]).tolist()
        return sorted((self._now(at) for at in held), key=lambda now: now.grid)

    def totals(self) -> Totals:
        """Score and counts of the whole plan."""
        counts, sums = self._book.counts, self._book.sums.sum(axis=0)
        parts = dict(zip(PARTS, sums[SCORE:].tolist(), strict=True))
        loose, moved, compounds = self._loose
        parts["moved"] += moved
        parts["compounds"] -= compounds
        total = sum(weight * parts[part] for weight, part in zip(self._weights.tolist(), PARTS, strict=True))
        held = counts[:, SIZE] > 0
        return Totals(
            Score(int(counts[:, EXCESS].sum()), float(sums[OUTSIDE]), total, parts),
            int(held.sum()),
            int((held & (counts[:, STATUS] == 0)).sum()),
            int((counts[:, PIECES] == 1).sum()),
            loose,
        )

    def allowed(self, units: Iterable[int], grid: int) -> list[Reason]:
        """Hard rules that moving ``units`` into ``grid`` would break, empty if none; the plan stays as it is.

        ``REDRAW_EDIT_HELD`` locked units, ``REDRAW_EDIT_CLOSED`` closed grids, ``REDRAW_EDIT_GROUP`` units of another
        group than the grid's, ``REDRAW_EDIT_PIECES`` grids that would be in more pieces than now.
        """
        chosen = self._chosen(units)
        chosen = chosen[self._book.slot[chosen] != self._slot.get(grid, len(self._number))]
        if not len(chosen):
            return []
        start, closed = self.instance.start[chosen], self.instance.closed
        away = start != grid
        held = chosen[self.instance.locked[chosen] & away]
        shut = (set(start[away].tolist()) | ({grid} if away.any() else set())) & closed
        return [
            *([Reason("REDRAW_EDIT_HELD", {"units": held.tolist()})] if len(held) else []),
            *([Reason("REDRAW_EDIT_CLOSED", {"grids": sorted(shut)})] if shut else []),
            *self._mixed(chosen, grid),
            *self._parted(chosen, grid),
        ]

    def _mixed(self, units: Ints, grid: int) -> list[Reason]:
        """Units of another group than the grid, or than the first of them if the grid holds nothing else."""
        group = self.instance.units.group
        rest = np.setdiff1d(np.flatnonzero(self._book.slot == self._slot_of(grid)), units)
        if grid < 0:
            return []
        strange = units[group[units] != group[rest[0] if len(rest) else units[0]]]
        return [Reason("REDRAW_EDIT_GROUP", {"units": strange.tolist()})] if len(strange) else []

    def _parted(self, units: Ints, grid: int) -> list[Reason]:
        """Grids that fall into more pieces, found by doing it and taking it back."""
        origin = self._book.slot[units]
        target = np.full(len(units), self._slot_of(grid))
        touched = np.unique(np.concatenate([origin, target]))
        touched = touched[touched >= 0]
        before = self._book.counts[touched, PIECES].copy()
        self._put(units, target, touched)
        after = self._book.counts[touched, PIECES].copy()
        self._put(units, origin, touched)
        worse = touched[after > np.maximum(before, 1)]
        return [Reason("REDRAW_EDIT_PIECES", {"grids": sorted(self._grid_of(worse).tolist())})] if len(worse) else []

    def _go(self, units: Ints, origin: Ints, target: Ints) -> Change:
        """Move ``units`` to the slots ``target`` and tell what it did."""
        moved = np.unique(np.concatenate([origin, target]))
        stale = moved
        if (moved < 0).any():  # ground in no grid is no border: neighbours gain or lose one
            rows = [self._facts.other[self._facts.indptr[u] : self._facts.indptr[u + 1]] for u in units.tolist()]
            stale = np.unique(np.concatenate([moved, self._book.slot[np.concatenate(rows)]]))
        self._put(units, target, stale[stale >= 0])
        if (moved < 0).any():
            self._loose = self._count_loose()
        touched = sorted((self._now(at) for at in moved[moved >= 0].tolist()), key=lambda now: now.grid)
        return Change(units, self._grid_of(origin), self._grid_of(target), tuple(touched), self.totals())

    def _put(self, units: Ints, target: Ints, stale: Ints) -> None:
        put(self._book, units, target)
        add_up(self._facts, self._book, stale)

    def _now(self, at: int) -> GridNow:
        row, sums = self._book.counts[at].tolist(), self._book.sums[at].tolist()
        low, high, people_low, people_high = self._facts.band[row[FIRST]].tolist()
        households, people = row[HOUSEHOLDS], row[POPULATION]
        held = row[SIZE] > 0
        return GridNow(
            grid=self._number[at],
            units=row[SIZE],
            households=households,
            population=people,
            households_off=min(households - low, 0) + max(households - high, 0) if held else 0,
            population_off=min(people - people_low, 0) + max(people - people_high, 0) if held else 0,
            status=NAMES[row[STATUS]],
            excess=row[EXCESS],
            pieces=row[PIECES],
            polsby_popper=sums[POLSBY_POPPER],
            area_m2=sums[AREA_M2],
            perimeter_m=sums[PERIMETER_M],
            on_barriers=sums[BARRIER_M] / sums[BORDER_M] if sums[BORDER_M] > 0 else None,
        )

    def _chosen(self, units: Iterable[int]) -> Ints:
        chosen = np.unique(np.fromiter(units, dtype=np.int64))
        if len(chosen) and not 0 <= chosen[0] <= chosen[-1] < len(self._book.slot):
            raise IndexError(f"units are numbered from 0 to {len(self._book.slot) - 1}")
        return chosen

    def _slot_of(self, grid: int) -> int:
        """The slot of ``grid``, a new one if it was never seen."""
        if grid < -1:
            raise ValueError(f"no grid has the number {grid}")
        if grid not in self._slot:
            self._slot[grid] = len(self._number)
            self._number.append(grid)
            if len(self._number) > len(self._book.head):
                self._book = widened(self._book)
        return self._slot[grid]

    def _grid_of(self, slots: Ints) -> Ints:
        return np.array([*self._number, -1], dtype=np.int64)[slots]

    def _count_loose(self) -> tuple[int, int, int]:
        """Units in no grid, their households that have left a grid of the start plan, compounds that are in a grid."""
        slot, known = self._book.slot, self._facts
        loose = slot < 0
        compound = known.compound[~loose & (known.compound >= 0)]
        return (
            int(loose.sum()),
            int(known.households[loose & (known.from_ >= 0)].sum()),
            len(np.unique(compound)),
        )
