"""Plans: made from drawn grids, from tables and empty; derived geometry and counts; who may see and change them."""

from __future__ import annotations

from datetime import date

import pytest
import shapely
import sqlalchemy as sa

from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent, Grid, ImportBatch, Plan, PlanMisfit, PlanOperation, PlanUnit, Unit
from gridmap.errors import Conflict, Forbidden, GeodataError, Invalid, NotFound
from gridmap.services import plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role

pytestmark = pytest.mark.usefixtures("demo_url")

COUNTY = "339901000000"
NORTH = Actor("north", (Grant(Role.PLANNER, "339901001"),))
ELSEWHERE = Actor("elsewhere", (Grant(Role.ADMINISTRATOR, "110101"),))


def _today() -> plans.PlanSummary:
    return next(plan for plan in plans.list_plans(SYSTEM) if plan.name == "现行网格")


def _batch() -> int:
    with transaction() as session:
        found = session.scalar(sa.select(ImportBatch.id).where(ImportBatch.sha256.endswith("-grids")).limit(1))
        assert found is not None
        return found


def test_grids_are_exactly_the_union_of_their_units() -> None:
    with transaction() as session:
        held = bulk.columns(
            session,
            sa.select(PlanUnit.grid_id, sa.func.ST_AsBinary(Unit.geom).label("geom"))
            .join(Unit, Unit.id == PlanUnit.unit_id)
            .where(PlanUnit.grid_id.is_not(None)),
        )
        grids = bulk.columns(session, sa.select(Grid.id, Grid.area_m2, sa.func.ST_AsBinary(Grid.geom).label("geom")))
    shapes = bulk.shapes(held["geom"])
    for grid_id, wkb in zip(grids["id"], grids["geom"], strict=True):
        mine = shapes[held["grid_id"] == grid_id]
        if wkb is None:
            assert not len(mine)
            continue
        union = shapely.union_all(mine)
        assert shapely.equals(shapely.from_wkb(wkb), union)


def test_households_of_grids_and_unassigned_are_all_households() -> None:
    with transaction() as session:
        total = session.scalar(sa.select(sa.func.sum(Unit.households)).where(Unit.retired_at.is_(None)))
    for plan in plans.list_plans(SYSTEM):
        assert plan.households + plan.unassigned_households == total


def test_every_place_that_does_not_fit_is_on_record() -> None:
    found = plans.misfits(SYSTEM, _today().id, limit=1000)
    kinds = {row["kind"]: row["count"] for row in found["kinds"]}
    assert sum(kinds.values()) == found["total"] == len(found["rows"])
    assert {"overlap", "building_cut", "unit_cut"} <= set(kinds)
    assert all(row["geojson"] for row in found["rows"])
    only = plans.misfits(SYSTEM, _today().id, kind="unit_cut")
    assert only["total"] == kinds["unit_cut"] and all(row["unit_id"] for row in only["rows"])


def test_the_standard_is_kept_as_it_was() -> None:
    with transaction() as session:
        plan = session.get(Plan, _today().id)
        assert plan is not None and plan.profile["urban"]["households_max"] == 500


def test_a_plan_from_the_same_drawing_is_the_same_plan() -> None:
    again = plans.plan_from_source(SYSTEM, _batch(), "再来一次")
    with transaction() as session:

        def assignment(plan_id: int) -> list[tuple[int, str | None]]:
            chosen = sa.select(PlanUnit.unit_id, Grid.code).outerjoin(Grid, Grid.id == PlanUnit.grid_id)
            rows = session.execute(chosen.where(PlanUnit.plan_id == plan_id).order_by(PlanUnit.unit_id))
            return [(unit, code) for unit, code in rows]

        assert assignment(again) == assignment(_today().id)
        assert session.scalars(sa.select(PlanOperation.kind).where(PlanOperation.plan_id == again)).all() == ["create"]


def test_what_cannot_be_laid_is_refused_by_name() -> None:
    for arguments, code in (
        ({"department": "无此部门"}, "SOURCE_NO_GRIDS"),
        ({"region_code": "999999000000"}, "REGION_NOT_FOUND"),
        ({"profile": "无此标准"}, "STANDARD_NOT_FOUND"),
    ):
        with pytest.raises((Invalid, NotFound, GeodataError)) as caught:
            plans.plan_from_source(SYSTEM, _batch(), "x", **arguments)
        assert caught.value.code == code
    with pytest.raises(NotFound):
        plans.plan_from_source(SYSTEM, 10**9, "x")
    with pytest.raises(Invalid):
        plans.plan_from_source(SYSTEM, _batch(), "  ")


def test_an_empty_plan_holds_all_units_and_no_grid() -> None:
    plan = plans.get(SYSTEM, plans.create_empty(NORTH, "新方案", "339901001000"))
    assert (plan.grids, plan.households, plan.state) == (0, 0, "draft")
    assert plan.unassigned_units > 0 and plan.unassigned_households > 0
    assert not plan.current_check


def test_the_shown_plan_is_the_one_in_force() -> None:
    plans.create_empty(SYSTEM, "更新的草案", COUNTY)
    with transaction() as session:
        assert plans.shown(session, SYSTEM) == _today().id
        assert plans.shown(session, NORTH, "339901001000") == _today().id
        assert plans.shown(session, ELSEWHERE) is None


def test_a_subdistrict_sees_its_part_of_the_countys_plan() -> None:
    whole, part = plans.grids(SYSTEM, _today().id, limit=1000), plans.grids(NORTH, _today().id, limit=1000)
    assert 0 < part.total < whole.total
    assert {row.region_code[:9] for row in part.rows if row.region_code} == {"339901001"}
    assert plans.get(NORTH, _today().id).households < plans.get(SYSTEM, _today().id).households
    assert len(plans.outlines(NORTH, _today().id)["id"]) <= part.total
    outside = next(row for row in whole.rows if row.region_code and not row.region_code.startswith("339901001"))
    with pytest.raises(NotFound):
        plans.grid(NORTH, _today().id, outside.id)
    places = plans.misfits(NORTH, _today().id, limit=1000)
    assert 0 < places["total"] < plans.misfits(SYSTEM, _today().id)["total"]


def test_other_counties_do_not_learn_that_it_exists() -> None:
    plan_id = _today().id
    assert plans.list_plans(ELSEWHERE) == ()
    for call in (plans.get, plans.grids, plans.misfits, plans.outlines, plans.archive, plans.delete):
        with pytest.raises(NotFound):
            call(ELSEWHERE, plan_id)
    with pytest.raises(NotFound):
        plans.rename(ELSEWHERE, plan_id, "x")


def test_changing_takes_a_planner_of_the_whole_region() -> None:
    plan_id = plans.create_empty(SYSTEM, "全县草案", COUNTY)
    viewer = Actor("viewer", (Grant(Role.VIEWER, "339901"),))
    for actor in (NORTH, viewer):
        with pytest.raises((Forbidden, NotFound)):
            plans.rename(actor, plan_id, "x")
        with pytest.raises((Forbidden, NotFound)):
            plans.delete(actor, plan_id)
    with pytest.raises(Forbidden):
        plans.create_empty(viewer, "x", "339901001000")
    mine = plans.create_empty(NORTH, "城北", "339901001000")
    plans.rename(NORTH, mine, " 城北街道 ")
    assert plans.get(NORTH, mine).name == "城北街道"
    with pytest.raises(Forbidden):
        plans.put_in_force(NORTH, mine, date(2026, 1, 1))


def test_changes_are_audited_and_versioned() -> None:
    plan_id = plans.create_empty(SYSTEM, "甲", COUNTY)
    plans.rename(SYSTEM, plan_id, "乙")
    plans.archive(SYSTEM, plan_id)
    assert plans.get(SYSTEM, plan_id).version == 3
    assert plan_id not in [plan.id for plan in plans.list_plans(SYSTEM)]
    assert plan_id in [plan.id for plan in plans.list_plans(SYSTEM, archived=True)]
    with transaction() as session:
        actions = session.scalars(
            sa.select(AuditEvent.action)
            .where(AuditEvent.subject_type == "plan", AuditEvent.subject_id == str(plan_id))
            .order_by(AuditEvent.id)
        ).all()
        assert actions == ["plan.create_empty", "plan.rename", "plan.archive"]
        assert session.scalars(
            sa.select(PlanOperation.version).where(PlanOperation.plan_id == plan_id).order_by(PlanOperation.version)
        ).all() == [1, 2, 3]
    with pytest.raises(Conflict):
        plans.archive(SYSTEM, plan_id)


def test_drafts_are_deleted_whole_and_plans_in_force_are_not() -> None:
    with pytest.raises(Conflict):
        plans.delete(SYSTEM, _today().id)
    draft = next(plan for plan in plans.list_plans(SYSTEM) if plan.department == "公安")
    plans.delete(SYSTEM, draft.id)
    with transaction() as session:
        for table in (Grid, PlanUnit, PlanMisfit, PlanOperation):
            assert not session.scalar(sa.select(sa.exists().where(table.plan_id == draft.id)))


def test_grids_are_filtered_and_paged() -> None:
    plan_id = _today().id
    everything = plans.grids(SYSTEM, plan_id, limit=1000)
    assert everything.total == len(everything.rows)
    over = plans.grids(SYSTEM, plan_id, statuses=["over"], order="households")
    assert over.total and all(row.status == "over" for row in over.rows)
    assert [row.households for row in over.rows] == sorted((row.households for row in over.rows), reverse=True)
    assert all(row.households_max is not None and row.households > row.households_max for row in over.rows)
    second = plans.grids(SYSTEM, plan_id, limit=5, offset=5)
    assert [row.id for row in second.rows] == [row.id for row in everything.rows[5:10]]
    ruled = plans.grids(SYSTEM, plan_id, rule="R01", limit=1000)
    assert all("R01" in row.rules for row in ruled.rows)
    named = plans.grids(SYSTEM, plan_id, text="%")
    assert named.total == 0, "a wildcard is a character like any other"
    home = plans.grids(SYSTEM, plan_id, region="339901001000", limit=1000)
    assert 0 < home.total < everything.total
