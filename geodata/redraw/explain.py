"""Why a grid is not as it should be, what of that no redraw can change, and what mending it would cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from geodata.messages import sentence
from geodata.redraw.edits import GridNow
from geodata.redraw.heal import heal
from geodata.redraw.model import Instance, Ints
from geodata.redraw.pockets import open_borders
from geodata.redraw.proofs import violations
from geodata.redraw.result import Violation
from geodata.redraw.state import State


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A grid beside, over open borders, and the households it can ``take`` or ``give`` and stay in its band."""

    grid: int
    households: int
    take: int
    give: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What the smallest repair that was found costs: households that change grid, and the grids it touches."""

    households: int
    units: int
    grids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One grid with something wrong; JSON-ready by :meth:`data`, readable by :meth:`sentences`.

    ``kinds``: under, over, pieces. ``unavoidable``: those of them that are proved, with the ``proof`` (see
    :mod:`geodata.redraw.proofs`). ``repair``: None if none was asked for or found.
    """

    grid: int
    kinds: tuple[str, ...]
    units: int
    households: int
    population: int
    households_off: int
    population_off: int
    pieces: int
    unavoidable: tuple[str, ...]
    proof: dict[str, Any] | None
    neighbours: tuple[Neighbour, ...]
    repair: Cost | None

    def data(self) -> dict[str, Any]:
        """As plain lists, numbers and strings."""
        return asdict(self)

    def sentences(self, locale: str = "zh") -> list[str]:
        """What is wrong, why, who beside has room, and what a repair costs, one sentence each."""
        told = [sentence(code, locale, **params) for code, params in self._wrong()]
        if self.proof:
            told.append(sentence(f"REDRAW_WHY_{self.proof['kind'].upper()}", locale, grid=self.grid))
        room = sum(one.take if self.households_off > 0 else one.give for one in self.neighbours)
        if self.households_off and self.neighbours and not self.unavoidable:
            code = "REDRAW_ROOM_TAKE" if self.households_off > 0 else "REDRAW_ROOM_GIVE"
            told.append(sentence(code, locale, grids=len(self.neighbours), households=room))
        if self.repair:
            cost = {"households": self.repair.households, "units": self.repair.units, "grids": len(self.repair.grids)}
            told.append(sentence("REDRAW_REPAIR_COST", locale, **cost))
        return told

    def _wrong(self) -> Iterable[tuple[str, dict[str, Any]]]:
        counts = (
            ("HOUSEHOLDS", self.households, self.households_off),
            ("PEOPLE", self.population, self.population_off),
        )
        for name, number, off in counts:
            if off:
                side = "OVER" if off > 0 else "UNDER"
                yield f"REDRAW_{name}_{side}", {"grid": self.grid, "number": number, "off": abs(off)}
        if self.pieces > 1:
            yield "REDRAW_IN_PIECES", {"grid": self.grid, "pieces": self.pieces}


def explain(
    instance: Instance,
    plan: Ints,
    *,
    repairs: bool = False,
    known: list[Violation] | None = None,
    budget_s: float = 2.0,
) -> list[Explanation]:
    """Each grid of ``plan`` that is out of the band or in pieces, by number.

    ``known``: violations with their proofs, if they were found before; else they are sought for about ``budget_s``
    seconds. ``repairs``: also look for the smallest repair of each avoidable one (some 10 to 200 ms a grid).
    """
    found = violations(instance, plan, budget_s=budget_s) if known is None else known
    state = State(instance, plan)
    now = {one.grid: one for one in state.grids()}
    beside = _beside(instance, plan)
    proofs = {(one.grid, one.kind): one.proof for one in found}
    made = []
    for one in now.values():
        kinds = tuple(kind for kind, is_so in _kinds(one) if is_so)
        if not kinds:
            continue
        proved = tuple(kind for kind in kinds if proofs.get((one.grid, kind)))
        cost = _cost(instance, plan, one.grid) if repairs and len(proved) < len(kinds) else None
        made.append(
            Explanation(
                grid=one.grid,
                kinds=kinds,
                units=one.units,
                households=one.households,
                population=one.population,
                households_off=one.households_off,
                population_off=one.population_off,
                pieces=one.pieces,
                unavoidable=proved,
                proof=proofs[(one.grid, proved[0])] if proved else None,
                neighbours=tuple(_neighbour(instance, plan, now[other]) for other in beside.get(one.grid, ())),
                repair=cost,
            )
        )
    return made


def _kinds(grid: GridNow) -> tuple[tuple[str, bool], ...]:
    return (grid.status, grid.status != "in_band"), ("pieces", grid.pieces > 1)


def _beside(instance: Instance, plan: Ints) -> dict[int, list[int]]:
    """Grids beside each grid over open borders."""
    borders, open_ = instance.units.borders, open_borders(instance)
    a, b = plan[borders.i[open_]], plan[borders.j[open_]]
    apart = (a != b) & (a >= 0) & (b >= 0)
    pairs = np.unique(np.concatenate([np.stack([a, b], 1)[apart], np.stack([b, a], 1)[apart]]), axis=0)
    beside: dict[int, list[int]] = {}
    for one, other in pairs.tolist():
        beside.setdefault(one, []).append(other)
    return beside


def _neighbour(instance: Instance, plan: Ints, grid: GridNow) -> Neighbour:
    band = instance.bands[int(instance.units.kind[np.argmax(plan == grid.grid)])]
    return Neighbour(
        grid.grid,
        grid.households,
        take=max(band.households_max - grid.households, 0),
        give=max(grid.households - band.households_min, 0),
    )


def _cost(instance: Instance, plan: Ints, grid: int) -> Cost | None:
    """The smallest repair of ``grid``, if one is found that leaves it in the band."""
    for repair in heal(instance, plan, grid).repairs:
        if grid not in repair.left:
            return Cost(repair.households, len(repair.units), tuple(one.grid for one in repair.after))
    return None
