"""An instance laid out for the kernels: what never changes during a search, in flat arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.redraw.measure import fair_share, has_barriers, households_per_person, limits, surplus
from geodata.redraw.model import Bools, Floats, Instance, Ints

#: Positions in ``Ground.weights``, in the order of :data:`geodata.redraw.model.PARTS`.
MOVED, COMPACTNESS, EXTENT, OPEN_BORDER, TORN, CUT_EDGES, COMPOUNDS, BALANCE, WORKLOAD = range(9)


class Ground(NamedTuple):
    """n units with their half-borders in compressed rows: those of unit u are ``indptr[u]:indptr[u + 1]``.

    Per unit (n,): ``households``, ``population``, ``over_h`` and ``over_p`` (what it alone has above the maximum),
    ``area_m2``, ``perimeter_m``, ``x_m``, ``y_m`` (relative to the group's middle, so that squares stay small),
    ``workload``, ``group``, ``start``, ``move_cost`` (of not being in ``start``), ``held`` (stays in ``start``),
    ``compound``. Per half-border (2m,): ``other`` unit, ``length_m``, ``cut_cost`` (of lying between two grids, less
    what it costs inside one), ``open`` (grids may hold together over it). Units of compound c:
    ``member[member_ptr[c]:member_ptr[c + 1]]``. Per group: ``low``, ``high``, ``people_low``, ``people_high``,
    ``middle`` (households), ``share`` (workload).
    """

    households: Ints
    population: Ints
    over_h: Ints
    over_p: Ints
    area_m2: Floats
    perimeter_m: Floats
    x_m: Floats
    y_m: Floats
    workload: Floats
    group: Ints
    start: Ints
    move_cost: Floats
    held: Bools
    compound: Ints
    indptr: Ints
    other: Ints
    length_m: Floats
    cut_cost: Floats
    open: Bools
    member_ptr: Ints
    member: Ints
    low: Ints
    high: Ints
    people_low: Ints
    people_high: Ints
    middle: Floats
    share: Floats
    weights: Floats
    person: float


def lay_out(instance: Instance) -> Ground:
    """The kernels' view of ``instance``. Borders between groups are left out: no grid ever crosses them."""
    units, borders = instance.units, instance.units.borders
    n = len(units)
    weights = instance.weights.array()
    free = ~instance.in_closed()
    inside = units.group[borders.i] == units.group[borders.j]
    i, j = borders.i[inside], borders.j[inside]
    open_ = (borders.crossable & free[borders.i] & free[borders.j])[inside]
    cut_cost = np.full(len(i), weights[CUT_EDGES]) - weights[TORN] * borders.torn_m[inside]
    if has_barriers(instance):
        cut_cost += weights[OPEN_BORDER] * (borders.length_m - borders.barrier_m)[inside]
    ends, others = np.concatenate([i, j]), np.concatenate([j, i])
    order = np.lexsort((others, ends))
    indptr = np.searchsorted(ends[order], np.arange(n + 1)).astype(np.int64)
    over_h, over_p = surplus(instance)
    x_m, y_m = _centred(units.xy_m, units.group).T.copy()
    compound = _compact(units.compound)
    by_compound = np.argsort(compound, kind="stable")
    known = compound[by_compound] >= 0
    n_groups = int(units.group.max()) + 1
    kind = np.zeros(n_groups, dtype=np.int64)
    kind[units.group] = units.kind
    low, high, people_low, people_high = limits(instance, kind)
    return Ground(
        units.households,
        units.population,
        over_h,
        over_p,
        units.area_m2,
        units.perimeter_m,
        x_m,
        y_m,
        units.workload,
        units.group,
        instance.start,
        np.where(instance.start >= 0, weights[MOVED] * units.households, 0.0),
        instance.held(),
        compound,
        indptr,
        others[order],
        np.tile(borders.length_m[inside], 2)[order],
        np.tile(cut_cost, 2)[order],
        np.tile(open_, 2)[order],
        np.searchsorted(compound[by_compound][known], np.arange(int(compound.max()) + 2)).astype(np.int64),
        by_compound[known].astype(np.int64),
        low,
        high,
        people_low,
        people_high,
        np.array([band.middle for band in instance.bands])[kind],
        fair_share(instance),
        weights,
        households_per_person(instance),
    )


def _centred(xy_m: Floats, group: Ints) -> Floats:
    """``xy_m`` relative to the mean of its group."""
    size = np.maximum(np.bincount(group), 1)
    middle = np.stack([np.bincount(group, xy_m[:, axis]) / size for axis in (0, 1)], axis=1)
    return np.asarray(xy_m - middle[group], dtype=np.float64)


def _compact(compound: Ints) -> Ints:
    """Compounds numbered 0, 1, ...; those of one unit only cannot be split and become -1."""
    known, position, size = np.unique(compound, return_inverse=True, return_counts=True)
    several = (size > 1) & (known >= 0)
    number = np.where(several, np.cumsum(several) - 1, -1)
    return np.asarray(number[position], dtype=np.int64)
