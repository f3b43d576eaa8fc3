"""Simulated annealing by single-unit moves inside a set of grids (Kirkpatrick et al. 1983; for zones: Macmillan 2001).

A move takes a unit to the grid of one of its neighbours. It is weighed before its contiguity is looked at: most moves
fail the first test, which costs a few additions, and never reach the second, which costs a walk.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.chance import Chance, below, share
from geodata.redraw.ground import COMPOUNDS, Ground
from geodata.redraw.model import Bools, Floats, Ints
from geodata.redraw.tally import (
    Limits,
    Scratch,
    Tally,
    breach,
    compound_change,
    grid_score,
    move,
    shape_cost,
    stays_whole,
)


class Worth(NamedTuple):
    """What each grid slot is worth now (slots,): broken band in grids, households outside, cost by itself."""

    excess: Ints
    outside: Floats
    cost: Floats


class Schedule(NamedTuple):
    """Temperature from ``heat0`` to ``heat1`` (geometric), price of the band from ``band0`` to ``band1`` likewise.

    Both in units of the weighted score; the price is for one middle of the band outside it.
    """

    heat0: float
    heat1: float
    band0: float
    band1: float


def worth(slots: int) -> Worth:
    """Room for ``slots`` grids."""
    return Worth(np.zeros(slots, dtype=np.int64), np.zeros(slots), np.zeros(slots))


@njit(cache=True, nogil=True)
def appraise(ground: Ground, state: Tally, value: Worth, g: int) -> None:
    """Bring ``value`` up to date for grid ``g``."""
    one = grid_score(ground, state, g)
    value.excess[g], value.outside[g], value.cost[g] = one


#: Price of one grid's worth of broken band, as a share of the price of a whole middle outside it.
_EXCESS = 0.1


@njit(cache=True, nogil=True)
def anneal(
    ground: Ground,
    state: Tally,
    value: Worth,
    units: Ints,
    inside: Bools,
    plan: Schedule,
    moves: int,
    shares: tuple[float, float],
    rng: Chance,
    work: Scratch,
) -> float:
    """Try ``moves`` moves of ``units`` between grids ``inside``; returns the change of the costs that hang on units.

    ``shares``: which part of the schedule this call runs through, from 0 to 1.
    """
    # Locals, because every look into a named tuple of arrays counts references: the loop is seven times as fast.
    label, count, sum_h, sum_p = state.label, state.size, state.households, state.population
    sum_over_h, sum_over_p, sum_area, sum_outline = state.over_h, state.over_p, state.area_m2, state.perimeter_m
    sum_wx, sum_wy, sum_wr, sum_work = state.wx, state.wy, state.wr, state.work
    households, population, over_h, over_p = ground.households, ground.population, ground.over_h, ground.over_p
    area_m2, outline_m, xs, ys, workload = ground.area_m2, ground.perimeter_m, ground.x_m, ground.y_m, ground.workload
    starts, move_cost, held, groups = ground.start, ground.move_cost, ground.held, ground.group
    indptr, other, length_m, cut_cost, open_ = (
        ground.indptr,
        ground.other,
        ground.length_m,
        ground.cut_cost,
        ground.open,
    )
    middles, fair_shares, weights = ground.middle, ground.share, ground.weights
    low, high, people_low, people_high = ground.low, ground.high, ground.people_low, ground.people_high
    excess, outside, costs = value.excess, value.outside, value.cost
    m = len(units)
    change = 0.0
    heat, price = plan.heat0, plan.band0
    for step in range(moves):
        if step % 128 == 0:
            done = shares[0] + (shares[1] - shares[0]) * step / moves
            heat = plan.heat0 * (plan.heat1 / plan.heat0) ** done
            price = plan.band0 * (plan.band1 / plan.band0) ** done
        u = units[below(rng, m)]
        degree = indptr[u + 1] - indptr[u]
        if degree == 0:
            continue
        via = indptr[u] + below(rng, degree)
        a, b = label[u], label[other[via]]
        if a == b or not inside[b] or not open_[via] or held[u] or count[a] == 1:
            continue
        inner_a, inner_b, loose = 0.0, 0.0, 0.0
        for e in range(indptr[u], indptr[u + 1]):
            g = label[other[e]]
            if g == a:
                inner_a += length_m[e]
                loose += cut_cost[e]
            elif g == b:
                inner_b += length_m[e]
                loose -= cut_cost[e]
        if starts[u] == a:
            loose += move_cost[u]
        elif starts[u] == b:
            loose -= move_cost[u]
        if weights[COMPOUNDS] > 0 and ground.compound[u] >= 0:
            loose += weights[COMPOUNDS] * compound_change(ground, state, u, a, b)
        h, p, x, y, work_u = households[u], population[u], xs[u], ys[u], workload[u]
        r = x * x + y * y
        middle, fair = middles[groups[u]], fair_shares[groups[u]]
        band = Limits(low[groups[u]], high[groups[u]], people_low[groups[u]], people_high[groups[u]], ground.person)
        outline_a = sum_outline[a] - outline_m[u] + 2 * inner_a
        outline_b = sum_outline[b] + outline_m[u] - 2 * inner_b
        cost_a = shape_cost(
            weights,
            middle,
            fair,
            sum_h[a] - h,
            sum_area[a] - area_m2[u],
            outline_a,
            sum_wx[a] - h * x,
            sum_wy[a] - h * y,
            sum_wr[a] - h * r,
            sum_work[a] - work_u,
        )
        cost_b = shape_cost(
            weights,
            middle,
            fair,
            sum_h[b] + h,
            sum_area[b] + area_m2[u],
            outline_b,
            sum_wx[b] + h * x,
            sum_wy[b] + h * y,
            sum_wr[b] + h * r,
            sum_work[b] + work_u,
        )
        cost = loose + cost_a + cost_b - costs[a] - costs[b]
        excess_a, outside_a = breach(
            band, sum_h[a] - h, sum_p[a] - p, sum_over_h[a] - over_h[u], sum_over_p[a] - over_p[u]
        )
        excess_b, outside_b = breach(
            band, sum_h[b] + h, sum_p[b] + p, sum_over_h[b] + over_h[u], sum_over_p[b] + over_p[u]
        )
        broken = (outside_a + outside_b - outside[a] - outside[b]) / middle
        broken += _EXCESS * (excess_a + excess_b - excess[a] - excess[b])
        worse = (cost + price * broken) / heat
        if worse > 0 and (worse > 20 or share(rng) >= math.exp(-worse)):
            continue
        if not stays_whole(indptr, other, open_, label, u, work):
            continue
        move(ground, state, u, b)
        excess[a], outside[a], costs[a] = excess_a, outside_a, cost_a
        excess[b], outside[b], costs[b] = excess_b, outside_b, cost_b
        change += loose
    return change
