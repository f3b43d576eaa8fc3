"""The search behind a proof: can grids that hardly break the band cover a core of units, without overlapping?

All connected sets of units that touch the core and break the band at most so much are listed; then a depth-first search
tries to cover the core with some of them that do not overlap. If it cannot, every plan breaks the band there. Sets of
units are Python integers, one bit a unit, or rows of 64-bit words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from geodata.redraw.model import Bools, Ints
from geodata.redraw.proof_terrain import Terrain, breaks_of, has_room

_WORD = (1 << 64) - 1


class GivenUpError(Exception):
    """The search cost more than it may; nothing is known."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a search may cost: sets listed, steps of the cover search, and a deadline (``time.monotonic``)."""

    sets: int = 120_000
    steps: int = 30_000
    deadline: float = float("inf")

    def check(self, *, sets: int = 0, steps: int = 0) -> None:
        """Raise ``GivenUpError`` if that is too much, or it is too late."""
        late = (sets + steps) % 1024 == 0 and monotonic() > self.deadline
        if late or sets > self.sets or steps > self.steps:
            raise GivenUpError


def forced(
    terrain: Terrain, core: list[int], breaks: int, effort: Effort, *, horizon: Collection[int] | None = None
) -> list[int]:
    """The part of ``core`` that suffices: in every plan grids touching it break the band ``breaks`` times or more.

    Empty where the core can be covered with less; what stands last in ``core`` is left out first. With a ``horizon``
    (units, the core among them) only the parts of grids within it are looked at: what reaches its edge is taken
    to find beyond whatever it lacks. Raises ``GivenUpError``.
    """
    if len(core) == 1 and has_room(terrain, core[0]):
        return []
    sets = list_sets(terrain, core, breaks - 1, effort, horizon=horizon)
    cover, needed = _Cover(sets, len(core), effort), list(range(len(core)))
    if cover.covers(needed, breaks - 1):
        return []
    cover.effort = replace(effort, steps=4 * cover.steps + 100)
    size = len(core) // 2
    while size:  # leave out the last half if that will do, then quarters and eighths, then one by one
        for end in range(len(needed), 0, -size):
            fewer = needed[: max(end - size, 0)] + needed[end:]
            with suppress(GivenUpError):
                if fewer and not cover.covers(fewer, breaks - 1):
                    needed = fewer
        size //= 2
    return [core[place] for place in needed]


def list_sets(
    terrain: Terrain, core: list[int], spare: int, effort: Effort, *, horizon: Collection[int] | None = None
) -> list[tuple[int, int]]:
    """All connected sets that touch ``core`` and break the band at most ``spare`` times, as (bits, breaks).

    Bits ``0 .. len(core) - 1`` are the core's units in order. Where the core is one unit, the first set says enough.
    Raises ``GivenUpError`` where there are more sets than the effort allows.
    """
    band = terrain.bands[core[0]]
    reach = terrain.ball(core, (spare + 1) * band.households_max)
    if horizon is not None:
        reach = {unit: far for unit, far in reach.items() if unit in horizon}
    order = core + sorted(set(reach) - set(core), key=lambda unit: (reach[unit], unit))
    place = {unit: bit for bit, unit in enumerate(order)}
    near = [sum(1 << place[other] for other in terrain.near[unit] if other in place) for unit in order]
    edge = [] if horizon is None else [unit for unit in order if not terrain.near[unit] <= set(horizon)]
    open_ended = sum(1 << place[unit] for unit in edge)
    whole = {label: sum(1 << place[u] for u in units if u in place) for label, units in terrain.locked.items()}
    complete = {label for label, units in terrain.locked.items() if all(u in place for u in units)}
    found: list[tuple[int, int]] = []
    for tried, (bits, h, p, counted_h, counted_p, lock) in enumerate(_grow(terrain, order, near, len(core), spare)):
        effort.check(sets=tried)
        if bits & open_ended:  # by households alone: only so do the parts of one grid break no more than it does
            h, p, counted_p = max(h, band.households_min), band.population_min, 0
        elif lock >= 0 and (lock not in complete or bits & whole[lock] != whole[lock]):
            continue
        broken = breaks_of(h, p, counted_h, counted_p, band)
        if broken <= spare:
            found.append((bits, broken))
            if len(core) == 1:
                break
    return found


def _grow(
    terrain: Terrain, order: list[int], near: list[int], n_core: int, spare: int
) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Connected sets that touch the core, each once, that are not yet over by more than ``spare``: bits, counts, lock.

    Every set is grown from its first unit of the core; a unit passed over is passed over for good (Avis & Fukuda 1996).
    """
    band = terrain.bands[order[0]]
    most_h, most_p = (spare + 1) * band.households_max, band.population_max + spare * max(band.population_max, 1)
    counts, lock_of = [terrain.counts[unit] for unit in order], [terrain.lock[unit] for unit in order]
    for root in range(n_core):
        h, p, counted_h, counted_p = counts[root]
        if counted_h > most_h or counted_p > most_p:
            continue
        barred = (2 << root) - 1
        stack = [(1 << root, near[root] & ~barred, barred, h, p, counted_h, counted_p, lock_of[root])]
        while stack:
            bits, edge, barred, h, p, counted_h, counted_p, lock = stack.pop()
            yield bits, h, p, counted_h, counted_p, lock
            while edge:
                bit = edge & -edge
                edge ^= bit
                barred |= bit
                unit = bit.bit_length() - 1
                more_h, more_p, more_counted_h, more_counted_p = counts[unit]
                other = lock_of[unit]
                if (
                    counted_h + more_counted_h > most_h
                    or counted_p + more_counted_p > most_p
                    or (other >= 0 and lock >= 0 and other != lock)
                ):
                    continue
                stack.append(
                    (
                        bits | bit,
                        edge | (near[unit] & ~barred),
                        barred,
                        h + more_h,
                        p + more_p,
                        counted_h + more_counted_h,
                        counted_p + more_counted_p,
                        max(lock, other),
                    )
                )


class _Cover:
    """Depth-first search for sets that cover the core without overlapping, the unit with the fewest sets left first."""

    def __init__(self, sets: list[tuple[int, int]], n_core: int, effort: Effort) -> None:
        sets = sorted(sets, key=lambda item: (item[1], -item[0].bit_count()))
        width = max((bits.bit_length() for bits, _ in sets), default=1)
        words = [[bits >> shift & _WORD for shift in range(0, width, 64)] for bits, _ in sets]
        self.words = np.array(words, dtype=np.uint64).reshape(len(sets), -(-width // 64))
        core = [[bits >> unit & 1 for unit in range(n_core)] for bits, _ in sets]
        self.core = np.array(core, dtype=bool).reshape(len(sets), n_core)
        self.broken = np.array([broken for _, broken in sets], dtype=np.int64)
        self.effort, self.steps = effort, 0

    def covers(self, needed: list[int], spare: int) -> bool:
        """Whether the core's units ``needed`` (positions) can be covered, breaking the band up to ``spare`` times."""
        missing = np.zeros(self.core.shape[1], dtype=bool)
        missing[needed] = True
        self.steps = 0
        return self._search(missing, np.arange(len(self.broken)), spare, set())

    def _search(self, missing: Bools, left: Ints, spare: int, failed: set[tuple[bytes, bytes, int]]) -> bool:
        """``left``: sets that do not overlap what was taken. What is left and missing tells a state already seen."""
        if not missing.any():
            return True
        wanted = np.flatnonzero(missing)
        holding = self.core[left][:, wanted].sum(axis=0)
        if not holding.all():
            return False
        state = (missing.tobytes(), left.tobytes(), spare)
        if state in failed:
            return False
        for one in left[self.core[left, wanted[holding.argmin()]]].tolist():
            self.steps += 1
            self.effort.check(steps=self.steps)
            more = spare - int(self.broken[one])
            apart = ~(self.words[left] & self.words[one]).any(axis=1) & (self.broken[left] <= more)
            if self._search(missing & ~self.core[one], left[apart], more, failed):
                return True
        failed.add(state)
        return False
