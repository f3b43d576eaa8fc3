"""Counts after a change: only what it touches is counted again, and all sums stay right."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from geodata import rules, standards
from gridmap.db.engine import transaction
from gridmap.db.models import Building, Case, Grid, Plan, PlanUnit, Region, Unit
from gridmap.services import counts, plans
from gridmap.services.actor import SYSTEM
from gridmap.services.checks.view import load
from gridmap.services.plans.derive import derive

pytestmark = pytest.mark.usefixtures("demo_url")


def test_a_changed_building_changes_its_unit_its_grids_and_nothing_else() -> None:
    with transaction() as session:
        building = session.scalars(sa.select(Building).where(Building.households > 5).limit(1)).one()
        unit_id = building.unit_id
        grids = dict(session.execute(sa.select(Grid.id, Grid.households)).all())
        versions = dict(session.execute(sa.select(Plan.id, Plan.version)).all())
        building.households = (building.households or 0) + 1000
        session.flush()
        touched = counts.recount(session, [unit_id] if unit_id else None)
        mine = set(session.scalars(sa.select(PlanUnit.grid_id).where(PlanUnit.unit_id == unit_id)))
        assert touched == len(mine - {None})
        session.expire_all()
        for grid_id, households in session.execute(sa.select(Grid.id, Grid.households)):
            assert households == grids[grid_id] + (1000 if grid_id in mine else 0)
        over = session.scalars(sa.select(Grid.status).where(Grid.id.in_(mine), Grid.kind == "basic")).all()
        assert set(over) <= {"over", "unchecked"}
        raised = {p for p, v in session.execute(sa.select(Plan.id, Plan.version)) if v == versions[p] + 1}
        assert raised == set(session.scalars(sa.select(Grid.plan_id).where(Grid.id.in_(mine))))
    stale = [plan for plan in plans.list_plans(SYSTEM) if not plan.current_check]
    assert {plan.id for plan in stale} == raised


def test_nothing_changed_means_nothing_written() -> None:
    with transaction() as session:
        assert counts.recount(session) == 0


def test_a_full_recount_mends_whatever_was_wrong() -> None:
    with transaction() as session:
        before = session.execute(sa.select(Unit.id, Unit.households, Unit.population).order_by(Unit.id)).all()
        session.execute(sa.update(Unit).values(households=0, population=7))
        assert counts.recount(session) > 0
        after = session.execute(sa.select(Unit.id, Unit.households, Unit.population).order_by(Unit.id)).all()
        assert before == after


def test_status_in_sql_is_the_status_of_the_rules() -> None:
    with transaction() as session:
        for plan, region in session.execute(sa.select(Plan, Region).join(Region, Region.id == Plan.region_id)):
            loaded = load(session, plan, region)
            wanted = rules.status(loaded.view, standards.from_dict(plan.profile))
            stored = dict(session.execute(sa.select(Grid.id, Grid.status).where(Grid.plan_id == plan.id)).all())
            assert [stored[grid] for grid in loaded.grid_ids.tolist()] == wanted.tolist()


def test_a_micro_grids_parent_counts_its_units_too() -> None:
    with transaction() as session:
        grid = session.scalars(sa.select(Grid).where(Grid.units > 2).limit(1)).one()
        unit_id = session.scalars(sa.select(PlanUnit.unit_id).where(PlanUnit.grid_id == grid.id).limit(1)).one()
        small = Grid(plan_id=grid.plan_id, code=f"{grid.code}01", kind="micro", parent_id=grid.id)
        session.add(small)
        session.flush()
        before = (grid.households, grid.units)
        session.execute(
            sa.update(PlanUnit)
            .where(PlanUnit.plan_id == grid.plan_id, PlanUnit.unit_id == unit_id)
            .values(grid_id=small.id)
        )
        derive(session, {grid.id, small.id})
        counts.sum_grids(session, [grid.id, small.id])
        session.expire_all()
        assert (grid.households, grid.units) == before
        unit = session.get(Unit, unit_id)
        assert unit is not None and (small.households, small.units) == (unit.households, 1)


def test_new_buildings_and_cases_find_their_unit() -> None:
    with transaction() as session:
        building = session.scalars(sa.select(Building).where(Building.households > 0).limit(1)).one()
        home, households = building.unit_id, session.get(Unit, building.unit_id).households  # type: ignore[union-attr]
        session.add(Building(households=11, geom=building.point, point=building.point))
        case_homes = dict(session.execute(sa.select(Case.id, Case.unit_id)).all())
        session.execute(sa.update(Case).values(unit_id=None, region_id=None))
        session.flush()
        assert counts.place_buildings(session) == 1
        assert counts.place_cases(session) == len(case_homes)
        session.expire_all()
        unit = session.get(Unit, home)
        assert unit is not None and unit.households == households + 11
        assert dict(session.execute(sa.select(Case.id, Case.unit_id)).all()) == case_homes
