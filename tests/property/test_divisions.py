"""An attacker with every household figure of several plans cannot work out a small count of any of them.

He knows the ground (which units each grid holds, and which of them are empty), the regions' totals, all grids that are
told, now and before, and what the marks mean. He asks an exact integer solver for the least and greatest value of every
small count: of a grid, of what two plans' grids have in common, of the finest pieces.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from geodata.privacy.divisions import FREE, Division, decide
from geodata.privacy.suppress import EXACT, SMALL, WITHHELD, States, suppress
from geodata.privacy.trees import Ints, Tree

LEAST = 5


class Attacker:
    """Ranges of sums of units under all that is told of all divisions."""

    def __init__(self, households: Ints, divisions: list[tuple[Ints, States]]) -> None:
        n = len(households)
        rows, low, high = [], [], []
        for cell, state in divisions:
            for k, how in enumerate(state.tolist()):
                inside = cell == k
                total = int(households[inside].sum())
                if how == WITHHELD:  # the mark that says nothing
                    continue
                rows.append(inside)
                low.append(1 if how == SMALL else total)
                high.append(LEAST - 1 if how == SMALL else total)
        self.known = LinearConstraint(csr_array(np.array(rows, dtype=float).reshape(-1, n)), low, high)
        self.bounds = Bounds(0, np.where(households > 0, 10_000, 0))
        self.n = n

    def pinned(self, inside: np.ndarray, true: int) -> bool:
        return self.bound(inside, 1) == true == self.bound(inside, -1)

    def bound(self, inside: np.ndarray, sign: int) -> int:
        found = milp(
            sign * inside.astype(float),
            constraints=self.known,
            bounds=self.bounds,
            integrality=np.ones(self.n, dtype=np.int64),
        )
        assert found.success, found.message
        return round(sign * found.fun)


def small_counts(households: Ints, plans: list[Ints]) -> list[np.ndarray]:
    """Masks of units of every small count."""
    found = []
    for some in [*((one,) for one in plans), *combinations(plans, 2), tuple(plans)]:
        keys = np.unique(np.stack(some, axis=1), axis=0, return_inverse=True)[1].ravel()
        for k in range(keys.max() + 1):
            if 0 < households[keys == k].sum() < LEAST and (min(one[keys == k].min() for one in some) >= 0):
                found.append(keys == k)
    return found


def town(rng: np.random.Generator) -> tuple[Ints, Ints, int]:
    """Households and community of each unit: some communities have but few."""
    communities = int(rng.integers(1, 4))
    of = np.sort(rng.integers(0, communities, int(rng.integers(5, 22))))
    busy = rng.gamma(0.8, 1.0, communities) * rng.choice([1.0, 6.0, 20.0])
    return rng.poisson(rng.gamma(0.8, 1.0, len(of)) * busy[of]).astype(np.int64), of, communities


def regions_of(households: Ints, of: Ints, communities: int) -> list[Division]:
    """Communities and the whole, with what is told of their totals."""
    tree = Tree.of([-1, *[0] * communities])
    counts = tree.fill(np.bincount(of + 1, households, communities + 1).astype(np.int64)[:, None])
    state = suppress(counts, tree, Tree.of([-1])).state[:, 0]
    return [
        Division.of(of, state[1:], region=True),
        Division.of(np.zeros(len(of), dtype=np.int64), state[:1], region=True),
    ]


def drawn(rng: np.random.Generator, of: Ints) -> Ints:
    """A plan: grids within communities, some units in none."""
    grid = of * 4 + rng.integers(0, 4, len(of))
    cell = np.unique(grid, return_inverse=True)[1]
    return np.where(rng.random(len(of)) < 0.05, -1, cell) if rng.random() < 0.3 else cell


def redrawn(rng: np.random.Generator, plan: Ints, of: Ints) -> Ints:
    """The same with some units in other grids of their community."""
    out = plan.copy()
    for unit in np.flatnonzero(rng.random(len(plan)) < rng.choice([0.1, 0.4])):
        out[unit] = rng.choice(plan[of == of[unit]])
    return np.unique(out, return_inverse=True)[1] - (1 if out.min() < 0 else 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_no_small_count_is_pinned_by_plans_told_one_after_another(seed: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    households, of, communities = town(rng)
    regions = regions_of(households, of, communities)
    plans = [drawn(rng, of)]
    while len(plans) < many:
        plans.append(redrawn(rng, plans[-1], of))
    told: list[Division] = []
    for plan in plans:
        *_, state = decide(households, [*regions, *told, Division.of(plan)])
        assert not (state == FREE).any()
        value = np.array([households[plan == k].sum() for k in range(len(state))])
        assert (state[(value > 0) & (value < LEAST)] != EXACT).all() and (state[value == 0] == EXACT).all()
        told.append(Division.of(plan, state))
    everything = [(one.cell, one.state) for one in (*regions, *told)]
    attacker, before = Attacker(households, everything), Attacker(households, everything[:-1])
    for inside in small_counts(households, plans):
        true = int(households[inside].sum())
        # a grid that is drawn later around what was told of others together was known before it was one
        assert not attacker.pinned(inside, true) or (many > 1 and before.pinned(inside, true)), inside


def test_withholding_small_cells_alone_the_attacker_wins() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(8):
        households, of, _ = town(rng)
        plans = [first := drawn(rng, of), redrawn(rng, first, of)]
        told = []
        for plan in plans:
            value = np.array([households[plan == k].sum() for k in range(plan.max() + 1)])
            told.append((plan, np.where((value > 0) & (value < LEAST), SMALL, EXACT).astype(np.uint8)))
        attacker = Attacker(households, [(of, np.zeros(of.max() + 1, dtype=np.uint8)), *told])
        found += sum(attacker.pinned(one, int(households[one].sum())) for one in small_counts(households, plans))
    assert found > 5


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_what_was_withheld_stays_so_when_the_counts_change(seed: int) -> None:
    """Numbers that stay are known from before; those withheld before are withheld again."""
    rng = np.random.default_rng(seed)
    households, of, communities = town(rng)
    plan = drawn(rng, of)
    *_, before = decide(households, [*regions_of(households, of, communities), Division.of(plan)])
    later = np.where(rng.random(len(of)) < 0.3, rng.integers(0, 30, len(of)), households)
    old, new = (np.array([x[plan == k].sum() for k in range(len(before))]) for x in (households, later))
    held = np.where((before == EXACT) & (old != new), FREE, before).astype(np.uint8)
    regions = regions_of(later, of, communities)
    *_, state = decide(later, [*regions, Division.of(plan, held)])
    alone = np.array([(later[np.isin(of, of[plan == k]) & (plan != k)] == 0).all() for k in range(len(before))])
    assert (state[(before != EXACT) & (new > 0) & ~alone] != EXACT).all()  # alone: the community's total, or all of it
    assert (state[(new > 0) & (new < LEAST)] != EXACT).all()
    if (held == EXACT).sum() == 0:  # else a number known from before may tell what has become small since
        attacker = Attacker(later, [(one.cell, one.state) for one in (*regions, Division.of(plan, state))])
        for inside in small_counts(later, [plan]):
            assert not attacker.pinned(inside, int(later[inside].sum()))


def test_two_households_that_moved_stay_hidden_and_unchanged_grids_are_told() -> None:
    households = np.array([40, 2, 30, 25])
    region = Division.of(np.zeros(4, dtype=np.int64), region=True)
    first, second = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    *_, before = decide(households, [region, Division.of(first)])
    assert before.tolist() == [EXACT] * 3
    *_, after = decide(households, [region, Division.of(first, before), Division.of(second)])
    assert after.tolist() == [WITHHELD, WITHHELD, EXACT]


def test_a_redraw_of_everything_is_told_where_no_single_number_follows() -> None:
    """A small piece on a cycle of pieces is safe although every grid of both plans is told."""
    households = np.array([[20, 2], [30, 25]]).ravel()
    region = Division.of(np.zeros(4, dtype=np.int64), region=True)
    rows, columns = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    told = decide(households, [region, Division.of(rows, np.zeros(2, dtype=np.uint8)), Division.of(columns)])
    assert told[-1].tolist() == [EXACT, EXACT]


def test_a_mark_that_would_tell_is_left_out() -> None:
    """Eight households in two grids of less than five are four and four."""
    region = Division.of(np.zeros(2, dtype=np.int64), region=True)
    *_, state = decide(np.array([4, 4]), [region, Division.of(np.arange(2))])
    assert sorted(state.tolist()) == [SMALL, WITHHELD]


def test_a_status_bounds_what_a_withheld_grid_can_be() -> None:
    """A partner that its status pins protects nothing."""
    households = np.array([3, 300, 350])
    region = Division.of(np.zeros(3, dtype=np.int64), region=True)
    n = len(households)
    status = Division(np.arange(n), np.full(n, FREE, np.uint8), np.array([0, 300, 300]), np.array([299, 300, 500]))
    *_, state = decide(households, [region, status])
    assert state.tolist() == [SMALL, EXACT, WITHHELD]


def test_divisions_of_other_ground_are_refused() -> None:
    with pytest.raises(ValueError, match="each unit"):
        decide(np.array([1, 2]), [Division.of(np.zeros(3, dtype=np.int64))])
