"""The exact optimum of a small redraw task: every connected set of units is a candidate grid, HiGHS picks the best.

Set partitioning over all candidates (Garfinkel & Nemhauser 1969): first the fewest breaks of the band, then the fewest
households outside it, then the smallest weighted total. All parts of the score are sums over grids once borders
inside a grid are credited to it. Shares no code with the engine; ``measure`` only scores the plan that is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from geodata.redraw.measure import measure
from geodata.redraw.model import REFERENCE_COMPACTNESS, Instance, Ints

MOST_SETS = 200_000
FIRST = 1_000  # candidates that are tried first


class TooLargeError(Exception):
    """More candidate grids than the solver is asked to look at."""


class Optimum(NamedTuple):
    """The best score and a plan that has it."""

    excess: int
    outside: float
    total: float
    plan: Ints


class _Columns(NamedTuple):
    """Candidate grids (k,): members (k, n), the start label each takes (-1 for a new one), and what each costs."""

    members: np.ndarray
    label: np.ndarray
    excess: np.ndarray
    outside: np.ndarray
    cost: np.ndarray

    def take(self, keep: np.ndarray) -> _Columns:
        return _Columns(*(column[keep] for column in self))


def optimum(instance: Instance, *, most_excess: int = 6, gap: float = 1e-6) -> Optimum:
    """The lexicographically best plan; ``TooLargeError`` where there are too many candidates or breaks."""
    free = ~instance.in_closed()
    for excess in range(most_excess + 1):
        plain = _columns(instance, excess)
        outside = _Cover(instance, plain).fewest(excess)
        if outside == np.inf:
            continue
        columns = _labelled(instance, plain)
        chosen = _solve(columns, free, columns.cost, excess, outside=outside, gap=gap)
        assert chosen is not None
        plan = _plan(instance, columns, chosen)
        score = measure(instance, plan).score
        return Optimum(score.excess, score.outside, score.total, plan)
    raise TooLargeError(f"more than {most_excess} breaks")


def connected_sets(instance: Instance, spare: int) -> Iterator[list[int]]:
    """Connected sets over open borders that are above the maximum by at most ``spare`` maxima, locks kept."""
    units = instance.units
    n, borders = len(units), units.borders
    bands = [instance.bands[kind] for kind in units.kind.tolist()]
    h = [min(a, b.households_max) for a, b in zip(units.households.tolist(), bands, strict=True)]
    p = [min(a, b.population_max) for a, b in zip(units.population.tolist(), bands, strict=True)]
    free = ~instance.in_closed()
    open_ = borders.crossable & (units.group[borders.i] == units.group[borders.j]) & free[borders.i] & free[borders.j]
    near = [0] * n
    for i, j in zip(borders.i[open_].tolist(), borders.j[open_].tolist(), strict=True):
        near[i] |= 1 << j
        near[j] |= 1 << i

    def grow(bits: int, edge: int, barred: int, held: int, people: int, room: int, room_p: int) -> Iterator[int]:
        yield bits
        while edge:
            bit = edge & -edge
            edge ^= bit
            barred |= bit
            unit = bit.bit_length() - 1
            if held + h[unit] <= room and people + p[unit] <= room_p:
                wider = edge | near[unit] & ~barred
                yield from grow(bits | bit, wider, barred, held + h[unit], people + p[unit], room, room_p)

    together = [
        sum(1 << u for u in np.flatnonzero(instance.locked & free & (instance.start == label)).tolist())
        for label in np.unique(instance.start[instance.locked & free])
    ]
    for root in np.flatnonzero(free).tolist():
        band = bands[root]
        room = band.households_max * (spare + 1)
        room_p = band.population_max + spare * max(band.population_max, 1)
        barred = (2 << root) - 1
        for bits in grow(1 << root, near[root] & ~barred, barred, h[root], p[root], room, room_p):
            touched = [lock for lock in together if bits & lock]
            if not touched or (len(touched) == 1 and bits & touched[0] == touched[0]):
                yield [unit for unit in range(n) if bits >> unit & 1]


def _columns(instance: Instance, spare: int) -> _Columns:
    n = len(instance.units)
    sets: list[list[int]] = []
    for units in connected_sets(instance, spare):
        sets.append(units)
        if len(sets) > MOST_SETS:
            raise TooLargeError("too many connected sets")
    members = np.zeros((len(sets), n), dtype=np.float64)
    for row, units in enumerate(sets):
        members[row, units] = 1
    made = _priced(instance, members)
    return made.take(made.excess <= spare)


def _priced(instance: Instance, members: np.ndarray) -> _Columns:
    """What each candidate costs, whichever start label it takes."""
    units, weights, borders = instance.units, instance.weights, instance.units.borders
    first = members.argmax(axis=1)
    limits = np.array(
        [(b.households_min, b.households_max, b.population_min, b.population_max) for b in instance.bands], dtype=float
    )[units.kind]
    low, high, people_low, people_high = limits[first].T
    h, p = members @ units.households, members @ units.population
    over_h = members @ np.minimum(units.households, limits[:, 1]) - high
    over_p = members @ np.minimum(units.population, limits[:, 3]) - people_high
    over = np.maximum(np.ceil(over_h / high), np.ceil(over_p / np.maximum(people_high, 1)))
    under = (h < low) | (p < people_low)
    people = units.population.sum()
    person = units.households.sum() / people if people else 0.0
    outside = np.maximum(np.maximum(low - h, h - high), 0)
    outside += np.maximum(np.maximum(people_low - p, p - people_high), 0) * person
    inside = members[:, borders.i] * members[:, borders.j]
    outline_m = members @ units.perimeter_m - 2 * inside @ borders.length_m
    compactness = np.minimum(4 * np.pi * (members @ units.area_m2) / np.maximum(outline_m, 1e-9) ** 2, 1.0)
    compactness[outline_m <= 0] = 0
    extent_m = np.zeros(len(members))
    for row, held in enumerate(members.astype(bool) if weights.extent else ()):
        if h[row]:
            share = units.households[held] / h[row]
            extent_m[row] = np.sqrt((share * ((units.xy_m[held] - share @ units.xy_m[held]) ** 2).sum(axis=1)).sum())
    compound = units.compound
    parts = np.stack(
        [members[:, compound == one].any(axis=1) for one in np.unique(compound[compound >= 0])] or [first * 0]
    )
    middle = (limits[:, 0] + limits[:, 1]) / 2
    per_household = np.bincount(units.group, units.workload) / np.maximum(np.bincount(units.group, units.households), 1)
    share = (per_household[units.group] * middle)[first]
    walls = bool(borders.barrier_m.any() or borders.torn_m.any())
    cost = (
        weights.compactness * (REFERENCE_COMPACTNESS - compactness)
        + weights.extent * h * extent_m
        - weights.open_border * walls * (inside @ (borders.length_m - borders.barrier_m))
        + weights.torn * (inside @ borders.torn_m)
        - weights.cut_edges * inside.sum(axis=1)
        + weights.compounds * parts.sum(axis=0)
        + weights.balance * np.abs(h - middle[first])
        + weights.workload * np.abs(members @ units.workload - share)
        + weights.moved * (members @ np.where(instance.start >= 0, units.households, 0))
    )
    return _Columns(members, np.full(len(members), -1), np.maximum(over, under).clip(0).astype(int), outside, cost)


def _labelled(instance: Instance, plain: _Columns) -> _Columns:
    """Each candidate once under a new label, and once under each start label it can keep households of."""
    held = instance.locked & ~instance.in_closed()
    out = [plain.take(~(plain.members[:, held] > 0).any(axis=1))]
    for label in sorted(set(instance.start.tolist()) - {-1} - set(instance.closed)):
        here = instance.start == label
        kept = plain.members @ (instance.units.households * here)
        may = ~(plain.members[:, held & ~here] > 0).any(axis=1)
        must = (plain.members[:, held & here] > 0).any(axis=1)
        take = may & (must | (kept > 0) & (instance.weights.moved > 0))
        some = plain.take(take)
        cost = some.cost - instance.weights.moved * kept[take]
        out.append(some._replace(label=np.full(len(cost), label), cost=cost))
    return _Columns(*(np.concatenate(parts) for parts in zip(*out, strict=True)))


class _Cover:
    """Fewest households outside the band of any plan with a given number of breaks, by recursion over what is left.

    What is left is taken apart into connected pieces, each solved once; the next grid is one that holds the westernmost
    unit left.
    """

    def __init__(self, instance: Instance, columns: _Columns) -> None:
        units, free = instance.units, ~instance.in_closed()
        order = np.argsort(units.xy_m[:, 0], kind="stable")
        order = order[free[order]]
        place = np.full(len(units), -1)
        place[order] = np.arange(len(order))
        self.n = len(order)
        self.near = [0] * self.n
        borders = units.borders
        open_ = borders.crossable & (units.group[borders.i] == units.group[borders.j])
        for i, j in zip(place[borders.i[open_]].tolist(), place[borders.j[open_]].tolist(), strict=True):
            if i >= 0 and j >= 0:
                self.near[i] |= 1 << j
                self.near[j] |= 1 << i
        self.holding: list[list[tuple[int, int, float]]] = [[] for _ in range(self.n)]
        sets = columns.members[:, order].astype(bool)
        for row in range(len(sets)):
            where = np.flatnonzero(sets[row]).tolist()
            bits = sum(1 << bit for bit in where)
            self.holding[where[0]].append((bits, int(columns.excess[row]), float(columns.outside[row])))
        for holding in self.holding:
            holding.sort(key=lambda item: (item[1], item[2]))
        high = np.array([band.households_max for band in instance.bands])[units.kind][order]
        self.surplus = np.maximum(units.households[order] - high, 0).tolist()
        self.known: dict[tuple[int, int], float] = {}

    def fewest(self, excess: int) -> float:
        """Fewest households outside with at most ``excess`` breaks; infinite where there is no such plan."""
        return self._left((1 << self.n) - 1, excess)

    def _left(self, left: int, excess: int) -> float:
        """The same for ``left``, any set of units: its connected pieces share the breaks out among them."""
        best = [0.0] * (excess + 1)
        while left:
            piece = edge = left & -left
            while edge:
                unit = edge.bit_length() - 1
                edge &= ~(1 << unit)
                new = self.near[unit] & left & ~piece
                piece |= new
                edge |= new
            left &= ~piece
            own = [self._piece(piece, some) for some in range(excess + 1)]
            best = [min(best[some - e] + own[e] for e in range(some + 1)) for some in range(excess + 1)]
            if best[excess] == np.inf:
                return np.inf
        return best[excess]

    def _piece(self, piece: int, excess: int) -> float:
        key = (piece, excess)
        if key in self.known:
            return self.known[key]
        least = sum(self.surplus[unit] for unit in range(self.n) if piece >> unit & 1)
        best = np.inf
        first = (piece & -piece).bit_length() - 1
        for bits, broken, outside in self.holding[first]:
            if broken > excess or bits & ~piece or outside >= best:
                continue
            best = min(best, outside + self._left(piece & ~bits, excess - broken))
            if best <= least:
                break
        self.known[key] = best
        return best


def _solve(
    columns: _Columns, units: np.ndarray, cost: np.ndarray, excess: int, *, gap: float, outside: float | None = None
) -> np.ndarray | None:
    """Candidates (indices) that hold each of ``units`` once, each start label at most once; None where there are none.

    The linear relaxation prices all candidates; the whole-number problem is solved over the cheapest of them, and over
    all that could be in a better plan (reduced-cost fixing: Crowder, Johnson & Padberg 1983).
    """
    if not units.any():
        return np.zeros(0, dtype=int)
    if not len(cost):
        return None
    rows, lower, upper = _rows(columns, units, excess, outside)
    bounded = np.isfinite(lower)
    relaxed = linprog(
        cost,
        A_ub=rows[~bounded] if (~bounded).any() else None,
        b_ub=upper[~bounded] if (~bounded).any() else None,
        A_eq=rows[bounded],
        b_eq=lower[bounded],
        bounds=(0, None),
        method="highs",
    )
    if relaxed.x is None:
        return None
    dual = np.zeros(len(lower))
    dual[bounded] = relaxed.eqlin.marginals
    if (~bounded).any():
        dual[~bounded] = relaxed.ineqlin.marginals
    reduced = cost - rows.T @ dual
    limit = np.partition(reduced, min(FIRST, len(reduced)) - 1)[min(FIRST, len(reduced)) - 1]
    while True:
        take = np.flatnonzero(reduced <= limit + 1e-9)
        found = milp(
            cost[take],
            constraints=LinearConstraint(rows[:, take], lower, upper),
            integrality=np.ones(len(take)),
            bounds=(0, 1),
            options={"mip_rel_gap": gap},
        )
        best = np.inf if found.x is None else float(found.fun)
        if len(take) == len(cost) or best - relaxed.fun <= limit:
            return None if found.x is None else take[found.x > 0.5]
        limit = min(
            best - relaxed.fun,
            max(limit * 4, np.partition(reduced, min(4 * len(take), len(cost)) - 1)[min(4 * len(take), len(cost)) - 1]),
        )


def _rows(
    columns: _Columns, units: np.ndarray, excess: int, outside: float | None
) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """The constraints as rows with lower and upper limits: each unit once, labels, breaks, households outside."""
    labels = np.unique(columns.label[columns.label >= 0])
    more = [columns.label == label for label in labels]
    upper = [1.0] * len(labels)
    if columns.excess.any():
        more.append(columns.excess)
        upper.append(excess)
    if outside is not None:
        more.append(columns.outside)
        upper.append(outside + 1e-6)
    rows = np.vstack([columns.members[:, units].T, *more]).astype(float)
    n = int(units.sum())
    return csr_array(rows), np.array([1.0] * n + [-np.inf] * len(more)), np.array([1.0] * n + upper)


def _plan(instance: Instance, columns: _Columns, chosen: np.ndarray) -> Ints:
    plan = np.where(instance.in_closed(), instance.start, -1)
    number = instance.n_start
    for column in chosen.tolist():
        label = int(columns.label[column])
        if label < 0:
            label, number = number, number + 1
        plan[columns.members[column] > 0] = label
    return plan
