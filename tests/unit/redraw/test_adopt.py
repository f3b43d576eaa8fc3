"""Parts of a plan that can be adopted by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.redraw.adopt import clusters


def test_grids_that_exchange_units_belong_together() -> None:
    start = np.array([0, 0, 1, 1, 2, 2, 3, -1, -1])
    plan = np.array([0, 1, 1, 1, 4, 2, 3, 3, -1])
    found = clusters(start, plan)
    assert [(one.grids, one.units.tolist()) for one in found] == [((0, 1), [1]), ((2, 4), [4]), ((3,), [7])]
    assert clusters(start, start) == []


def test_a_grid_that_loses_all_its_ground_to_none_is_a_cluster_of_its_own() -> None:
    assert [one.grids for one in clusters(np.array([5, 5, 1]), np.array([-1, -1, 1]))] == [(5,)]


@pytest.mark.parametrize("seed", range(10))
def test_any_clusters_adopted_leave_the_other_grids_as_they_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = rng.integers(-1, 20, 100)
    plan = np.where(rng.random(100) < 0.1, rng.integers(0, 24, 100), start)
    found = clusters(start, plan)
    assert sorted(np.concatenate([one.units for one in found])) == np.flatnonzero(start != plan).tolist()
    assert len({grid for one in found for grid in one.grids}) == sum(len(one.grids) for one in found)
    adopted = [one for one in found if rng.random() < 0.5]
    made = start.copy()
    for one in adopted:
        made[one.units] = plan[one.units]
    taken = {grid for one in adopted for grid in one.grids}
    for grid in range(24):
        goal = plan if grid in taken else start
        assert ((made == grid) == (goal == grid)).all()
