"""The way of a plan: who may do what, what keeps it from going on, what publishing does to codes, days and units."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import Building, Grid, Plan, PlanOperation, PlanStep, PlanUnit, Unit
from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid
from gridmap.services import operations, plans, redraw, workflow
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.plans.access import in_force_on, shown
from tests.web import add_person

pytestmark = pytest.mark.usefixtures("demo_url")

COUNTY, TODAY = "339901000000", date.today()


def person(login: str, role: str, region: str | None = None) -> Actor:
    """Somebody with an account and one role."""
    from gridmap.db.models import User
    from gridmap.services.accounts import load_actor

    add_person(login, role, region)
    with transaction() as session:
        actor = load_actor(session, User.login == login, address=None)
    assert actor is not None
    return actor


def community() -> str:
    """The community of today's plan with the most grids."""
    with transaction() as session:
        code = session.scalar(
            sa.text(
                "SELECT r.code FROM grid g JOIN region r ON r.id = g.region_id WHERE g.plan_id = 1"
                " GROUP BY r.code ORDER BY count(*) DESC, r.code LIMIT 1"
            )
        )
    return str(code)


def copied(actor: Actor = SYSTEM) -> int:
    return plans.copy_plan(actor, 1, region_code=community())


def redrawn(actor: Actor, plan_id: int) -> int:
    """A draft of the same ground in which no avoidable error is left."""
    wish = redraw.Wish(seconds=3.0, weights=redraw.preset("balanced"))
    return int(redraw.propose(actor, plan_id, wish)["plan_id"])


def force(plan_id: int, state: str) -> None:
    with transaction() as session:
        session.execute(sa.update(Plan).where(Plan.id == plan_id).values(state=state))


def grids(plan_id: int) -> dict[str, Grid]:
    with transaction() as session:
        return {g.code: g for g in session.scalars(sa.select(Grid).where(Grid.plan_id == plan_id))}


def assignment(plan_id: int) -> dict[int, str | None]:
    with transaction() as session:
        rows = session.execute(
            sa.select(PlanUnit.unit_id, Grid.code).outerjoin(Grid, Grid.id == PlanUnit.grid_id)
            .where(PlanUnit.plan_id == plan_id)
        )  # fmt: skip
        return {row.unit_id: row.code for row in rows}


def plan(plan_id: int) -> Plan:
    with transaction() as session:
        return session.get_one(Plan, plan_id)


def refused(code: str, work: Callable[[], object]) -> GridmapError:
    with pytest.raises(GridmapError) as caught:
        work()
    assert caught.value.code == code
    return caught.value


def test_from_draft_to_the_plan_in_force() -> None:
    planner, approver = person("planner", "planner"), person("approver", "approver")
    draft = copied(planner)
    told = refused("WORKFLOW_ERRORS", lambda: workflow.submit(planner, draft))
    assert "R0" in told.sentence("zh")
    assert workflow.stand(planner, draft).current_check, "the check was kept although the plan was refused"
    mended = redrawn(planner, draft)
    standing = workflow.stand(planner, mended)
    assert [one.rule for one in standing.errors if one.open] == []
    silent = [one.rule for one in standing.warnings if one.open]
    if silent:
        refused("WORKFLOW_REASONS", lambda: workflow.submit(planner, mended))
    workflow.submit(planner, mended, reasons=dict.fromkeys(silent, "老旧片区，数据正在补采"), comment="请审")
    assert plan(mended).state == "submitted"
    refused("PLAN_NOT_DRAFT", lambda: workflow.submit(planner, mended))
    sent = [operations.Sent(uuid4(), "erase", (operations.Move(None, [next(iter(assignment(mended)))]),))]
    refused("PLAN_NOT_DRAFT", lambda: operations.apply(planner, mended, plan(mended).version, uuid4(), sent))
    with pytest.raises(Forbidden):
        workflow.approve(planner, mended)
    refused("WORKFLOW_COMMENT", lambda: workflow.give_back(approver, mended, " "))
    workflow.give_back(approver, mended, "第三网格太长")
    assert [(one.plan_id, one.what, one.comment) for one in workflow.waiting(planner)] == [
        (mended, "returned", "第三网格太长")
    ]
    workflow.submit(planner, mended)
    assert [(one.plan_id, one.what) for one in workflow.waiting(approver)] == [(mended, "approve")]
    workflow.approve(approver, mended, "同意")
    in_force = workflow.publish(approver, mended, TODAY)
    assert in_force != mended, "a community's plan publishes into the town's"
    assert (plan(mended).state, plan(1).state, plan(in_force).state) == ("archived", "archived", "published")
    assert plan(1).valid_to == plan(in_force).valid_from == TODAY
    with transaction() as session:
        assert shown(session, SYSTEM) == in_force
        assert in_force_on(session, SYSTEM, TODAY - timedelta(days=1)) == 1
        assert in_force_on(session, SYSTEM, date(2025, 1, 1)) is None
        kinds = session.scalars(sa.select(PlanStep.kind).where(PlanStep.plan_id == mended).order_by(PlanStep.id)).all()
    assert kinds == ["submit", "return", "submit", "approve", "publish"]
    inside, outside = assignment(mended), assignment(1)
    whole = assignment(in_force)
    assert set(whole) == set(outside)
    prefix = community()
    for unit, code in outside.items():
        if unit not in inside:
            assert whole[unit] == code, "what lies outside the community stays as it was"
    assert {code for unit, code in whole.items() if unit in inside and code} <= {
        c for c in grids(in_force) if c.startswith(prefix)
    }


def test_who_made_it_does_not_approve_it() -> None:
    chief = person("chief", "administrator")
    draft = copied(chief)
    force(draft, "submitted")
    refused("WORKFLOW_AUTHOR", lambda: workflow.approve(chief, draft))
    other = person("other", "administrator")
    assert workflow.stand(other, draft).may["approve"] and not workflow.stand(chief, draft).may["approve"]
    workflow.approve(other, draft)


def test_who_edited_it_does_not_approve_it() -> None:
    editor = person("editor", "administrator")
    draft = copied()
    unit = next(unit for unit, code in assignment(draft).items() if code)
    sent = [operations.Sent(uuid4(), "erase", (operations.Move(None, [unit]),))]
    operations.apply(editor, draft, plan(draft).version, uuid4(), sent)
    force(draft, "submitted")
    refused("WORKFLOW_AUTHOR", lambda: workflow.approve(editor, draft))


def test_two_approvers_at_once_publish_once() -> None:
    draft = copied()
    force(draft, "approved")
    outcomes: list[str] = []

    def work() -> None:
        try:
            workflow.publish(SYSTEM, draft, TODAY)
            outcomes.append("done")
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PLAN_STATE", "PLAN_STATE", "done"]


def test_codes_stay_where_the_ground_stays_and_new_ones_go_west_to_east() -> None:
    draft = copied()
    before = grids(draft)
    held = {code: [u for u, c in assignment(draft).items() if c == code] for code in before}
    largest = max(held, key=lambda code: (before[code].households, len(held[code])))
    splittable = [code for code in held if len(held[code]) > 2 and code != largest]
    gone = splittable[0]
    with transaction() as session:
        reserved = [int(session.scalar(sa.text("SELECT nextval('grid_id_seq')")) or 0) for _ in range(2)]
    halves = held[gone][:1], held[gone][1:]
    changes = tuple(
        operations.Change(
            grid, {"code": f"{gone[:12]}{900 + k}", "name": None, "kind": "basic", "workers": 1, "locked": False,
                   "region_id": None, "parent_id": None}, new=True,
        )
        for k, grid in enumerate(reserved)
    )  # fmt: skip
    moves = tuple(operations.Move(grid, units) for grid, units in zip(reserved, halves, strict=True))
    renamed = operations.Change(before[largest].id, {"code": f"{largest[:12]}777"})
    sent = [
        operations.Sent(uuid4(), "split", moves, (*changes, operations.Change(before[gone].id, gone=True))),
        operations.Sent(uuid4(), "recode", (), (renamed,)),
    ]
    operations.apply(SYSTEM, draft, plan(draft).version, uuid4(), sent)
    force(draft, "approved")
    whole = workflow.publish(SYSTEM, draft, TODAY)
    after = assignment(whole)
    assert {after[u] for u in held[largest]} == {largest}, (
        "mostly the same ground: the same code, whatever it was called"
    )
    new = [after[halves[0][0]], after[halves[1][0]]]
    kept = [one for one in new if one == gone]
    assert len(kept) <= 1 and not {one for one in new if one and one.endswith(("900", "901"))}
    highest = max(int(code[12:]) for code in grids(1) if code.startswith(gone[:12]))
    fresh = sorted(int(str(one)[12:]) for one in new if one != gone)
    assert fresh == list(range(highest + 1, highest + 1 + len(fresh)))
    if not kept:
        assert grids(1)[gone].valid_to == TODAY
    assert grids(1)[largest].valid_to is None and grids(whole)[largest].valid_from == date(2026, 1, 1)
    again = copied_of(whole)
    force(again, "approved")
    assert not set(fresh) & {int(c[12:]) for c in grids(1)}, "numbers that were used are not given again"
    assert assignment(workflow.publish(SYSTEM, again, TODAY)) == after


def copied_of(plan_id: int) -> int:
    return plans.copy_plan(SYSTEM, plan_id)


def test_the_days_a_plan_may_begin() -> None:
    draft = copied()
    refused("PLAN_STATE", lambda: workflow.publish(SYSTEM, draft, TODAY))
    force(draft, "approved")
    refused("WORKFLOW_DATE_PAST", lambda: workflow.publish(SYSTEM, draft, TODAY - timedelta(days=1)))
    later = TODAY + timedelta(days=30)
    whole = workflow.publish(SYSTEM, draft, later)
    with transaction() as session:
        assert shown(session, SYSTEM) == 1, "until that day the old one is in force"
        assert in_force_on(session, SYSTEM, later) == whole
        assert in_force_on(session, SYSTEM, later - timedelta(days=1)) == 1
    assert (plan(1).state, plan(1).valid_to) == ("published", later)
    other = copied_of(whole)
    force(other, "approved")
    with pytest.raises(Invalid) as caught:
        workflow.publish(SYSTEM, other, TODAY)
    assert caught.value.code == "WORKFLOW_DATE_BEFORE"


def test_back_to_the_plan_before() -> None:
    draft = copied()
    unit = next(unit for unit, code in assignment(draft).items() if code)
    sent = [operations.Sent(uuid4(), "erase", (operations.Move(None, [unit]),))]
    operations.apply(SYSTEM, draft, plan(draft).version, uuid4(), sent)
    force(draft, "approved")
    whole = workflow.publish(SYSTEM, draft, TODAY)
    assert assignment(whole)[unit] is None
    again = workflow.restore(SYSTEM, whole)
    assert assignment(again) == assignment(1)
    assert (plan(again).state, plan(whole).state, plan(1).state) == ("published", "archived", "archived")
    assert {c: g.valid_to for c, g in grids(again).items() if g.valid_to} == {}
    forward = workflow.restore(SYSTEM, again)
    assert assignment(forward) == assignment(whole), "a roll-back can be rolled back"
    with transaction() as session:
        assert shown(session, SYSTEM) == forward


def test_cut_units_live_with_the_plan_that_is_in_force() -> None:
    draft = copied()
    with transaction() as session:
        unit = session.scalars(
            sa.select(Unit).join(PlanUnit, PlanUnit.unit_id == Unit.id)
            .where(PlanUnit.plan_id == draft).order_by(Unit.buildings.desc(), Unit.id)
        ).first()  # fmt: skip
        assert unit is not None
        sides = (f(Unit.geom) for f in (sa.func.ST_XMin, sa.func.ST_YMin, sa.func.ST_XMax, sa.func.ST_YMax))
        west, south, east, north = session.execute(sa.select(*sides).where(Unit.id == unit.id)).one()
    line = [[(west + east) / 2, south - 0.001], [(west + east) / 2, north + 0.001]]
    answer = operations.cut(SYSTEM, draft, plan(draft).version, uuid4(), uuid4(), unit.id, line)
    pieces = answer.saved[0].cut["pieces"] if hasattr(answer, "saved") else answer.cut["pieces"]
    force(draft, "approved")
    whole = workflow.publish(SYSTEM, draft, TODAY)
    with transaction() as session:
        assert session.get_one(Unit, unit.id).retired_at is not None
        living = [session.get_one(Unit, piece) for piece in pieces]
        assert [one.retired_at for one in living] == [None, None]
        assert sum(one.households for one in living) == unit.households
        homes = session.scalars(sa.select(Building.unit_id).where(Building.unit_id.in_([unit.id, *pieces]))).all()
        assert len(homes) == unit.buildings and unit.id not in homes
    workflow.restore(SYSTEM, whole)
    with transaction() as session:
        assert session.get_one(Unit, unit.id).retired_at is None
        assert all(session.get_one(Unit, piece).retired_at is not None for piece in pieces)
        homes = session.scalars(sa.select(Building.unit_id).where(Building.unit_id.in_([unit.id, *pieces]))).all()
        assert set(homes) == {unit.id} and len(homes) == unit.buildings


def test_roles_and_regions() -> None:
    draft = copied()
    looker, elsewhere = person("looker", "viewer"), Actor("far", (Grant(Role.APPROVER, "330000"),))
    with pytest.raises(Forbidden):
        workflow.submit(looker, draft)
    force(draft, "submitted")
    for step in (workflow.approve, workflow.withdraw):
        with pytest.raises(Forbidden):
            step(looker, draft)
        assert refused("PLAN_NOT_FOUND", lambda step=step: step(elsewhere, draft))
    assert not any(workflow.stand(looker, draft).may.values())
    assert workflow.waiting(elsewhere) == ()


def test_a_step_that_fails_leaves_nothing() -> None:
    draft = copied()
    force(draft, "approved")
    with transaction() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(Plan))
        steps = session.scalar(sa.select(sa.func.count()).select_from(PlanStep))
        session.execute(sa.text("ALTER TABLE plan_step ADD CONSTRAINT no_more CHECK (kind <> 'replace') NOT VALID"))
    with pytest.raises(sa.exc.IntegrityError):
        workflow.publish(SYSTEM, draft, TODAY)
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Plan)) == before
        assert session.scalar(sa.select(sa.func.count()).select_from(PlanStep)) == steps
        assert session.get_one(Plan, 1).valid_to is None
        kinds = session.scalars(sa.select(PlanOperation.kind).where(PlanOperation.plan_id == draft)).all()
    assert "publish" not in kinds
