"""Running tallies of a plan: moving one unit changes two grids' sums, nothing else (the idea of GerryChain's updaters).

All kernels take a :class:`Ground` (never changed) and a :class:`Tally` (changed in place).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.chance import Chance, below
from geodata.redraw.ground import BALANCE, COMPACTNESS, COMPOUNDS, EXTENT, WORKLOAD, Ground
from geodata.redraw.model import REFERENCE_COMPACTNESS, Bools, Floats, Ints


class Tally(NamedTuple):
    """``label`` (n,): grid of each unit. The rest (slots,): sums per grid; a slot with ``size`` 0 is free.

    ``wx``, ``wy``, ``wr``: sums of households times x, y and squared distance to the origin, in metres.
    """

    label: Ints
    group: Ints
    size: Ints
    held: Ints
    households: Ints
    population: Ints
    over_h: Ints
    over_p: Ints
    area_m2: Floats
    perimeter_m: Floats
    wx: Floats
    wy: Floats
    wr: Floats
    work: Floats


def tally(ground: Ground, label: Ints, slots: int) -> Tally:
    """Sums of the plan ``label`` (n,), all units assigned, with room for ``slots`` grids."""
    ints: list[Any] = [np.zeros(slots, dtype=np.int64) for _ in range(7)]
    sums: list[Any] = [np.zeros(slots) for _ in range(6)]
    made = Tally(label.astype(np.int64), *ints, *sums)
    recount(ground, made)
    return made


@njit(cache=True, nogil=True)
def recount(ground: Ground, state: Tally) -> None:
    """All sums anew from ``state.label``."""
    for values in (state.size, state.held, state.households, state.population, state.over_h, state.over_p):
        values[:] = 0
    for sums in (state.area_m2, state.perimeter_m, state.wx, state.wy, state.wr, state.work):
        sums[:] = 0.0
    for u in range(len(state.label)):
        g = state.label[u]
        state.group[g] = ground.group[u]
        if ground.held[u]:
            state.held[g] += 1
        inner_m = 0.0
        for e in range(ground.indptr[u], ground.indptr[u + 1]):
            if state.label[ground.other[e]] == g:
                inner_m += ground.length_m[e]
        _add(ground, state, u, g, 1, ground.perimeter_m[u] - inner_m)


@njit(cache=True, nogil=True, inline="always")
def _add(ground, state, u, g, sign, perimeter_m):  # type: ignore[no-untyped-def]
    """Add (sign 1) or take (-1) unit ``u``'s sums; ``perimeter_m`` is the change of the outline, sign included."""
    h = ground.households[u]
    state.size[g] += sign
    state.households[g] += sign * h
    state.population[g] += sign * ground.population[u]
    state.over_h[g] += sign * ground.over_h[u]
    state.over_p[g] += sign * ground.over_p[u]
    state.area_m2[g] += sign * ground.area_m2[u]
    state.perimeter_m[g] += perimeter_m
    x, y = ground.x_m[u], ground.y_m[u]
    state.wx[g] += sign * h * x
    state.wy[g] += sign * h * y
    state.wr[g] += sign * h * (x * x + y * y)
    state.work[g] += sign * ground.workload[u]


@njit(cache=True, nogil=True)
def move(ground: Ground, state: Tally, u: int, b: int) -> None:
    """Put unit ``u`` into grid ``b``; whether that keeps grids whole is the caller's question."""
    a = state.label[u]
    inner_a, inner_b = 0.0, 0.0
    for e in range(ground.indptr[u], ground.indptr[u + 1]):
        g = state.label[ground.other[e]]
        if g == a:
            inner_a += ground.length_m[e]
        elif g == b:
            inner_b += ground.length_m[e]
    _add(ground, state, u, a, -1, 2 * inner_a - ground.perimeter_m[u])
    _add(ground, state, u, b, 1, ground.perimeter_m[u] - 2 * inner_b)
    if ground.held[u]:
        state.held[a] -= 1
        state.held[b] += 1
    state.group[b] = ground.group[u]
    state.label[u] = b


@njit(cache=True, nogil=True, inline="always")
def compound_change(ground, state, u, a, b):  # type: ignore[no-untyped-def]
    """Change of the number of grids that ``u``'s compound lies in, when ``u`` moves from ``a`` to ``b``."""
    c = ground.compound[u]
    if c < 0:
        return 0
    alone, new = 1, 1
    for q in range(ground.member_ptr[c], ground.member_ptr[c + 1]):
        v = ground.member[q]
        if v == u:
            continue
        g = state.label[v]
        if g == a:
            alone = 0
        elif g == b:
            new = 0
    return new - alone


@njit(cache=True, nogil=True)
def shift(ground: Ground, state: Tally, u: int, b: int) -> float:
    """Move ``u`` to ``b`` and return what that changes in the costs that hang on units: moved, borders, compounds."""
    a = state.label[u]
    cost = 0.0
    if a == b:
        return cost
    for e in range(ground.indptr[u], ground.indptr[u + 1]):
        g = state.label[ground.other[e]]
        if g == a:
            cost += ground.cut_cost[e]
        elif g == b:
            cost -= ground.cut_cost[e]
    if ground.start[u] == a:
        cost += ground.move_cost[u]
    elif ground.start[u] == b:
        cost -= ground.move_cost[u]
    if ground.weights[COMPOUNDS] > 0:
        cost += ground.weights[COMPOUNDS] * compound_change(ground, state, u, a, b)
    move(ground, state, u, b)
    return cost


@njit(cache=True, nogil=True, inline="always")
def shape_cost(weights, middle, share, h, area_m2, perimeter_m, wx, wy, wr, work):  # type: ignore[no-untyped-def]
    """What a grid with these sums costs by itself: compactness, extent, balance and workload, weighted."""
    cost = 0.0
    if weights[COMPACTNESS] > 0:
        ratio = 0.0
        if perimeter_m > 1e-9:
            ratio = min(4 * math.pi * area_m2 / (perimeter_m * perimeter_m), 1.0)
        cost += weights[COMPACTNESS] * (REFERENCE_COMPACTNESS - ratio)
    if weights[EXTENT] > 0 and h > 0:
        spread = wr / h - (wx * wx + wy * wy) / (float(h) * h)
        cost += weights[EXTENT] * h * math.sqrt(max(spread, 0.0))
    if weights[BALANCE] > 0:
        cost += weights[BALANCE] * abs(h - middle)
    if weights[WORKLOAD] > 0:
        cost += weights[WORKLOAD] * abs(work - share)
    return cost


class Limits(NamedTuple):
    """A group's band and what a person outside it counts in households."""

    low: int
    high: int
    people_low: int
    people_high: int
    person: float


@njit(cache=True, nogil=True, inline="always")
def limits_of(ground, group):  # type: ignore[no-untyped-def]
    """The band of ``group``."""
    return Limits(
        ground.low[group], ground.high[group], ground.people_low[group], ground.people_high[group], ground.person
    )


@njit(cache=True, nogil=True)
def breach(band: Limits, h: int, p: int, over_h: int, over_p: int) -> tuple[int, float]:
    """Broken band in grids' worth and households outside it, as :func:`geodata.redraw.measure.breaks` defines them."""
    if band.low <= h <= band.high and band.people_low <= p <= band.people_high:
        return 0, 0.0
    outside = float(max(band.low - h, h - band.high, 0))
    outside += band.person * float(max(band.people_low - p, p - band.people_high, 0))
    excess = 1 if h < band.low or p < band.people_low else 0
    much = h - band.high - over_h
    if much > 0:
        excess = max(excess, (much + band.high - 1) // band.high)
    much = p - band.people_high - over_p
    if much > 0:
        excess = max(excess, (much + band.people_high - 1) // band.people_high)
    return excess, outside


@njit(cache=True, nogil=True)
def grid_score(ground: Ground, state: Tally, g: int) -> tuple[int, float, float]:
    """Excess, households outside and cost by itself of one grid; a free slot has none of them."""
    if state.size[g] == 0:
        return 0, 0.0, 0.0
    group = state.group[g]
    excess, outside = breach(
        limits_of(ground, group), state.households[g], state.population[g], state.over_h[g], state.over_p[g]
    )
    cost = shape_cost(
        ground.weights,
        ground.middle[group],
        ground.share[group],
        state.households[g],
        state.area_m2[g],
        state.perimeter_m[g],
        state.wx[g],
        state.wy[g],
        state.wr[g],
        state.work[g],
    )
    return excess, outside, cost


@njit(cache=True, nogil=True)
def score(ground: Ground, state: Tally) -> tuple[int, float, float]:
    """Excess, households outside and weighted total of the plan, as :func:`geodata.redraw.measure.measure` gives them.

    The total leaves out a constant: what tearing barriers cost if every border lay inside a grid.
    """
    excess, outside, total = 0, 0.0, 0.0
    for g in range(len(state.size)):
        if state.size[g] > 0:
            one = grid_score(ground, state, g)
            excess += one[0]
            outside += one[1]
            total += one[2]
    for u in range(len(state.label)):
        total += unit_cost(ground, state, u)
    return excess, outside, total


@njit(cache=True, nogil=True)
def unit_cost(ground: Ground, state: Tally, u: int) -> float:
    """Cost that hangs on unit ``u``: moved, half of its cut borders, its share of the compound's split."""
    g = state.label[u]
    cost = 0.0
    if ground.start[u] >= 0 and ground.start[u] != g:
        cost += ground.move_cost[u]
    for e in range(ground.indptr[u], ground.indptr[u + 1]):
        if state.label[ground.other[e]] != g:
            cost += ground.cut_cost[e] / 2
    c = ground.compound[u]
    if c >= 0 and ground.weights[COMPOUNDS] > 0:
        first = True  # u pays for its grid if it is the first of the compound in it, and not of the first grid
        for q in range(ground.member_ptr[c], ground.member_ptr[c + 1]):
            v = ground.member[q]
            if v == u:
                break
            if state.label[v] == g:
                first = False
                break
        if first and ground.member[ground.member_ptr[c]] != u:
            cost += ground.weights[COMPOUNDS]
    return cost


@njit(cache=True, nogil=True)
def typical_change(ground: Ground, state: Tally, rng: Chance, tries: int) -> float:
    """Mean absolute change of the weighted total by a random move between neighbours; the plan stays as it is."""
    total, met = 0.0, 0
    for _ in range(tries):
        u = below(rng, len(state.label))
        degree = ground.indptr[u + 1] - ground.indptr[u]
        if degree == 0 or ground.held[u]:
            continue
        a, b = state.label[u], state.label[ground.other[ground.indptr[u] + below(rng, degree)]]
        if a == b or state.size[a] == 1:
            continue
        before = grid_score(ground, state, a)[2] + grid_score(ground, state, b)[2]
        change = shift(ground, state, u, b)
        change += grid_score(ground, state, a)[2] + grid_score(ground, state, b)[2] - before
        shift(ground, state, u, a)
        total += abs(change)
        met += 1
    return total / met if met else 0.0


class Scratch(NamedTuple):
    """Work space of one thread for walks over units: ``stamp`` and ``queue`` (n,), ``clock`` (1,)."""

    stamp: Ints
    queue: Ints
    clock: Ints


def scratch(n: int) -> Scratch:
    """Fresh work space for ``n`` units."""
    return Scratch(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(1, dtype=np.int64))


@njit(cache=True, nogil=True)
def stays_whole(indptr: Ints, other: Ints, open_: Bools, label: Ints, u: int, work: Scratch) -> bool:
    """Whether the rest of ``u``'s grid is in one piece without it: a walk that ends when all its neighbours are met."""
    a = label[u]
    stamp, queue = work.stamp, work.queue
    clock = work.clock
    clock[0] += 2
    wanted, seen = clock[0], clock[0] + 1
    left, first = 0, -1
    for e in range(indptr[u], indptr[u + 1]):
        v = other[e]
        if open_[e] and label[v] == a:
            stamp[v] = wanted
            left += 1
            first = v
    if left <= 1:
        return left == 1
    stamp[first] = seen
    queue[0] = first
    head, tail = 0, 1
    left -= 1
    while head < tail:
        x = queue[head]
        head += 1
        for e in range(indptr[x], indptr[x + 1]):
            y = other[e]
            if label[y] != a or y == u or stamp[y] == seen or not open_[e]:
                continue
            if stamp[y] == wanted:
                left -= 1
                if left == 0:
                    return True
            stamp[y] = seen
            queue[tail] = y
            tail += 1
    return False
