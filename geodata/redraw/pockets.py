"""Pockets: ground that holds together without closed grids. What a pocket holds in all, no redraw can change.

A pocket is a connected component of the open graph (borders that can be crossed, inside one group, touching no closed
grid). Units that alone hold more households than the maximum are in no grid of the band, so they part a pocket into
sub-pockets, each of which has to be served by a whole number of grids for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.adjacency import components
from geodata.redraw.measure import surplus
from geodata.redraw.model import NO_LIMIT, Band, Bools, Instance, Ints


@dataclass(frozen=True, slots=True)
class Pocket:
    """Units (ascending) that have to be served together, and the band that holds for them.

    ``bound``: of these, those that no grid from outside can hold without breaking the band: all units of a whole
    pocket, the units with households of a sub-pocket (a unit above the maximum may take in empty ones at no cost).
    ``population_least``: people of ``bound`` without what single units have above the maximum.
    """

    units: Ints
    bound: Ints
    band: Band
    households: int
    population: int
    population_least: int

    @property
    def by_households(self) -> tuple[int, int]:
        """Fewest and most grids that the households can fill; ``most < fewest`` where no number fits."""
        return fewest_and_most(self.households, self.households, self.band.households_min, self.band.households_max)

    @property
    def by_population(self) -> tuple[int, int]:
        """Fewest and most grids that the people can fill."""
        return fewest_and_most(
            self.population_least, self.population, self.band.population_min, self.band.population_max
        )

    @property
    def served(self) -> bool:
        """Whether some whole number of grids of the band holds exactly this total."""
        (few, most), (few_p, most_p) = self.by_households, self.by_population
        return max(few, few_p) <= min(most, most_p)


def fewest_and_most(least: int, total: int, low: int, high: int) -> tuple[int, int]:
    """Fewest and most grids of ``low`` to ``high`` that hold at least ``least`` and at most ``total``."""
    return max(1, -(-least // max(high, 1))), total // low if low else NO_LIMIT


def open_borders(instance: Instance) -> Bools:
    """Borders (m,) over which a grid may hold together: crossable, inside one group, no closed grid on either side."""
    borders, group, free = instance.units.borders, instance.units.group, ~instance.in_closed()
    return np.asarray(
        borders.crossable & (group[borders.i] == group[borders.j]) & free[borders.i] & free[borders.j], dtype=bool
    )


def pocket_of(instance: Instance) -> Ints:
    """Pocket (n,) of each unit, -1 in closed grids."""
    return _parts(instance, ~instance.in_closed())


def sub_pocket_of(instance: Instance) -> Ints:
    """Sub-pocket (n,) of each unit, -1 in closed grids and for units with more households than the maximum."""
    return _parts(instance, ~instance.in_closed() & (surplus(instance)[0] == 0))


def pockets(instance: Instance) -> list[Pocket]:
    """All sub-pockets that hold something to serve; a pocket without units above the maximum is its own sub-pocket."""
    whole, part = pocket_of(instance), sub_pocket_of(instance)
    parted = np.zeros(int(whole.max(initial=-1)) + 2, dtype=bool)
    parted[whole[(whole >= 0) & (part < 0)]] = True
    order = np.argsort(part, kind="stable")
    members = np.split(order, np.searchsorted(part[order], np.arange(int(part.max(initial=-1)) + 1)))[1:]
    found = [_pocket(instance, units, bool(parted[whole[units[0]]])) for units in members]
    return [pocket for pocket in found if len(pocket.bound)]


def _pocket(instance: Instance, members: Ints, parted: bool) -> Pocket:
    units = instance.units
    bound = members[units.households[members] > 0] if parted else members
    return Pocket(
        units=members,
        bound=bound,
        band=instance.bands[int(units.kind[members[0]])],
        households=int(units.households[members].sum()),
        population=int(units.population[members].sum()),
        population_least=int((units.population[bound] - surplus(instance)[1][bound]).sum()),
    )


def _parts(instance: Instance, keep: Bools) -> Ints:
    borders = instance.units.borders
    joined = open_borders(instance) & keep[borders.i] & keep[borders.j]
    part = np.full(len(keep), -1, dtype=np.int64)
    found = components(len(keep), borders.i[joined], borders.j[joined])
    part[keep] = np.unique(found[keep], return_inverse=True)[1]
    return part
