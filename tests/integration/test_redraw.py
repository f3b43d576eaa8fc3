"""Redraws: a proposal beside the plan, exact like any plan; what stays, who may, how one is stopped, what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent, Grid, Job, Plan, PlanUnit, Region, Unit
from gridmap.errors import CodedError, Conflict, Forbidden, Invalid, NotFound
from gridmap.services import counts, jobs, plans, redraw
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.plans.derive import derive
from gridmap.services.redraw.ground import read

pytestmark = pytest.mark.usefixtures("demo_url")

COUNTY, TOWN = "339901000000", "339901001000"
BASE = 1  # the plan in force
NORTH = Actor("north", (Grant(Role.PLANNER, "339901001"),))
LOOKER = Actor("looker", (Grant(Role.VIEWER),))
ELSEWHERE = Actor("elsewhere", (Grant(Role.ADMINISTRATOR, "110101"),))
SHORT = redraw.Wish(TOWN, seconds=1.0)


@pytest.fixture
def made() -> dict[str, Any]:
    """A proposal for a subdistrict of the plan in force."""
    return redraw.propose(SYSTEM, BASE, SHORT)


def assignment(plan_id: int) -> dict[int, tuple[str, str | None]]:
    """Community and grid code of each unit of a plan."""
    chosen = (
        sa.select(PlanUnit.unit_id, Region.code, Grid.code)
        .join(Unit, Unit.id == PlanUnit.unit_id)
        .join(Region, Region.id == Unit.region_id)
        .outerjoin(Grid, Grid.id == PlanUnit.grid_id)
        .where(PlanUnit.plan_id == plan_id)
    )
    with transaction() as session:
        return {unit: (region, grid) for unit, region, grid in session.execute(chosen)}


def grids_of(plan_id: int) -> dict[str, plans.read.GridInfo]:
    """The grids of a plan by code; of codes that stand twice, one."""
    return {grid.code: grid for grid in plans.grids(SYSTEM, plan_id, limit=5000).rows}


def test_the_plan_itself_is_not_touched() -> None:
    before, units = plans.get(SYSTEM, BASE), assignment(BASE)
    made = redraw.propose(SYSTEM, BASE, SHORT)
    after = plans.get(SYSTEM, BASE)
    assert (after.version, after.state, after.updated_at) == (before.version, before.state, before.updated_at)
    assert assignment(BASE) == units
    draft = plans.get(SYSTEM, made["plan_id"])
    assert (draft.state, draft.region_code) == ("draft", COUNTY)
    assert draft.name.startswith(f"{before.name} 机器方案 ") and draft.name.endswith("城北街道")


def test_outside_the_region_nothing_differs(made: dict[str, Any]) -> None:
    base, draft = assignment(BASE), assignment(made["plan_id"])
    assert draft.keys() == base.keys()
    outside = {unit for unit, (region, _) in base.items() if not region.startswith(TOWN[:9])}
    assert outside and all(draft[unit] == base[unit] for unit in outside)
    moved = [unit for unit in base.keys() - outside if draft[unit] != base[unit] and base[unit][1] is not None]
    assert made["units_moved"] == len(moved) > 0


def test_no_household_is_lost_and_grids_are_the_union_of_their_units(made: dict[str, Any]) -> None:
    base, draft = plans.get(SYSTEM, BASE), plans.get(SYSTEM, made["plan_id"])
    assert draft.households + draft.unassigned_households == base.households + base.unassigned_households
    with transaction() as session:
        chosen = sa.select(PlanUnit.grid_id, Unit.households, sa.func.ST_AsBinary(Unit.geom).label("geom"))
        held = bulk.columns(session, chosen.join(Unit, Unit.id == PlanUnit.unit_id).where(PlanUnit.plan_id == draft.id))
        grids = bulk.columns(
            session,
            sa.select(Grid.id, Grid.households, sa.func.ST_AsBinary(Grid.geom).label("geom")).where(
                Grid.plan_id == draft.id
            ),
        )
    shapes = bulk.shapes(held["geom"])
    for grid_id, households, wkb in zip(grids["id"], grids["households"], grids["geom"], strict=True):
        mine = held["grid_id"] == grid_id
        assert held["households"][mine].sum() == households
        if wkb is not None:
            assert shapely.equals(shapely.from_wkb(wkb), shapely.union_all(shapes[mine]))


def test_what_the_summary_says_is_what_stands_in_the_plan(made: dict[str, Any]) -> None:
    rows = plans.grids(SYSTEM, made["plan_id"], region=TOWN, limit=5000).rows
    basic = [grid for grid in rows if grid.kind == "basic"]
    assert made["after"]["grids"] == len(basic)
    crowded = sum(grid.status == "within" and grid.population > 2000 for grid in basic)
    assert made["after"]["in_band"] == sum(grid.status == "within" for grid in basic) - crowded
    assert made["after"]["in_band"] > made["before"]["in_band"]
    assert made["after"]["pieces"] == 0 and made["after"]["unassigned"] == 0


def test_grids_that_stay_keep_their_codes_and_new_codes_are_fresh(made: dict[str, Any]) -> None:
    old, new = grids_of(BASE), grids_of(made["plan_id"])
    view = redraw.proposal(SYSTEM, made["plan_id"])
    assert view is not None
    assert set(view.detail["new"]) == new.keys() - old.keys()
    assert set(view.detail["gone"]) <= old.keys()
    for code in view.detail["new"]:
        grid = new[code]
        assert grid.region_code is not None and code.startswith(grid.region_code) and len(code) == 15
        assert grid.name and grid.name.startswith(str(grid.region_name))


def test_special_purpose_and_locked_grids_stay() -> None:
    before = grids_of(BASE)
    held = next(grid for grid in before.values() if (grid.region_code or "").startswith(TOWN[:9]) and grid.units > 1)
    made = redraw.propose(SYSTEM, BASE, redraw.Wish(TOWN, 0.5, locks=(held.code,), weights={"compactness": 5.0}))
    after = grids_of(made["plan_id"])
    stays = [grid for grid in before.values() if grid.kind == "special" and grid.units] + [held]
    assert len(stays) > 1
    for grid in stays:
        twin = after[grid.code]
        assert (twin.units, twin.households, twin.area_m2) == (grid.units, grid.households, grid.area_m2)


def test_how_it_came_about_is_kept_with_the_plan(made: dict[str, Any]) -> None:
    view = redraw.proposal(SYSTEM, made["plan_id"])
    assert view is not None
    assert view.detail["base"] == BASE and view.detail["base_version"] == plans.get(SYSTEM, BASE).version
    assert {"seed", "moves", "weights", "bands", "program", "certificates", "wish"} <= view.detail.keys()
    assert len(view.violations) == made["avoidable"] + made["unavoidable"]
    for one in view.violations:
        assert one["reason_zh"] and one["reason_en"] and "{" not in one["reason_zh"] + one["reason_en"]
        assert one["avoidable"] == (one["proof"] is None)
    assert [one.plan_id for one in redraw.proposals(SYSTEM, BASE)] == [made["plan_id"]]
    plans.archive(SYSTEM, made["plan_id"])
    assert redraw.proposals(SYSTEM, BASE) == ()
    with transaction() as session:
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "plan.redraw")).one()
        assert event.subject_id == str(made["plan_id"]) and event.detail["base"] == BASE


def test_the_stored_proposal_and_its_proofs_pass_the_independent_verifier(made: dict[str, Any]) -> None:
    from geodata.redraw.result import Violation
    from geodata.redraw.verify import verify

    ground = read(SYSTEM, BASE, SHORT)
    view = redraw.proposal(SYSTEM, made["plan_id"])
    assert view is not None
    with transaction() as session:  # with its name: a code may stand twice in the demo town
        chosen = sa.select(PlanUnit.unit_id, Grid.code, Grid.name).join(Grid, Grid.id == PlanUnit.grid_id)
        rows = session.execute(chosen.where(Grid.plan_id == made["plan_id"]))
        held = {unit: (code, name) for unit, code, name in rows}
    number: dict[tuple[str, str | None], int] = {}
    for code, name in zip(ground.grid_codes, ground.grid_names, strict=True):
        number.setdefault((code, name), len(number))
    plan = np.array([number.setdefault(held[int(unit)], len(number)) for unit in ground.unit_ids])
    found = [
        Violation(
            number[one["grid"], one["name"]],
            one["kind"],
            one["avoidable"],
            one["households"],
            one["population"],
            one["proof"],
        )
        for one in view.violations
    ]
    assert verify(ground.instance, plan, found) == []


def test_a_planner_of_a_part_gets_a_proposal_of_that_part() -> None:
    made = redraw.propose(NORTH, BASE, SHORT)
    draft = plans.get(NORTH, made["plan_id"])
    assert draft.region_code == TOWN
    assert all(region.startswith(TOWN[:9]) for region, _ in assignment(draft.id).values())
    assert redraw.proposals(NORTH, BASE)[0].may_discard
    plans.archive(NORTH, draft.id)


@pytest.mark.parametrize(
    ("actor", "wish", "error", "code"),
    [
        (NORTH, redraw.Wish(), NotFound, "NOT_FOUND"),
        (LOOKER, SHORT, Forbidden, "FORBIDDEN"),
        (ELSEWHERE, SHORT, NotFound, "PLAN_NOT_FOUND"),
        (SYSTEM, redraw.Wish("110101000000"), NotFound, "REGION_NOT_FOUND"),
        (SYSTEM, redraw.Wish(TOWN, locks=("339901001001999",)), Invalid, "PLAN_REDRAW_LOCK_UNKNOWN"),
    ],
)
def test_what_is_refused(actor: Actor, wish: redraw.Wish, error: type[CodedError], code: str) -> None:
    for ask in (redraw.propose, redraw.ask_redraw):
        with pytest.raises(error) as caught:
            ask(actor, BASE, wish)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"seconds": 0}, "PLAN_REDRAW_SECONDS"),
        ({"seconds": float("nan")}, "PLAN_REDRAW_SECONDS"),
        ({"seed": -1}, "PLAN_REDRAW_SEED"),
        ({"weights": {"beauty": 1.0}}, "PLAN_REDRAW_WEIGHT_UNKNOWN"),
        ({"weights": {"moved": -1.0}}, "PLAN_REDRAW_WEIGHT"),
    ],
)
def test_a_wish_that_makes_no_sense(wrong: Mapping[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        redraw.Wish(TOWN, **wrong)
    assert caught.value.code == code


def test_an_archived_plan_is_not_redrawn() -> None:
    plans.archive(SYSTEM, 2)
    with pytest.raises(Conflict):
        redraw.propose(SYSTEM, 2, SHORT)


def test_a_community_without_a_class_is_left_out_and_named() -> None:
    code = "339901001001"
    with transaction() as session:
        session.execute(sa.update(Region).where(Region.code == code).values(settlement=None))
    made = redraw.propose(SYSTEM, BASE, redraw.Wish(TOWN, 0.5))
    view = redraw.proposal(SYSTEM, made["plan_id"])
    assert view is not None and len(view.detail["left_out"]) == 1
    base, draft = assignment(BASE), assignment(made["plan_id"])
    assert all(draft[unit] == held for unit, held in base.items() if held[0] == code)
    with pytest.raises(Invalid) as caught:
        redraw.propose(SYSTEM, BASE, redraw.Wish(code))
    assert caught.value.code == "PLAN_REDRAW_NO_BOUND"


def test_a_grid_with_ground_outside_and_one_divided_into_micro_grids_stay() -> None:
    there = [
        grid for grid in grids_of(BASE).values() if (grid.region_code or "").startswith(TOWN[:9]) and grid.units > 1
    ]
    across, divided = there[0], next(grid for grid in there if grid.region_code != there[0].region_code)
    with transaction() as session:
        outside = sa.select(Unit.id).join(Region, Region.id == Unit.region_id)
        unit = session.scalar(outside.where(Region.code.like("339901002%")).limit(1))
        mine = sa.and_(PlanUnit.plan_id == BASE, PlanUnit.unit_id == unit)
        session.execute(sa.update(PlanUnit).where(mine).values(grid_id=across.id))
        parent = session.get_one(Grid, divided.id)
        micro = Grid(
            plan_id=BASE, region_id=parent.region_id, parent_id=parent.id, code=f"{parent.code}01", kind="micro"
        )
        session.add(micro)
        session.flush()
        session.execute(sa.update(PlanUnit).where(PlanUnit.grid_id == parent.id).values(grid_id=micro.id))
        derive(session, session.scalars(sa.select(Grid.id).where(Grid.plan_id == BASE)).all())
        counts.sum_plan(session, BASE)
    before = assignment(BASE)
    made = redraw.propose(SYSTEM, BASE, redraw.Wish(TOWN, 0.5))
    view = redraw.proposal(SYSTEM, made["plan_id"])
    assert view is not None and view.detail["kept"] == {"outside": 1, "divided": 1}
    after = assignment(made["plan_id"])
    for code in (across.code, f"{divided.code}01"):
        assert {u for u, held in after.items() if held[1] == code} == {
            u for u, held in before.items() if held[1] == code
        }
    twin = grids_of(made["plan_id"])[divided.code]
    assert grids_of(made["plan_id"])[f"{divided.code}01"].parent_id == twin.id


def test_a_standard_of_micro_grids_makes_micro_grids() -> None:
    plan_id = plans.create_empty(SYSTEM, "微网格", "339901001001", profile="micro-grid")
    made = redraw.propose(SYSTEM, plan_id, redraw.Wish(seconds=0.5))
    assert made["new"] > 3
    rows = plans.grids(SYSTEM, made["plan_id"], limit=5000).rows
    assert {grid.kind for grid in rows} == {"micro"}
    assert sum(grid.status == "within" for grid in rows) == made["after"]["in_band"]


def test_a_plan_that_changed_meanwhile_is_said() -> None:
    def meddle(share: float, doing: str, live: Mapping[str, Any] | None) -> None:
        if doing.startswith("写入"):
            plans.rename(SYSTEM, BASE, "改了名")

    made = redraw.propose(SYSTEM, BASE, SHORT, say=meddle)
    assert made["base_changed"]


def test_a_grid_deleted_meanwhile_comes_back_as_it_was() -> None:
    victim = next(
        grid for grid in grids_of(BASE).values() if (grid.region_code or "").startswith(TOWN[:9]) and grid.units > 3
    )

    def meddle(share: float, doing: str, live: Mapping[str, Any] | None) -> None:
        if doing.startswith("写入"):
            with transaction() as session:
                session.execute(sa.delete(Grid).where(Grid.id == victim.id))
                session.execute(sa.update(Plan).where(Plan.id == BASE).values(version=Plan.version + 1))

    made = redraw.propose(SYSTEM, BASE, SHORT, say=meddle)
    codes = {grid for _, grid in assignment(made["plan_id"]).values()}
    assert made["base_changed"] and made["after"]["unassigned"] == 0
    assert None not in {grid for region, grid in assignment(made["plan_id"]).values() if region.startswith(TOWN[:9])}
    view = redraw.proposal(SYSTEM, made["plan_id"])
    assert view is not None and (victim.code in codes or victim.code not in grids_of(made["plan_id"]))


def test_a_job_makes_one_proposal_even_if_its_worker_is_killed_at_the_end() -> None:
    job_id = redraw.ask_redraw(SYSTEM, BASE, SHORT)
    assert redraw.ask_redraw(SYSTEM, BASE, SHORT) == job_id, "who asks twice is led to the one under way"
    redraw.run_redraw(job_id)
    job = jobs.get(SYSTEM, job_id)
    assert (job.state, job.progress) == ("done", 1.0)
    jobs.note(job_id, state="running", result={}, finished_at=None)  # as after a kill between writing and telling
    redraw.run_redraw(job_id)
    again = jobs.get(SYSTEM, job_id)
    assert again.state == "done" and again.result == job.result
    assert len(redraw.proposals(SYSTEM, BASE)) == 1


def test_two_redraws_of_one_plan_are_two_proposals() -> None:
    first, second = (redraw.ask_redraw(SYSTEM, BASE, redraw.Wish(TOWN, 0.5, seed)) for seed in (1, 2))
    assert first != second
    for job_id in (first, second):
        redraw.run_redraw(job_id)
    assert len(redraw.proposals(SYSTEM, BASE)) == 2


def test_one_that_waits_is_cancelled_at_once() -> None:
    job_id = redraw.ask_redraw(SYSTEM, BASE, SHORT)
    redraw.stop(SYSTEM, job_id, "keep")
    assert jobs.get(SYSTEM, job_id).error_code == "JOB_CANCELLED"
    redraw.run_redraw(job_id)  # the queue still holds it
    assert redraw.proposals(SYSTEM, BASE) == ()
    assert redraw.ask_redraw(SYSTEM, BASE, SHORT) != job_id
    with pytest.raises(Conflict):
        redraw.stop(SYSTEM, job_id, "cancel")


@pytest.mark.parametrize(("how", "state", "count"), [("keep", "done", 1), ("cancel", "failed", 0)])
def test_one_that_runs_is_stopped(how: Any, state: str, count: int) -> None:
    job_id = redraw.ask_redraw(SYSTEM, BASE, redraw.Wish(TOWN, 60.0))
    jobs.note(job_id, state="running")
    with pytest.raises(Forbidden):
        redraw.stop(LOOKER, job_id, how)
    redraw.stop(SYSTEM, job_id, how)
    if how == "keep":
        redraw.run_redraw(job_id)
    else:
        with pytest.raises(Conflict):
            redraw.run_redraw(job_id)
    with transaction() as session:
        job = session.get_one(Job, job_id)
        assert job.state == state and job.finished_at is not None
    assert len(redraw.proposals(SYSTEM, BASE)) == count


def test_an_unassigned_unit_gets_a_grid() -> None:
    plan_id = plans.create_empty(SYSTEM, "空", TOWN)
    made = redraw.propose(SYSTEM, plan_id, redraw.Wish(seconds=1.0))
    assert made["before"]["unassigned"] > 0 and made["after"]["unassigned"] == 0
    assert made["households_moved"] == 0 and made["new"] == made["after"]["grids"]
    assert plans.get(SYSTEM, made["plan_id"]).unassigned_units == 0
