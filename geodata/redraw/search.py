"""The search for one group's plan: anneal everything, then improve region after region, on all threads.

The ground is divided into strips that share no grid, so that threads never touch each other's tallies; the strips turn
between chunks. Everything depends on the seed and the number of moves, nothing on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from time import monotonic

import numpy as np

from geodata.adjacency import components
from geodata.redraw.anneal import Schedule, Worth, anneal, appraise, worth
from geodata.redraw.begin import begin
from geodata.redraw.chance import chance
from geodata.redraw.ground import Ground
from geodata.redraw.model import Ints
from geodata.redraw.pocket_cover import exact_pocket
from geodata.redraw.regions import improve, region
from geodata.redraw.resplit import Polish
from geodata.redraw.tally import Tally, recount, score, scratch, shift, tally, typical_change
from geodata.redraw.treecut import mend

_GOLDEN_ANGLE = 2.399963229728653
_UNITS_PER_STRIP = 500
_MOST_STRIPS = 8
_ANNEAL_MOVES = 5_000  # a unit; more no longer helps, large neighbourhoods do
_ANNEAL_SHARE = 0.35
_ANNEAL_CHUNKS = 24
_CHUNK_MOVES = 500  # a unit
_PER_UNIT = 80  # moves a unit of a region, a round
_REGION = (3, 14)  # grids
_LENIENCE = 0.12  # how much worse a region may become and still be kept, on average, at first; then less and less
_STRICT_FROM = 0.85  # of the budget: nothing worse is kept from here on
_POLISH_FROM = 0.96  # of the budget
_POLISH_LEAST_S = 0.05
_EXACT_UNITS = 30  # a pocket of so few is solved exactly
_EXACT_DENSE = 24  # likewise, however many borders it has
_PLANAR = 3  # borders a unit: ground in the plane has no more (Euler)
_EXACT_WORK = 20_000_000
_TREES = 30  # trees a batch
_TREE_REGIONS = ((2, 4), (2, 6), (2, 9))  # grids
_TREE_MOVES = 2_000  # what a tree counts in the budget: about its time
_MEND_SHARE = 0.25
_MEND_PATIENCE = 120  # batches without a better plan before giving up
_MEND_RETURN = 10  # batches after which the best plan is taken up again
_USUAL_CHANGE = 0.17  # of the score by a move, where only compactness has a weight: the temperatures were found there


@dataclass(slots=True)
class Budget:
    """How long a search may go on: moves, or the clock; ``stopped`` says which ended it."""

    moves: int | None
    deadline: float | None
    cancelled: Callable[[], bool]
    done: int = 0
    began: float = 0.0
    stopped: str = "done"

    def left(self) -> bool:
        """Whether there is more to spend."""
        if self.cancelled():
            self.stopped = "cancelled"
        elif self.deadline is not None and monotonic() >= self.deadline:
            self.stopped = "time" if self.moves is not None else "done"
        elif self.moves is None or self.done < self.moves:
            return True
        return False

    def share(self) -> float:
        """Part spent, 0 to 1."""
        parts = [0.0]
        if self.moves is not None:
            parts.append(self.done / max(self.moves, 1))
        if self.deadline is not None:
            parts.append((monotonic() - self.began) / max(self.deadline - self.began, 1e-9))
        return min(max(parts), 1.0)


class Search:
    """One group's plan in the making."""

    def __init__(self, ground: Ground, seed: tuple[int, ...], pool: Executor, first: Ints | None = None) -> None:
        self.ground, self.pool = ground, pool
        self.n = len(ground.households)
        self.from_plan = bool((ground.start >= 0).mean() > 0.5 and ground.move_cost.any())
        label = begin(ground if first is None else ground._replace(start=first), np.random.default_rng(seed))
        slots = int(label.max()) + 1
        wanted = int(ground.households.sum() / max(float(ground.middle.min()), 1.0))
        slots += min(max(slots // 2, wanted), self.n) + 16
        self.state: Tally = tally(ground, label, slots)
        self.value: Worth = worth(slots)
        self.strips = int(np.clip(self.n // _UNITS_PER_STRIP, 1, _MOST_STRIPS))
        self.rng = [chance(*seed, strip) for strip in range(self.strips)]
        self.work = [scratch(self.n) for _ in range(self.strips)]
        self.room = [region(self.n, slots) for _ in range(self.strips)]
        self.turns = 0
        self.settled = np.zeros(self.n, dtype=bool)
        self.appraise()
        self.scale = self._scale()
        self.best, self.best_key = label.copy(), self.key()

    def appraise(self) -> None:
        """All sums and worths anew, which also takes away what rounding has left."""
        recount(self.ground, self.state)
        for grid in range(len(self.state.size)):
            if self.state.size[grid]:
                appraise(self.ground, self.state, self.value, grid)
            else:
                self.value.excess[grid], self.value.outside[grid], self.value.cost[grid] = 0, 0.0, 0.0

    def key(self) -> tuple[int, float, float]:
        """Score of the plan as it stands; smaller is better."""
        return score(self.ground, self.state)

    def keep(self) -> bool:
        """Remember the plan if it is the best so far."""
        key = self.key()
        if not less(key, self.best_key):
            return False
        self.best, self.best_key = self.state.label.copy(), key
        return True

    def take(self, label: Ints) -> None:
        """Go on from ``label`` (n,) if it is better than the best so far, and there are slots for its grids."""
        if int(label.max()) < len(self.state.size):
            self.state.label[:] = label
            self.appraise()
            self.keep()
            self.back_to_best()

    def back_to_best(self) -> None:
        """Take up the best plan again."""
        self.state.label[:] = self.best
        self.appraise()

    def run(self, budget: Budget, tell: Callable[[Search], None]) -> None:
        """Spend ``budget``; ``tell`` is called after every chunk."""
        if not self._free():
            return
        self._settle(budget)
        if len(self._movable()):
            if not self.from_plan:
                self._anneal(budget)
                self.appraise()
                self.keep()
                self.back_to_best()
            tell(self)
            self._mend(budget)
            tell(self)
            while budget.left() and budget.share() < _POLISH_FROM:
                self._cut_trees(_TREES, _TREE_REGIONS[self.turns % len(_TREE_REGIONS)], wander=False)
                self._improve(budget)
                self.keep()
                tell(self)
            if budget.stopped == "done" and budget.done < _POLISH_FROM * (budget.moves or 0):
                budget.stopped = "time"
            self.back_to_best()
        self._polish(budget)
        self.keep()
        tell(self)

    def _movable(self) -> Ints:
        """Units that the search may move."""
        return np.flatnonzero(~self.ground.held & ~self.settled)

    def _settle(self, budget: Budget) -> None:
        """Solve small pockets exactly; they are left alone from then on."""
        ground, state = self.ground, self.state
        ends = np.repeat(np.arange(self.n), np.diff(ground.indptr))
        pocket = components(self.n, ends[ground.open], ground.other[ground.open])
        size = np.bincount(pocket)
        borders = np.bincount(pocket[ends[ground.open]], minlength=len(size)) / 2
        fits = (size <= _EXACT_UNITS) & ((size <= _EXACT_DENSE) | (borders <= _PLANAR * size))
        small = np.flatnonzero(fits & (np.bincount(pocket, ~ground.held) > 0))
        order = np.argsort(pocket, kind="stable")
        bounds = np.searchsorted(pocket[order], np.stack([small, small + 1]))
        for low, high in bounds.T:
            if not budget.left():
                break
            units = np.sort(order[low:high])
            free = np.zeros(len(state.size), dtype=bool)
            free[state.label[units]] = True
            found = exact_pocket(ground, units, free, len(state.size), cap=_EXACT_WORK)
            if found is None:
                continue
            spare = np.flatnonzero(state.size == 0)
            new, number = np.unique(found[found >= len(state.size)], return_inverse=True)
            if len(new) > len(spare):
                continue
            found[found >= len(state.size)] = spare[number]
            for unit, grid in zip(units.tolist(), found.tolist(), strict=True):
                shift(ground, state, unit, grid)
            self.settled[units] = True
        self.appraise()
        self.keep()
        self.back_to_best()

    def _polish(self, budget: Budget) -> None:
        """Re-split every pair of touching grids, and every grid in two, exactly, until none gets better."""
        if budget.cancelled():
            return
        work = Polish(self.ground, self.state, self.value, pool=self.pool)
        until = None if budget.deadline is None else max(budget.deadline, monotonic() + _POLISH_LEAST_S)
        while sum(work.run(size, deadline=until, cancelled=budget.cancelled) for size in (1, 2)):
            if until is not None and monotonic() >= until:
                break

    def _free(self) -> bool:
        """Whether any unit can go anywhere."""
        return bool((~self.ground.held).any() and self.ground.open.any())

    def _scale(self) -> float:
        """How much single moves change the score here, as a multiple of what they do on the synthetic town."""
        change = typical_change(self.ground, self.state, self.rng[0], 2000)
        return change / _USUAL_CHANGE if change > 0 else 1.0

    def _schedule(self, hot: float, cold: float) -> Schedule:
        return Schedule(hot * self.scale, cold * self.scale, self.scale, 16.0 * self.scale)

    def _anneal(self, budget: Budget) -> None:
        """Anneal from hot to cold once, by moves or by the clock, whichever is further on."""
        most = _ANNEAL_MOVES * self.n
        if budget.moves is not None:
            most = max(min(most, int(_ANNEAL_SHARE * (budget.moves - budget.done))), 1)
        plan = self._schedule(0.15, 0.006)
        chunk = max(most // _ANNEAL_CHUNKS, 1)
        done, share = 0, 0.0
        while share < 1.0:
            made = min(chunk, max(most - done, 1))
            following = min(1.0, max((done + made) / most, budget.share() / _ANNEAL_SHARE, share + 1e-6))
            if not budget.left():
                following = 1.0  # cool down at once rather than stop hot
            tasks = []
            for strip, mine, units, _ in self._strips():
                args = (self.ground, self.state, self.value, units, mine, plan, max(made * len(units) // self.n, 1))
                tasks.append(self.pool.submit(anneal, *args, (share, following), self.rng[strip], self.work[strip]))
            for task in tasks:
                task.result()
            done += made
            budget.done += made
            share = following

    def _mend(self, budget: Budget) -> None:
        """Let breaks of the band wander until they dissolve, nothing has helped for long, or enough time is spent."""
        until, idle = budget.share() + _MEND_SHARE, 0
        while self.best_key[0] and idle < _MEND_PATIENCE and budget.left() and budget.share() < until:
            self._cut_trees(_TREES, _TREE_REGIONS[idle % len(_TREE_REGIONS)], wander=True)
            budget.done += _TREES * _TREE_MOVES
            idle = 0 if self.keep() else idle + 1
            if idle % _MEND_RETURN == 0:
                self.back_to_best()
        self.back_to_best()

    def _cut_trees(self, rounds: int, sizes: tuple[int, int], *, wander: bool) -> None:
        """Cut random trees over regions around what breaks the band."""
        bad = (self.value.excess > 0) & (self.state.size > 0)
        urgent = np.flatnonzero(bad[self.state.label] & ~self.ground.held)
        if len(urgent):
            everywhere = np.ones(len(bad), dtype=bool)
            spare = np.flatnonzero(self.state.size == 0)
            args = (self.ground, self.state, self.value, everywhere, urgent, spare, sizes, rounds, wander)
            mend(*args, self.rng[0], self.work[0], self.room[0])

    def _improve(self, budget: Budget) -> None:
        """One chunk of rounds over large neighbourhoods, a strip a thread."""
        plan = self._schedule(0.1, 0.01)
        lenience = _LENIENCE * self.scale * max(0.0, 1 - budget.share() / _STRICT_FROM)
        bad = (self.value.excess > 0) & (self.state.size > 0)
        chunk = max(_CHUNK_MOVES * self.n, 20_000)
        if budget.moves is not None:
            chunk = min(chunk, budget.moves - budget.done)
        chunk = max(chunk // self.strips, 1)
        tasks = []
        for strip, mine, units, spare in self._strips():
            urgent = units[bad[self.state.label[units]]]
            args = (self.ground, self.state, self.value, mine, (units, urgent), spare, _REGION, plan, _PER_UNIT, chunk)
            tasks.append(
                self.pool.submit(improve, *args, self.rng[strip], self.work[strip], self.room[strip], lenience)
            )
        budget.done += sum(task.result()[0] for task in tasks)

    def _strips(self) -> list[tuple[int, np.ndarray, Ints, Ints]]:
        """For each strip: its number, its grids (slots,), its free units, and free slots for new grids."""
        ground, state = self.ground, self.state
        angle = _GOLDEN_ANGLE * self.turns
        self.turns += 1
        along = ground.x_m * np.cos(angle) + ground.y_m * np.sin(angle)
        used = np.flatnonzero(state.size)
        middle = np.bincount(state.label, along, len(state.size))[used] / state.size[used]
        side = np.full(len(state.size), -1, dtype=np.int64)
        side[used] = np.minimum(np.argsort(np.argsort(middle)) * self.strips // len(used), self.strips - 1)
        free = np.flatnonzero(state.size == 0)
        side[free] = np.arange(len(free)) % self.strips
        movable = self._movable()
        made = []
        for strip in range(self.strips):
            mine = side == strip
            units = movable[mine[state.label[movable]]]
            if len(units):
                made.append((strip, mine, units, free[side[free] == strip]))
        return made


def less(a: tuple[int, float, float], b: tuple[int, float, float]) -> bool:
    """Whether score ``a`` is better than ``b``; differences that rounding makes do not count."""
    if a[0] != b[0]:
        return a[0] < b[0]
    if abs(a[1] - b[1]) > 1e-6:
        return a[1] < b[1]
    return a[2] < b[2] - 1e-9
