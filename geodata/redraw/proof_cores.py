"""Cores: units that grids breaking the band must touch, whatever the plan; and which of them add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geodata.redraw.pockets import Pocket
from geodata.redraw.proof_terrain import Terrain


@dataclass(frozen=True, slots=True)
class Core:
    """Units that some grids breaking the band at least ``breaks`` times must touch, whatever the plan."""

    kind: str
    units: tuple[int, ...]
    breaks: int
    empty_free: bool = False
    horizon: tuple[int, ...] | None = None
    apart_by: str = "moat"
    numbers: dict[str, Any] = field(default_factory=dict, compare=False)

    def proof(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "kind": self.kind,
            "core": list(self.units),
            "breaks": self.breaks,
            "empty_free": self.empty_free,
            "horizon": None if self.horizon is None else list(self.horizon),
            "apart_by": self.apart_by,
            **self.numbers,
        }


def pocket_total(pocket: Pocket) -> Core | None:
    """The pocket as a core where no whole number of grids holds its total, with the numbers that say so."""
    if pocket.served:
        return None
    band, households = pocket.band, pocket.households
    few = households // band.households_max
    numbers = {
        "households": households,
        "population": pocket.population,
        "grids_by_households": list(pocket.by_households),
        "grids_by_population": list(pocket.by_population),
        "fewer": {"grids": few, "households_over": households - few * band.households_max} if few else None,
        "more": {"grids": few + 1, "households_under": max((few + 1) * band.households_min - households, 0)},
    }
    return Core("pocket_total", tuple(pocket.bound.tolist()), 1, numbers=numbers)


class Apart:
    """Cores whose breaks add up: each has ground of its own, its moat (:meth:`Terrain.moat`) or all within its horizon.

    What a grid breaks within a horizon is proved by its parts there, and the parts of one grid are together at most as
    often over the maximum as the grid is.
    """

    def __init__(self, terrain: Terrain) -> None:
        self.terrain = terrain
        self.grounds: dict[Core, dict[int, int]] = {}

    @property
    def cores(self) -> list[Core]:
        """In the order they were added."""
        return list(self.grounds)

    def clashes(self, core: Core) -> list[Core]:
        """Cores that want the same households, or lie in each other's ground."""
        ground = self.ground(core)
        taken: dict[int, int] = {}
        for other in self.grounds.values():
            for unit, households in other.items():
                taken[unit] = taken.get(unit, 0) + households
        tight = {unit for unit, more in ground.items() if taken.get(unit, 0) + more > self.terrain.counts[unit][2]}
        return [
            other
            for other, own in self.grounds.items()
            if not (own.keys().isdisjoint(tight | set(core.units)) and ground.keys().isdisjoint(other.units))
        ]

    def ground(self, core: Core) -> dict[int, int]:
        """Households by unit that only this core may count."""
        if core.apart_by == "horizon" and core.horizon is not None:
            return {unit: self.terrain.counts[unit][2] for unit in core.horizon}
        return self.terrain.moat(list(core.units), core.breaks)

    def add(self, core: Core) -> None:
        """Keep ``core``."""
        self.grounds[core] = self.ground(core)

    def remove(self, core: Core) -> None:
        """Forget ``core``."""
        del self.grounds[core]
