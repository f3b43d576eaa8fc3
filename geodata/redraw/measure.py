"""A plan measured from scratch: grids, pieces, band and score; plain, and what the fast state is tested against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.adjacency import components
from geodata.redraw.model import PARTS, REFERENCE_COMPACTNESS, Bools, Floats, Instance, Ints

STATUS = ("in_band", "under", "over")


@dataclass(frozen=True, slots=True)
class Grids:
    """The k grids of a plan in ascending order of their numbers; every array is (k,).

    ``excess`` counts how far a grid breaks the band, in grids: 0 in the band, 1 below the minimum or up to one maximum
    too much, 2 up to two maxima too much. What a unit that is above the maximum alone brings too much is not counted
    (:func:`breaks`). ``outside``: households (and people, at their usual number per household) outside the band.
    """

    grid: Ints
    group: Ints
    kind: Ints
    units: Ints
    households: Ints
    population: Ints
    area_m2: Floats
    perimeter_m: Floats
    pieces: Ints
    polsby_popper: Floats
    extent_m: Floats
    workload: Floats
    status: Ints
    excess: Ints
    outside: Floats


@dataclass(frozen=True, slots=True)
class Score:
    """What is compared, first to last: broken band (in grids), households outside it, the weighted sum of the parts."""

    excess: int
    outside: float
    total: float
    parts: dict[str, float]

    def key(self) -> tuple[int, float, float]:
        """Smaller is better."""
        return (self.excess, self.outside, self.total)


@dataclass(frozen=True, slots=True)
class Measured:
    """A plan's grids and its score."""

    grids: Grids
    score: Score


def measure(instance: Instance, plan: Ints) -> Measured:
    """Measure ``plan`` (n,), the grid of each unit; -1 is in no grid and counts nowhere."""
    grids = tabulate(instance, plan)
    parts = _parts(instance, plan, grids)
    weights = instance.weights.array()
    total = float(sum(weight * parts[part] for weight, part in zip(weights, PARTS, strict=True)))
    return Measured(grids, Score(int(grids.excess.sum()), float(grids.outside.sum()), total, parts))


def tabulate(instance: Instance, plan: Ints) -> Grids:
    """The grids of ``plan`` with their sums, shapes and status."""
    units = instance.units
    held = plan >= 0
    grid, slot_of = np.unique(plan[held], return_inverse=True)
    k = len(grid)
    slot = np.full(len(plan), -1, dtype=np.int64)
    slot[held] = slot_of

    def total(values: Floats | Ints) -> Floats:
        return np.bincount(slot[held], values[held], k).astype(np.float64)

    households, population = total(units.households).astype(np.int64), total(units.population).astype(np.int64)
    first = np.zeros(k, dtype=np.int64)
    first[slot[held][::-1]] = np.flatnonzero(held)[::-1]
    inside = within(instance, plan)
    shared_m = np.bincount(slot[units.borders.i[inside]], units.borders.length_m[inside], k)
    perimeter_m = total(units.perimeter_m) - 2 * shared_m
    area_m2 = total(units.area_m2)
    over_h, over_p = surplus(instance)
    kind = units.kind[first]
    low, high, people_low, people_high = limits(instance, kind)
    outside_h = np.maximum(np.maximum(low - households, households - high), 0)
    outside_p = np.maximum(np.maximum(people_low - population, population - people_high), 0)
    under = (households < low) | (population < people_low)
    over = (households > high) | (population > people_high)
    return Grids(
        grid=grid,
        group=units.group[first],
        kind=kind,
        units=np.bincount(slot[held], minlength=k),
        households=households,
        population=population,
        area_m2=area_m2,
        perimeter_m=perimeter_m,
        pieces=_pieces(instance, slot, k),
        polsby_popper=polsby_popper(area_m2, perimeter_m),
        extent_m=_extent_m(instance, slot, k, households),
        workload=total(units.workload),
        status=np.where(over, 2, np.where(under, 1, 0)),
        excess=breaks(
            under,
            np.maximum(households - high - total(over_h).astype(np.int64), 0),
            high,
            np.maximum(population - people_high - total(over_p).astype(np.int64), 0),
            people_high,
        ),
        outside=outside_h + outside_p * households_per_person(instance),
    )


def breaks(under: Bools, over_h: Ints, high: Ints, over_p: Ints, people_high: Ints) -> Ints:
    """How many grids' worth of break each grid is: 1 if below the minimum, else what is over, rounded up to maxima.

    Without the rounding to maxima, one giant grid would be the plan with the fewest grids outside the band.
    """
    over = np.maximum(-(-over_h // np.maximum(high, 1)), -(-over_p // np.maximum(people_high, 1)))
    return np.asarray(np.maximum(under.astype(np.int64), over), dtype=np.int64)


def surplus(instance: Instance) -> tuple[Ints, Ints]:
    """Households and people (n,) by which each unit alone is above the maximum: no plan can take them away."""
    units = instance.units
    _, high, _, people_high = limits(instance, units.kind)
    return np.maximum(units.households - high, 0), np.maximum(units.population - people_high, 0)


def limits(instance: Instance, kind: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Household minimum and maximum, population minimum and maximum of each of ``kind`` (any shape)."""
    table = np.array(
        [(b.households_min, b.households_max, b.population_min, b.population_max) for b in instance.bands],
        dtype=np.int64,
    )
    return table[kind, 0], table[kind, 1], table[kind, 2], table[kind, 3]


def households_per_person(instance: Instance) -> float:
    """What a person outside the population bound counts, in households: the average of the whole ground."""
    people = int(instance.units.population.sum())
    return float(instance.units.households.sum() / people) if people else 0.0


def within(instance: Instance, plan: Ints) -> Bools:
    """Borders (m,) that lie inside a grid."""
    borders = instance.units.borders
    return np.asarray((plan[borders.i] == plan[borders.j]) & (plan[borders.i] >= 0), dtype=bool)


def polsby_popper(area_m2: Floats, perimeter_m: Floats) -> Floats:
    """4 pi area / perimeter^2 (Polsby & Popper 1991); 0 where there is no outline."""
    squared = np.square(perimeter_m)
    safe = np.where(squared > 0, squared, 1.0)
    return np.asarray(np.where(squared > 0, np.minimum(4 * np.pi * area_m2 / safe, 1.0), 0.0), dtype=np.float64)


def _pieces(instance: Instance, slot: Ints, k: int) -> Ints:
    """Connected pieces of each grid over crossable borders."""
    borders = instance.units.borders
    held = np.flatnonzero(slot >= 0)
    joined = (slot[borders.i] == slot[borders.j]) & (slot[borders.i] >= 0) & borders.crossable
    piece = components(len(slot), borders.i[joined], borders.j[joined])
    _, first = np.unique(piece[held], return_index=True)
    return np.bincount(slot[held[first]], minlength=k).astype(np.int64)


def _extent_m(instance: Instance, slot: Ints, k: int, households: Ints) -> Floats:
    """Root mean square distance, in metres, of each grid's households to their common centre."""
    units = instance.units
    held = slot >= 0
    weight = units.households[held].astype(np.float64)
    xy_m = units.xy_m[held]
    safe = np.maximum(households, 1)[:, None]
    centre = np.stack([np.bincount(slot[held], weight * xy_m[:, axis], k) for axis in (0, 1)], axis=1) / safe
    squared = np.square(xy_m - centre[slot[held]]).sum(axis=1)
    return np.asarray(np.sqrt(np.bincount(slot[held], weight * squared, k) / safe[:, 0]), dtype=np.float64)


def _parts(instance: Instance, plan: Ints, grids: Grids) -> dict[str, float]:
    units, borders = instance.units, instance.units.borders
    inside = within(instance, plan)
    between = (
        ~inside & (units.group[borders.i] == units.group[borders.j]) & (plan[borders.i] >= 0) & (plan[borders.j] >= 0)
    )
    moved = (instance.start >= 0) & (plan != instance.start)
    middle = np.array([band.middle for band in instance.bands])[grids.kind]
    return {
        "moved": float(units.households[moved].sum()),
        "compactness": float((REFERENCE_COMPACTNESS - grids.polsby_popper).sum()),
        "extent": float((grids.households * grids.extent_m).sum()),
        "open_border": float((borders.length_m - borders.barrier_m)[between].sum()) if has_barriers(instance) else 0.0,
        "torn": float(borders.torn_m[inside].sum()),
        "cut_edges": float(between.sum()),
        "compounds": float(_split_compounds(instance, plan)),
        "balance": float(np.abs(grids.households - middle).sum()),
        "workload": float(np.abs(grids.workload - fair_share(instance)[grids.group]).sum()),
    }


def has_barriers(instance: Instance) -> bool:
    """Where no barrier is known, borders cannot follow one: nothing is asked of them."""
    borders = instance.units.borders
    return bool(borders.barrier_m.any() or borders.torn_m.any())


def _split_compounds(instance: Instance, plan: Ints) -> int:
    """Grids more than one, summed over compounds."""
    compound = instance.units.compound
    known = (compound >= 0) & (plan >= 0)
    pairs = np.unique(np.stack([compound[known], plan[known]]), axis=1)
    return int(pairs.shape[1] - len(np.unique(compound[known])))


def fair_share(instance: Instance) -> Floats:
    """Workload (n_groups,) that a grid in the middle of the band carries at its group's workload per household."""
    units = instance.units
    n_groups = int(units.group.max(initial=-1)) + 1
    work = np.bincount(units.group, units.workload, n_groups)
    households = np.bincount(units.group, units.households, n_groups)
    kind = np.zeros(n_groups, dtype=np.int64)
    kind[units.group] = units.kind
    middle = np.array([band.middle for band in instance.bands])[kind] if n_groups else np.zeros(0)
    return np.asarray(work / np.maximum(households, 1) * middle, dtype=np.float64)
