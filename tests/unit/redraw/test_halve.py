"""One grid into two: exactly the best of all ways on small grids, whole and sound on large ones, or by a drawn line."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from geodata.errors import GeodataError
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Instance, Ints
from geodata.redraw.parting import beside_line, part_in_two
from tests.unit.redraw.towns import graph, town


def halves(instance: Instance, plan: Ints, grid: int) -> tuple[Ints, tuple[int, float, float]]:
    """The best connected bipartition by brute force, and its score."""
    members = np.flatnonzero(plan == grid)
    task = instance.with_weights(moved=0.0)
    best: tuple[tuple[int, float, float], Ints] | None = None
    for size in range(1, len(members)):
        for chosen in combinations(members[1:].tolist(), size):
            parted = plan.copy()
            parted[list(chosen)] = int(plan.max()) + 1
            made = measure(task, parted)
            if made.grids.pieces.max() == 1 and (best is None or made.score.key() < best[0]):
                best = made.score.key(), parted
    assert best is not None
    return best[1], best[0]


@pytest.mark.parametrize("seed", range(12))
def test_the_best_of_all_ways_on_a_small_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 12))
    per_grid = float(rng.uniform(n / 4, n))  # too few, enough and too many households for two
    instance = town(seed, n, units_per_grid=per_grid, barriers=True, compounds=True, population=True, empty=0.2)
    plan = np.zeros(n, dtype=np.int64)
    made = part_in_two(instance, plan, 0)
    parted = plan.copy()
    parted[made.leaves] = 1
    found = measure(instance.with_weights(moved=0.0), parted)
    assert made.exact and found.grids.pieces.tolist() == [1, 1]
    assert found.score.key() == pytest.approx(halves(instance, plan, 0)[1])
    households = instance.units.households
    assert sorted([*made.stays, *made.leaves]) == list(range(n))
    assert households[made.stays].sum() >= households[made.leaves].sum()


@pytest.mark.parametrize("n", [60, 150, 400])
def test_a_large_grid_is_parted_into_two_whole_ones_that_fit(n: int) -> None:
    instance = town(n, n, units_per_grid=n / 2, uncrossable=0.1, compounds=True)
    plan = np.zeros(n, dtype=np.int64)
    if measure(instance, plan).grids.pieces[0] > 1:
        pytest.skip("the town itself is in pieces")
    made = part_in_two(instance, plan, 0)
    plan[made.leaves] = 1
    grids = measure(instance, plan).grids
    assert grids.pieces.tolist() == [1, 1] and grids.status.tolist() == [0, 0]


def test_other_grids_play_no_part() -> None:
    instance = town(3, 30, units_per_grid=10, start=True)
    plan = instance.start
    grid = int(np.bincount(plan).argmax())
    made = part_in_two(instance, plan, grid)
    assert set(made.stays) | set(made.leaves) == set(np.flatnonzero(plan == grid).tolist())
    assert made.exact


def test_a_grid_in_two_pieces_is_parted_into_these() -> None:
    instance = graph([200, 150, 100, 90], [(0, 1), (2, 3)], Band(300, 500))
    made = part_in_two(instance, np.zeros(4, dtype=np.int64), 0)
    assert (made.stays.tolist(), made.leaves.tolist(), made.exact) == ([0, 1], [2, 3], True)


@pytest.mark.parametrize(
    ("pairs", "units", "code"),
    [([(0, 1), (2, 3)], [0, 2, 3, 4], "REDRAW_HALVE_PIECES"), ([(0, 1)], [0], "REDRAW_HALVE_ONE")],
)
def test_what_cannot_be_parted(pairs: list[tuple[int, int]], units: list[int], code: str) -> None:
    instance = graph([100] * 5, pairs, Band(300, 500))
    plan = np.ones(5, dtype=np.int64)
    plan[units] = 0
    with pytest.raises(GeodataError) as caught:
        part_in_two(instance, plan, 0)
    assert caught.value.code == code and caught.value.sentence("zh")
    with pytest.raises(KeyError):
        part_in_two(instance, plan, 7)


def test_by_a_line() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    west = beside_line(points, np.array([[0.5, 0.4], [0.5, 0.6]]))  # goes on straight at both ends
    assert west[0] == west[2] != west[1] == west[3]
    corner = beside_line(points, np.array([[0.5, -1.0], [0.5, 0.5], [-1.0, 0.5]]))
    assert corner[1] == corner[2] == corner[3] != corner[0]
    bay = beside_line(points, np.array([[-0.5, 2.0], [-0.5, 0.5], [0.5, 0.5], [0.5, 2.0]]))  # both ends go north
    assert bay[0] == bay[1] == bay[3] != bay[2]
    assert not beside_line(points, np.array([[0.5, 0.5], [0.5, 0.5]])).any()


@pytest.mark.parametrize("seed", range(20))
def test_a_straight_line_has_the_sides_of_geometry(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, line = rng.uniform(116, 117, (50, 2)), rng.uniform(116, 117, (2, 2))
    way = line[1] - line[0]
    left = (points - line[0]) @ [-way[1], way[0]] > 0
    found = beside_line(points, line)
    assert (found == left).all() or (found == ~left).all()
