"""Whatever is assigned to whatever: no household is lost or counted twice, and grids are the union of their units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Plan, PlanUnit
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from gridmap.services.plans.make import finish, living_units, new_plan, store

COUNTY = "339901000000"


@pytest.fixture(autouse=True)
def _database(demo_url: str) -> Iterator[None]:
    yield


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), count=st.integers(0, 12))
def test_households_are_conserved_and_grids_follow_their_units(data: st.DataObject, count: int) -> None:
    with transaction() as session:
        units = living_units(session, COUNTY)
        seed = data.draw(st.integers(0, 2**32 - 1))
        grid_of = np.random.default_rng(seed).integers(-1, count, len(units["id"])) if count else None
        grid_of = np.full(len(units["id"]), -1) if grid_of is None else grid_of
        kinds = data.draw(st.lists(st.sampled_from(["basic", "special", "micro"]), min_size=count, max_size=count))
        grids = [
            plans.GridRow(f"G{k}", kind=kind, parent_code="G0" if kind == "micro" and kinds[0] == "basic" else None)
            for k, kind in enumerate(kinds)
        ]
        plan = new_plan(session, SYSTEM, "随机", COUNTY, "national")
        store(session, plan, units, grids, grid_of)
        plan_id = finish(session, SYSTEM, plan, COUNTY, "test")
    found = plans.get(SYSTEM, plan_id)
    assert found.households + found.unassigned_households == units["households"].sum()
    with transaction() as session:
        stored = {grid.code: grid for grid in session.scalars(sa.select(Grid).where(Grid.plan_id == plan_id))}
        for k, row in enumerate(grids):
            below = [j for j, other in enumerate(grids) if other.parent_code == row.code and j != k]
            mine = np.isin(grid_of, [k, *below])
            grid = stored[row.code]
            assert (grid.units, grid.households) == (mine.sum(), units["households"][mine].sum())
            wkb = session.scalar(sa.select(sa.func.ST_AsBinary(Grid.geom)).where(Grid.id == grid.id))
            assert (wkb is None) == (not mine.any())
            if wkb is not None:
                assert shapely.equals(shapely.from_wkb(wkb), shapely.union_all(units["geom"][mine]))
        session.execute(sa.delete(Plan).where(Plan.id == plan_id))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 1.0))
def test_a_recount_of_what_changed_equals_a_recount_of_everything(seed: int, share: float) -> None:
    from gridmap.db.models import Building
    from gridmap.services import counts

    rng = np.random.default_rng(seed)
    with transaction() as session:
        rows = bulk.columns(session, sa.select(Building.id, Building.unit_id).order_by(Building.id))
        chosen = rng.random(len(rows["id"])) < share * 0.05
        fresh = rng.integers(0, 300, chosen.sum())
        changes = [{"id": int(i), "households": int(h)} for i, h in zip(rows["id"][chosen], fresh, strict=True)]
        if changes:
            session.execute(sa.update(Building), changes)
        counts.recount(session, np.unique(rows["unit_id"][chosen].astype(np.int64)).tolist() or [-1])
        by_part = _figures(session)
        counts.recount(session)
        for (plan_id,) in session.execute(sa.select(Plan.id)).all():
            counts.sum_plan(session, plan_id)
        assert by_part == _figures(session)


def _figures(session: sa.orm.Session) -> list[tuple[object, ...]]:
    session.expire_all()
    columns = (
        Grid.id,
        Grid.households,
        Grid.population,
        Grid.buildings,
        Grid.units,
        Grid.missing_households,
        Grid.status,
    )
    return [tuple(row) for row in session.execute(sa.select(*columns).order_by(Grid.id))]


def test_the_columns_a_plan_unit_points_at_stay_in_its_plan() -> None:
    with transaction() as session:
        strangers = session.scalar(
            sa.select(sa.func.count())
            .select_from(PlanUnit)
            .join(Grid, Grid.id == PlanUnit.grid_id)
            .where(Grid.plan_id != PlanUnit.plan_id)
        )
        assert strangers == 0
