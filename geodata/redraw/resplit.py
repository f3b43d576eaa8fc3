"""Polishing a plan by exact re-splits, and what that proves: no set of touching grids can be parted better.

A *neighbourhood* is a set of grids that hang together over open borders. Each is solved exactly, in parallel and
without changing the plan; what was found is applied in a fixed order, and what that touched is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from time import monotonic

import numpy as np

from geodata.redraw.anneal import Worth, appraise
from geodata.redraw.candidates import candidates
from geodata.redraw.ground import Ground
from geodata.redraw.model import Ints
from geodata.redraw.resplit_kernels import BETTER, PROVED, Findings, findings, re_split
from geodata.redraw.result import Certificate
from geodata.redraw.tally import Tally, shift

#: Branches looked at in one neighbourhood before it is left open, by its number of grids.
CAPS = {1: 200_000, 2: 200_000, 3: 2_000_000}
_CHUNK = 32  # neighbourhoods a task
_ROOM = 20_000  # first grids of a neighbourhood of three
_BATCH = {1: 512, 2: 512, 3: 64}  # neighbourhoods solved on the same copy of the plan, by their number of grids

Neighbourhood = tuple[int, ...]


class Polish:
    """A plan being polished: ``state`` and ``value`` are changed in place and kept consistent.

    It remembers, by the version of each grid, what was proved or left open: a second call only looks at what has
    changed since. ``pool``: threads to share; ``caps``: branches a neighbourhood, by its number of grids.
    """

    def __init__(
        self,
        ground: Ground,
        state: Tally,
        value: Worth,
        *,
        pool: Executor | None = None,
        caps: dict[int, int] | None = None,
    ) -> None:
        self.ground, self.state, self.value = ground, state, value
        self.pool = pool
        self.caps = CAPS | (caps or {})
        self.label = state.label.copy()
        self.version = np.zeros(len(state.size), dtype=np.int64)
        self.known: dict[Neighbourhood, tuple[tuple[int, ...], int]] = {}

    def run(
        self,
        size: int,
        *,
        grids: Iterable[int] | None = None,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> int:
        """Improve neighbourhoods of ``size`` grids until none can be; returns how many improvements were made.

        ``grids``: only neighbourhoods with one of these, and what changes from there. Stops early at ``deadline``
        (:func:`time.monotonic`) or when ``cancelled``.
        """
        made = 0
        dirty = None if grids is None else set(grids)
        for batch, pool in self._batches(size, dirty, deadline, cancelled):
            touched = self.step(batch, pool)
            made += len(touched)
            if dirty is not None:
                dirty.update(*touched)
        return made

    def prove(self, size: int, *, deadline: float | None = None, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Look at every neighbourhood of ``size`` grids and change nothing, for :meth:`certificate`."""
        for batch, pool in self._batches(size, None, deadline, cancelled):
            found = self._solve(batch, pool)
            for row, one in enumerate(batch):
                self.known[one] = (self._versions(one), int(found.status[row]))

    def _batches(
        self, size: int, dirty: set[int] | None, deadline: float | None, cancelled: Callable[[], bool]
    ) -> Iterator[tuple[list[Neighbourhood], Executor]]:
        """Neighbourhoods that nothing is known of, in batches, as long as there are any."""
        self._notice()
        own = self.pool or ThreadPoolExecutor(2)
        try:
            while todo := self._todo(size, dirty):
                for at in range(0, len(todo), _BATCH[size]):
                    if cancelled() or (deadline is not None and monotonic() >= deadline):
                        return
                    batch = [one for one in todo[at : at + _BATCH[size]] if self.state.size[list(one)].all()]
                    if batch:
                        yield batch, own
        finally:
            if self.pool is None:
                own.shutdown()

    def step(self, batch: list[Neighbourhood], pool: Executor) -> list[set[int]]:
        """Solve ``batch`` (all of one size) on the plan as it stands and apply what was found: grids of each change."""
        return self._apply(batch, self._solve(batch, pool))

    def certificate(self, size: int) -> Certificate:
        """What is proved of the plan as it stands about sets of ``size`` grids."""
        self._notice()
        sets = touching(self.ground, self.state.label, size)
        status = [self._status(one) for one in sets]
        better = status.count(BETTER)
        return Certificate(size, len(sets), status.count(PROVED), len(sets) - status.count(PROVED) - better)

    def _notice(self) -> None:
        """Grids that were changed from outside since the last call have a new version."""
        changed = self.label != self.state.label
        for label in (self.label, self.state.label):
            self.version[np.unique(label[changed])] += 1
        self.label[:] = self.state.label

    def _status(self, one: Neighbourhood) -> int | None:
        versions, status = self.known.get(one, ((), -1))
        return status if versions == self._versions(one) else None

    def _versions(self, one: Neighbourhood) -> tuple[int, ...]:
        return tuple(self.version[list(one)].tolist())

    def _todo(self, size: int, dirty: set[int] | None) -> list[Neighbourhood]:
        return [
            one
            for one in touching(self.ground, self.state.label, size)
            if (dirty is None or not dirty.isdisjoint(one)) and self._status(one) is None
        ]

    def _solve(self, batch: list[Neighbourhood], pool: Executor) -> Findings:
        """Re-split all of ``batch`` on the plan as it stands."""
        state = self.state
        order = np.argsort(state.label, kind="stable")
        first = np.searchsorted(state.label[order], np.arange(len(state.size) + 1)).astype(np.int64)
        free = state.size == 0
        spare = np.flatnonzero(free)[::-1][:3].copy()
        grids = np.array(batch, dtype=np.int64)
        found = findings(len(batch))
        args = (self.ground, state.label, order, first, grids, free, spare, self.caps[grids.shape[1]])
        tasks = [
            pool.submit(re_split, *args, found, candidates(_ROOM), at, min(at + _CHUNK, len(batch)))
            for at in range(0, len(batch), _CHUNK)
        ]
        for task in tasks:
            task.result()
        return found

    def _apply(self, batch: list[Neighbourhood], found: Findings) -> list[set[int]]:
        """Apply what was found in the order of ``batch``, unless an earlier one touched the same grids."""
        touched: set[int] = set()
        made: list[set[int]] = []
        for row, one in enumerate(batch):
            if not touched.isdisjoint(one):
                continue
            status = int(found.status[row])
            if status != BETTER:
                self.known[one] = (self._versions(one), status)
                continue
            units, labels = found.unit[row, : found.size[row]], found.label[row, : found.size[row]]
            changed = set(one) | set(labels.tolist())
            if not touched.isdisjoint(changed):
                continue
            for unit, label in zip(units.tolist(), labels.tolist(), strict=True):
                shift(self.ground, self.state, unit, label)
            for grid in changed:
                appraise(self.ground, self.state, self.value, grid)
            self.version[list(changed)] += 1
            self.label[units] = labels
            touched |= changed
            made.append(changed)
        return made


def touching(ground: Ground, label: Ints, size: int) -> list[Neighbourhood]:
    """Sets of ``size`` (1 to 3) grids that hang together over open borders, in ascending order; never closed ones."""
    if size == 1:
        movable = np.unique(label[np.flatnonzero(~ground.held)])
        return [(int(grid),) for grid in movable]
    ends = np.repeat(np.arange(len(label)), np.diff(ground.indptr))
    across = ground.open & (label[ends] != label[ground.other])
    pairs = np.unique(np.stack([label[ends[across]], label[ground.other[across]]], axis=1), axis=0)
    if size == 2:
        return [(a, b) for a, b in pairs.tolist() if a < b]
    sets: set[Neighbourhood] = set()
    for beside in np.split(pairs, np.flatnonzero(np.diff(pairs[:, 0])) + 1):
        if len(beside):
            middle, around = int(beside[0, 0]), beside[:, 1].tolist()
            sets.update(tuple(sorted((middle, one, other))) for at, one in enumerate(around) for other in around[:at])
    return sorted(sets)


def polish(
    ground: Ground,
    state: Tally,
    value: Worth,
    *,
    sizes: tuple[int, ...] = (1, 2),
    pool: Executor | None = None,
    deadline: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[int, list[Certificate]]:
    """Improve until no neighbourhood of ``sizes`` can be; improvements made, and a certificate a size above 1."""
    work = Polish(ground, state, value, pool=pool)
    made = 0
    while True:
        found = sum(work.run(size, deadline=deadline, cancelled=cancelled) for size in sizes)
        made += found
        if not found or cancelled() or (deadline is not None and monotonic() >= deadline):
            break
    return made, [work.certificate(size) for size in sizes if size > 1]
