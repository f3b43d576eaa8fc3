"""Places where a drawn layer of grids does not fit the units: what each kind is, and its sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from geodata.problems import Problem, Severity
from geodata.units.model import NONE


class MisfitKind(StrEnum):
    """How a drawn layer fails to fit the units."""

    OVERLAP = "overlap"  # two grids claim the same ground
    GAP = "gap"  # ground in no grid
    OUTSIDE = "outside"  # a grid beyond the communities
    UNIT_CUT = "unit_cut"  # a unit lies in several grids
    BUILDING_CUT = "building_cut"  # a grid's border runs through a footprint
    COMPOUND_SPLIT = "compound_split"  # a compound's households lie in several grids
    LOST_GRID = "lost_grid"  # a grid that no unit goes to
    BORDER_MOVED = "border_moved"  # ground that changes grid because units go whole


_SEVERITY = {
    MisfitKind.OVERLAP: Severity.ERROR,
    MisfitKind.GAP: Severity.ERROR,
    MisfitKind.BUILDING_CUT: Severity.ERROR,
    MisfitKind.LOST_GRID: Severity.ERROR,
    MisfitKind.BORDER_MOVED: Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place that does not fit.

    ``grids`` are rows of the grids concerned (-1: none; for ``border_moved`` from, to), ``shares`` the part of the
    unit, compound or building that each holds; ``unit``, ``building``, ``compound`` name the thing, -1 where not.
    ``households`` are those concerned: in the overlap or gap, on the side that changes, of the cut building.
    """

    kind: MisfitKind
    geometry: Any
    grids: tuple[int, ...]
    area_m2: float
    households: int
    unit: int = NONE
    building: int = NONE
    compound: int = NONE
    shares: tuple[float, ...] = ()

    @property
    def code(self) -> str:
        return f"GRID_{self.kind.name}"

    def problem(self, grid_names: Sequence[str], to_lonlat: Callable[[Any], Any] | None = None) -> Problem:
        """The misfit as a :class:`Problem` with sentences; ``to_lonlat`` projects its geometry for showing."""
        place = self.geometry if to_lonlat is None else to_lonlat(self.geometry)
        names = [grid_names[g] if g != NONE else "—" for g in self.grids]
        params = {"grids": "、".join(names), "area_m2": round(self.area_m2, 1), "households": self.households}
        params |= {"source": names[0] if names else "—", "target": names[-1] if names else "—"}
        return Problem(self.code, _SEVERITY.get(self.kind, Severity.WARNING), geometry=place, params=params)
