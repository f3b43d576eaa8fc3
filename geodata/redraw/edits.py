"""What editing tells: grids as they stand, totals, what a change touched, and why a hard rule forbids a move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geodata.messages import sentence
from geodata.redraw.measure import Score
from geodata.redraw.model import Ints


@dataclass(frozen=True, slots=True)
class GridNow:
    """One grid as it stands; with ``units`` 0 it is no more.

    ``households_off`` and ``population_off``: below the band (negative), above it (positive), 0 in it. ``status``:
    in_band, under or over. ``pieces`` hold together over crossable borders. ``on_barriers``: share (0 to 1) of its
    border with other grids that follows a barrier, None if it has no such border.
    """

    grid: int
    units: int
    households: int
    population: int
    households_off: int
    population_off: int
    status: str
    excess: int
    pieces: int
    polsby_popper: float
    area_m2: float
    perimeter_m: float
    on_barriers: float | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole plan: its score, its grids, how many are in the band and how many in one piece, units in no grid."""

    score: Score
    grids: int
    in_band: int
    whole: int
    unassigned: int

    @property
    def moved_households(self) -> int:
        """Households that are not in their grid of the start plan."""
        return round(self.score.parts["moved"])


@dataclass(frozen=True, slots=True)
class Change:
    """What a move, undo or redo did: units, the grid each left and came to (-1: none), the grids touched, totals."""

    units: Ints
    origin: Ints
    target: Ints
    touched: tuple[GridNow, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a code of ``messages/redraw.toml`` with what it names (units by index, grids by number)."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def sentence(self, locale: str = "zh") -> str:
        """The reason as a sentence in ``locale`` ("zh" or "en")."""
        comma = ", " if locale.lower().startswith("en") else "、"
        return sentence(
            self.code,
            locale,
            **{
                name: comma.join(str(one) for one in value) if isinstance(value, list) else value
                for name, value in self.params.items()
            },
        )
