"""An attacker with every published number cannot work out a small one: the least and greatest of each are apart.

The attacker knows the rule, both trees, all that is shown (so all sums and differences of it: of time ranges, of
plans, of totals) and what the marks mean: "<5" is 1 to 4, a cell withheld at the edge is 5 or more. He has an exact
integer solver, over the finest cells there are: place by every attribute at once.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from geodata.privacy.calendar import Columns, columns, count
from geodata.privacy.cycles import bridges, on_cycle
from geodata.privacy.overlay import two_plans
from geodata.privacy.suppress import EXACT, SMALL, Published, frontier, suppress
from geodata.privacy.trees import Tree


class Attacker:
    """Ranges of cells of a publication, by integer programming over atoms."""

    def __init__(self, out: Published, places: Tree, cols: Columns) -> None:
        self.atoms = list(product(np.flatnonzero(places.is_leaf), *cols.facets))
        above_place = [self._ups(places, a[0]) for a in self.atoms]
        above_column = [set().union(*(self._ups(cols.tree, leaf) for leaf in a[1:])) for a in self.atoms]
        self.member = np.zeros((*out.state.shape, len(self.atoms)), dtype=bool)
        for n, (up, over) in enumerate(zip(above_place, above_column, strict=True)):
            self.member[np.ix_(sorted(up), sorted(over), [n])] = True
        hidden = out.state != EXACT
        edge = frontier(hidden, places, cols.tree)
        low = np.where(hidden, np.where(out.state == SMALL, 1, np.where(edge, out.least, 0)), out.counts)
        high = np.where(hidden, np.where(out.state == SMALL, out.least - 1, np.inf), out.counts)
        rows = csr_array(self.member.reshape(-1, len(self.atoms)).astype(float))
        self.known = LinearConstraint(rows, low.ravel(), high.ravel())

    @staticmethod
    def _ups(tree: Tree, node: int) -> set[int]:
        ups = set()
        while node >= 0:
            ups.add(int(node))
            node = int(tree.parent[node])
        return ups

    def bound(self, place: int, column: int, sign: int) -> int:
        """The least (sign 1) or greatest (-1) that a cell can be, at most 1,000."""
        what = sign * self.member[place, column].astype(float)
        cap = Bounds(0, 1_000)
        found = milp(what, constraints=self.known, integrality=np.ones(len(what)), bounds=cap)
        assert found.success, found.message
        return round(sign * found.fun)

    def pinned(self, out: Published, place: int, column: int) -> bool:
        true = int(out.counts[place, column])
        return self.bound(place, column, -1) == true == self.bound(place, column, 1)


def random_places(rng: np.random.Generator) -> Tree:
    """County, two or three communities, grids: as deep and as uneven as a small example can be."""
    parent = [-1]
    for _ in range(rng.integers(1, 4)):
        parent.append(0)
    for community in range(1, len(parent)):
        parent += [community] * int(rng.integers(1, 4))
    return Tree.of(parent)


def random_cases(
    rng: np.random.Generator, places: Tree, cols: Columns, most: float
) -> tuple[np.ndarray, list[np.ndarray]]:  # type: ignore[type-arg]
    atoms = list(product(np.flatnonzero(places.is_leaf), *(range(len(f)) for f in cols.facets)))
    weight = rng.gamma(0.5, 2.0, len(atoms)) * most
    cases = np.repeat(np.array(atoms), rng.poisson(weight), axis=0)
    return cases[:, 0], [cases[:, 1 + f] for f in range(len(cols.facets))]


CALENDAR = columns([0, 0, 1, 1])
KINDS_BESIDE = columns([0, 0, 1], [0, 1])


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 1.0, 3.0, 8.0]), st.sampled_from([CALENDAR, KINDS_BESIDE]))
def test_no_small_cell_is_pinned(seed: int, most: float, cols: Columns) -> None:
    rng = np.random.default_rng(seed)
    places = random_places(rng)
    table = count(places, cols, *random_cases(rng, places, cols, most))
    out = suppress(table, places, cols.tree)
    assert (out.state[(table > 0) & (table < 5)] != EXACT).all()
    attacker = Attacker(out, places, cols)
    for place, column in np.argwhere((table > 0) & (table < 5)).tolist():
        assert not attacker.pinned(out, place, column), (place, column)


@pytest.mark.parametrize("cols", [columns([0, 1, 2]), columns([0, 0, 1, 1])])
def test_without_complementary_cells_the_attacker_wins(cols: Columns) -> None:
    """The attacker is worth his name: with small cells alone withheld he finds some of them."""
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(6):
        places = random_places(rng)
        table = count(places, cols, *random_cases(rng, places, cols, 3.0))
        small = (table > 0) & (table < 5)
        naive = Published(table, small.astype(np.uint8))
        attacker = Attacker(naive, places, cols)
        found += sum(attacker.pinned(naive, p, c) for p, c in np.argwhere(small).tolist())
    assert found > 0


def test_differences_of_time_ranges_do_not_tell() -> None:
    """March has 2 cases: neither the quarter less two months nor the year less the rest gives them."""
    places = Tree.of([-1, 0, 0, 0])
    cols = columns([0, 0, 0, 1, 1, 1])
    by_month = np.array([[12, 11, 2, 9, 14, 8], [10, 9, 13, 12, 7, 11], [8, 15, 9, 10, 12, 13]])
    table = np.zeros((4, len(cols.tree)), dtype=np.int64)
    table[1:, cols.facets[0]] = by_month
    table = places.fill(cols.tree.fill(table.T).T)
    out = suppress(table, places, cols.tree)
    march = int(cols.facets[0][2])
    assert out.text([1], [march]) == "<5"
    assert out.text([0], [0]) == str(by_month.sum())  # the totals stay
    for months in product([0, 1], repeat=6):
        first = cols.tree.cover(cols.facets[0][np.flatnonzero(months)].tolist())
        rest = [n for n in first if n != march]
        if march in first and rest:
            assert out.sum([1], first) is None
    attacker = Attacker(out, places, cols)
    assert (attacker.bound(1, march, 1), attacker.bound(1, march, -1)) == (1, 4)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 4.0, 12.0]))
def test_two_plans_do_not_tell(seed: int, most: float) -> None:
    """Every grid of a second plan is published from the same table; its pieces are cells like any other."""
    rng = np.random.default_rng(seed)
    first = Tree.of([-1, 0, 0, 1, 1, 2, 2])
    units = rng.integers(3, 7, 12)
    moved = np.where(rng.random(12) < 0.3, rng.integers(3, 7, 12), units)
    both = two_plans(first, units, moved)
    cols = columns([0, 1])
    unit = np.repeat(np.arange(12), rng.poisson(rng.gamma(0.7, 2.0, 12) * most))
    kinds = [rng.integers(0, 2, len(unit))]
    table = count(both.places, cols, both.piece[unit], kinds)
    out = suppress(table, both.places, cols.tree)
    for name, nodes in both.second.items():
        shown = out.sum(nodes, [0])
        assert shown in (None, int((moved[unit] == name).sum()))
    attacker = Attacker(out, both.places, cols)
    for place, column in np.argwhere((table > 0) & (table < 5)).tolist():
        assert not attacker.pinned(out, place, column), (place, column)


def test_two_households_that_moved_stay_hidden() -> None:
    """42 and 30 households before, 40 and 32 after: the second plan's sums are withheld, the first plan's stand."""
    both = two_plans(Tree.of([-1, 0, 0, 0]), np.array([1, 1, 2, 3]), np.array([0, 1, 1, 2]))
    table = both.places.fill(np.array([[0], [0], [0], [0], [40], [2], [30], [25]]))
    out = suppress(table, both.places, Tree.of([-1]))
    assert [out.text([g], [0]) for g in (1, 2, 3)] == ["42", "30", "25"]
    assert [out.text(both.second[g], [0]) for g in (0, 1, 2)] == ["—", "—", "25"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_cycles_against_a_search(seed: int) -> None:
    """Edges that a walk can return along without the edge itself, by plain search."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 9)), int(rng.integers(1, 14))
    u = rng.integers(0, n // 2, m) if n > 3 else np.zeros(m, dtype=np.int64)
    v = rng.integers(max(n // 2, 1), n, m)
    forward, backward = rng.random(m) < 0.7, rng.random(m) < 0.7

    def reach(start: int, end: int, without: int, one_way: bool) -> bool:
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for e in range(m):
                for a, b, open_ in ((u[e], v[e], forward[e] or not one_way), (v[e], u[e], backward[e] or not one_way)):
                    if e != without and open_ and a == here and b not in seen:
                        seen.add(b)
                        todo.append(b)
        return end in seen

    want = [
        bool((forward[e] and reach(v[e], u[e], e, True)) or (backward[e] and reach(u[e], v[e], e, True)))
        for e in range(m)
    ]
    assert on_cycle(u, v, forward, backward).tolist() == want
    assert bridges(u, v, n).tolist() == [not reach(u[e], v[e], e, False) for e in range(m)]
