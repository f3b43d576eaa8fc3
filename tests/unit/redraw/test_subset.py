"""A task cut down to some of its units is the same task for these."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.redraw.engine import redraw
from geodata.redraw.measure import tabulate
from geodata.redraw.sanity import check
from geodata.redraw.subset import subset
from tests.unit.redraw.towns import town


@pytest.mark.parametrize("seed", range(6))
def test_grids_measure_as_in_the_whole(seed: int) -> None:
    instance = town(seed, 60, start=True, groups=3, compounds=True, barriers=True, population=True, closed=2)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.unique(instance.start))[:4]
    members = np.flatnonzero(np.isin(instance.start, chosen))
    part, grids = subset(instance, members)
    check(part)
    assert grids.tolist() == sorted(chosen.tolist())
    assert (grids[part.start] == instance.start[members]).all()
    assert {int(grids[grid]) for grid in part.closed} == instance.closed & set(chosen.tolist())
    whole, own = tabulate(instance, instance.start), tabulate(part, part.start)
    rows = np.searchsorted(whole.grid, grids)
    for name in ("households", "population", "units", "pieces", "status", "excess", "area_m2", "perimeter_m"):
        np.testing.assert_allclose(getattr(own, name), getattr(whole, name)[rows])
    assert len(np.unique(part.units.group)) == int(part.units.group.max()) + 1


def test_it_can_be_redrawn() -> None:
    instance = town(2, 60, start=True, groups=2)
    part, _ = subset(instance, np.flatnonzero(instance.units.group == 1))
    made = redraw(part, moves=5_000)
    assert tabulate(part, made.plan).pieces.max() == 1
