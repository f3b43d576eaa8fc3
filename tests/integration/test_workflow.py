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
from gridmap.services import operations, plans, workflow
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.days import today
from gridmap.services.plans.access import in_force_on, shown
from tests.drafts import redrawn
from tests.web import add_person

pytestmark = pytest.mark.usefixtures("demo_url")

COUNTY, TODAY = "339901000000", today()


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
    looker, elsewhere = person("looker", "case_officer"), Actor("far", (Grant(Role.APPROVER, "330000"),))
    with pytest.raises(Forbidden):
        workflow.submit(looker, draft)
    force(draft, "submitted")
    for step in (workflow.approve, workflow.withdraw):
        with pytest.raises(Forbidden):
            step(looker, draft)
        assert refused("PLAN_NOT_FOUND", lambda step=step: step(elsewhere, draft))
    assert not any(workflow.stand(looker, draft).may.values())
    assert workflow.waiting(elsewhere) == ()
    viewer = Actor("viewer", (Grant(Role.VIEWER),))
    assert refused("PLAN_NOT_FOUND", lambda: workflow.stand(viewer, draft))  # who only looks sees no draft


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


def test_a_copy_does_not_launder_who_drew_it() -> None:
    chief, hand = person("chief2", "administrator"), person("hand", "planner")
    drawn = copied(chief)
    handed = plans.copy_plan(hand, drawn)
    force(handed, "submitted")
    refused("WORKFLOW_AUTHOR", lambda: workflow.approve(chief, handed))


def test_a_reader_hears_of_their_own_communities_only() -> None:
    here = community()
    with transaction() as session:
        told = sa.text(
            "SELECT count(*) FROM check_result c JOIN region r ON r.id = c.region_id"
            " WHERE c.plan_id = 1 AND r.code = :code AND c.severity IN ('E', 'W')"
            " AND coalesce((c.params ->> 'checked')::boolean, true)"
        )
        mine = session.scalar(told, {"code": here})
    standing = workflow.stand(Actor("near", (Grant(Role.VIEWER, here),)), 1)
    found = (*standing.errors, *standing.warnings)
    assert sum(one.count for one in found) == mine
    assert {code[:12] for one in found for code in one.grids} == {here}
    assert workflow.stand(SYSTEM, 1).missing > standing.missing


def test_a_whole_ends_the_parts_in_force() -> None:
    with transaction() as session:
        codes = session.scalars(sa.text("SELECT DISTINCT r.code FROM grid g JOIN region r ON r.id = g.region_id"
                                        " WHERE g.plan_id = 1 ORDER BY r.code LIMIT 2")).all()  # fmt: skip
    parts = [plans.copy_plan(SYSTEM, 1, region_code=code) for code in codes]
    whole = copied_of(1)
    with transaction() as session:
        session.execute(sa.update(Plan).where(Plan.id.in_([*parts, whole])).values(department="消防", state="approved"))
    for part in parts:
        assert workflow.publish(SYSTEM, part, TODAY) == part, "nothing is in force around it"
    assert workflow.publish(SYSTEM, whole, TODAY) == whole
    assert [(plan(part).state, plan(part).valid_to) for part in parts] == [("archived", TODAY)] * 2
    assert assignment(whole) == assignment(1)
    assert plan(1).state == "published", "another department's plan goes on"
    refused("WORKFLOW_NOTHING_BEFORE", lambda: workflow.restore(SYSTEM, whole))
    assert not workflow.stand(SYSTEM, whole).may["restore"]


def test_micro_grids_follow_the_grid_above() -> None:
    draft = copied()
    before = grids(draft)
    above = next(code for code, units in held_units(draft).items() if len(units) > 1)
    units = held_units(draft)[above]
    kept, fresh = reserved(2)
    ops = [
        operations.Sent(
            uuid4(), "split",
            tuple(operations.Move(grid, part) for grid, part in ((kept, units[:1]), (fresh, units[1:]))),
            tuple(operations.Change(grid, attrs(f"{above}-{k}", "micro", before[above].id), new=True)
                  for k, grid in enumerate((kept, fresh))),
        )
    ]  # fmt: skip
    operations.apply(SYSTEM, draft, plan(draft).version, uuid4(), ops)
    force(draft, "approved")
    whole = workflow.publish(SYSTEM, draft, TODAY)
    assert {assignment(whole)[unit] for unit in units} == {f"{above}01", f"{above}02"}
    assert grids(whole)[above].valid_from == date(2026, 1, 1), "the grid above is who it was"
    again = copied_of(whole)
    force(again, "approved")
    assert assignment(workflow.publish(SYSTEM, again, TODAY)) == assignment(whole)


def test_today_is_the_day_of_the_planners_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime, tzinfo

    from gridmap.services import days

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 11, 30, 17, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(days, "datetime", Clock)
    assert days.today() == date(2026, 12, 1), "it is one o'clock at night in Shanghai"


def held_units(plan_id: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for unit, code in assignment(plan_id).items():
        if code:
            found.setdefault(code, []).append(unit)
    return found


def reserved(count: int) -> list[int]:
    with transaction() as session:
        return [int(session.scalar(sa.text("SELECT nextval('grid_id_seq')")) or 0) for _ in range(count)]


def attrs(code: str, kind: str = "basic", parent: int | None = None) -> dict[str, object]:
    return {"code": code, "name": None, "kind": kind, "workers": 1, "locked": False, "region_id": None,
            "parent_id": parent}  # fmt: skip
