"""The instance as the verifier sees it: plain lists and dictionaries, and the rules written out once more."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from geodata.redraw.model import Band, Instance, Ints


class Ground:
    """Units by number, their neighbours, and what a set of units is and breaks. Slow on purpose, and obvious."""

    def __init__(self, instance: Instance) -> None:
        units = instance.units
        self.instance = instance
        self.n = len(units.households)
        self.households: list[int] = units.households.tolist()
        self.population: list[int] = units.population.tolist()
        self.group: list[int] = units.group.tolist()
        self.band: list[Band] = [instance.bands[kind] for kind in units.kind.tolist()]
        self.start: list[int] = instance.start.tolist()
        self.locked: list[bool] = instance.locked.tolist()
        self.closed: set[int] = set(instance.closed)
        self.beside: list[set[int]] = [set() for _ in range(self.n)]
        self.walkable: list[set[int]] = [set() for _ in range(self.n)]
        borders = units.borders
        for i, j, crossable in zip(borders.i.tolist(), borders.j.tolist(), borders.crossable.tolist(), strict=True):
            if not crossable:
                continue
            self.walkable[i].add(j)
            self.walkable[j].add(i)
            if self.group[i] == self.group[j] and not self.is_closed(i) and not self.is_closed(j):
                self.beside[i].add(j)
                self.beside[j].add(i)

    def is_closed(self, unit: int) -> bool:
        """Whether the unit belongs to a closed grid."""
        return self.start[unit] in self.closed

    def members(self, plan: Ints) -> dict[int, list[int]]:
        """Units of each grid, by number."""
        found: dict[int, list[int]] = {}
        for unit, grid in enumerate(plan.tolist()):
            found.setdefault(grid, []).append(unit)
        return dict(sorted(found.items()))

    def flood(self, unit: int, allowed: Collection[int]) -> set[int]:
        """Units of ``allowed`` that hang together with ``unit`` over open borders."""
        return _flood(unit, set(allowed), self.beside)

    def pieces(self, units: Iterable[int]) -> list[set[int]]:
        """Connected pieces of ``units`` over open borders."""
        return _pieces(set(units), self.beside)

    def walkable_pieces(self, units: Iterable[int]) -> int:
        """Number of pieces over borders that can be crossed, closed or not."""
        return len(_pieces(set(units), self.walkable))

    def sum_households(self, units: Iterable[int]) -> int:
        """Households of ``units``."""
        return sum(self.households[unit] for unit in units)

    def sum_population(self, units: Iterable[int]) -> int:
        """People in ``units``."""
        return sum(self.population[unit] for unit in units)

    def status(self, units: Collection[int]) -> str:
        """over, under or in_band."""
        band = self.band[next(iter(units))]
        households, people = self.sum_households(units), self.sum_population(units)
        if households > band.households_max or people > band.population_max:
            return "over"
        if households < band.households_min or people < band.population_min:
            return "under"
        return "in_band"

    def counted(self, unit: int) -> int:
        """Households of a unit without what it alone has above the maximum."""
        return min(self.households[unit], self.band[unit].households_max)

    def counted_people(self, unit: int) -> int:
        """People of a unit without what it alone has above the maximum."""
        return min(self.population[unit], self.band[unit].population_max)

    def times_over(self, units: Collection[int], people: bool = True) -> int:
        """How often a grid of ``units`` is over the maximum (of people too if asked): once per begun maximum."""
        band = self.band[next(iter(units))]
        households = sum(self.counted(unit) for unit in units)
        persons = sum(self.counted_people(unit) for unit in units) if people else 0
        times = 0
        while (
            households > band.households_max * (1 + times)
            or persons > band.population_max + max(band.population_max, 1) * times
        ):
            times += 1
        return times

    def breaks(self, units: Collection[int]) -> int:
        """How often a grid of ``units`` breaks the band: once below the minimum, else how often it is over."""
        band = self.band[next(iter(units))]
        below = self.sum_households(units) < band.households_min or self.sum_population(units) < band.population_min
        return max(self.times_over(units), int(below))


def _flood(unit: int, allowed: set[int], beside: list[set[int]]) -> set[int]:
    reached, waiting = {unit}, [unit]
    while waiting:
        for other in beside[waiting.pop()] & allowed - reached:
            reached.add(other)
            waiting.append(other)
    return reached


def _pieces(units: set[int], beside: list[set[int]]) -> list[set[int]]:
    found = []
    left = set(units)
    while left:
        piece = _flood(min(left), left, beside)
        found.append(piece)
        left -= piece
    return found
