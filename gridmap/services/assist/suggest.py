"""A suggestion: what would move, the figures of every grid it touches before and after, and that in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata.messages import sentence
from geodata.redraw.edits import GridNow
from geodata.redraw.model import Ints
from gridmap.services.redraw.ground import Ground

#: A grid: its id, or "new:0", "new:1", ... for one that the editor has yet to make.
Ref = int | str

_STATUS = {"in_band": "within", "under": "under", "over": "over"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A grid as it would stand. ``status``: within, under, over, empty (no unit is left, or none was there).

    ``off``: households below the bound (negative) or above it. ``on_barriers``: share of its border with other grids,
    None where it has none.
    """

    grid: Ref
    code: str
    name: str
    units: int
    households: int
    population: int
    status: str
    off: int
    pieces: int
    compactness: float
    on_barriers: float | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``moves``: dicts of ``to``, ``from`` (None: no grid), ``units`` (ids) and ``households``.

    ``households``: how many would be in another grid than now; those that are in none are placed, not moved.
    """

    moves: tuple[dict[str, Any], ...]
    households: int
    before: tuple[Figure, ...]
    after: tuple[Figure, ...]
    sentences: tuple[str, ...]


class Names:
    """What the numbers of a ``plan`` (n,) of ``ground`` are called; new grids are numbered in ascending order."""

    def __init__(self, ground: Ground, plan: Ints, locale: str) -> None:
        known = len(ground.grid_ids)
        self.ground, self.locale = ground, locale
        self.new = {int(grid): at for at, grid in enumerate(np.unique(plan[plan >= known]))}
        self.cut_at = ground.profile.code.prefix_length if len(ground.codes) == 1 else 0

    def ref(self, grid: int) -> Ref | None:
        """The id of a grid, "new:K", or None for no grid."""
        if grid < 0:
            return None
        return f"new:{self.new[grid]}" if grid in self.new else int(self.ground.grid_ids[grid])

    def code(self, grid: int) -> str:
        """The code of a grid, in full; words for a new one."""
        if grid in self.new:
            return sentence("ASSIST_NEW", self.locale, number=self.new[grid] + 1)
        return str(self.ground.grid_codes[grid])

    def short(self, grid: int) -> str:
        """The code as sentences have it: within one community, the number alone."""
        code = self.code(grid)
        return code if grid in self.new or len(code) <= self.cut_at else code[self.cut_at :]

    def listed(self, grids: Iterable[int]) -> str:
        """Some grids in a row."""
        return (", " if self.locale.startswith("en") else "、").join(self.short(grid) for grid in grids)

    def figure(self, now: GridNow) -> Figure:
        """The figures of a grid."""
        return Figure(
            grid=self.ref(now.grid) or 0,
            code=self.code(now.grid),
            name="" if now.grid in self.new else str(self.ground.grid_names[now.grid] or ""),
            units=now.units,
            households=now.households,
            population=now.population,
            status=_STATUS[now.status] if now.units else "empty",
            off=now.households_off,
            pieces=now.pieces,
            compactness=round(now.polsby_popper, 4),
            on_barriers=None if now.on_barriers is None else round(now.on_barriers, 4),
        )


def parts_of(start: Ints, plan: Ints) -> list[tuple[int, int, Ints]]:
    """What differs between two plans (n,): origin, target and units of each pair of grids, in their order."""
    units = np.flatnonzero(plan != start)
    units = units[np.lexsort((units, plan[units], start[units]))]
    ways = np.stack([start[units], plan[units]], axis=1)
    breaks = np.flatnonzero(np.any(np.diff(ways, axis=0) != 0, axis=1)) + 1
    return [(int(start[one[0]]), int(plan[one[0]]), one) for one in np.split(units, breaks) if len(one)]


def moves_of(ground: Ground, plan: Ints, names: Names) -> list[dict[str, Any]]:
    """What ``plan`` (n,) moves, a move for each pair of grids."""
    households = ground.instance.units.households
    return [
        {
            "to": names.ref(target),
            "from": names.ref(origin),
            "units": ground.unit_ids[units].tolist(),
            "households": int(households[units].sum()),
        }
        for origin, target, units in parts_of(ground.instance.start, plan)
    ]


def suggest(ground: Ground, plan: Ints, locale: str) -> Suggestion:
    """What changing the plan of ``ground`` to ``plan`` (n,) does."""
    from geodata.redraw.state import State

    start, names = ground.instance.start, Names(ground, plan, locale)
    changed = start != plan
    moved = changed & (start >= 0)
    touched = np.unique(np.concatenate([start[changed], plan[changed]]))
    touched = touched[touched >= 0]
    state = State(ground.instance, start)
    before = [state.grid(grid) for grid in touched.tolist() if grid not in names.new]
    for target in np.unique(plan[changed]).tolist():
        state.move(np.flatnonzero(changed & (plan == target)).tolist(), target)
    after = [state.grid(grid) for grid in touched.tolist()]
    return Suggestion(
        moves=tuple(moves_of(ground, plan, names)),
        households=int(ground.instance.units.households[moved].sum()),
        before=tuple(names.figure(now) for now in before),
        after=tuple(names.figure(now) for now in after),
        sentences=tuple(_words(ground, plan, names, before, after)),
    )


def _words(ground: Ground, plan: Ints, names: Names, before: list[GridNow], after: list[GridNow]) -> Iterable[str]:
    households = ground.instance.units.households
    for origin, target, units in parts_of(ground.instance.start, plan):
        told = {"units": len(units), "households": int(households[units].sum()), "to": names.short(target)}
        if origin < 0:
            yield sentence("ASSIST_PLACE", names.locale, **told)
        else:
            yield sentence("ASSIST_MOVE", names.locale, start=names.short(origin), **told)
    was = {now.grid: now.households for now in before}
    for now in after:
        status = _STATUS[now.status].upper() if now.units else "EMPTY"
        if now.units and status == "OVER" and not now.households_off:
            status = "CROWDED"
        how = sentence(f"ASSIST_{status}", names.locale, off=abs(now.households_off))
        told = {"grid": names.short(now.grid), "before": was.get(now.grid, 0), "after": now.households, "status": how}
        yield sentence("ASSIST_BECOMES", names.locale, **told)
