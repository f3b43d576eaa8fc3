"""Operations on a draft: every refusal by its code, once and only once, merged or told what changed, by whom."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from geodata.errors import CodedError
from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent, Building, Compound, Grid, Plan, PlanOperation, PlanPresence, PlanUnit, Unit
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from gridmap.services import counts, plans
from gridmap.services import operations as ops
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.operations import write
from tests.drafts import Draft, across, convex, copy_of_plan, region_of_units, reserved

pytestmark = pytest.mark.usefixtures("shared_demo_url")

VIEWER = Actor("viewer", (Grant(Role.VIEWER, "339901"),))
APPROVER = Actor("approver", (Grant(Role.APPROVER, "339901"),))
NORTH = Actor("north", (Grant(Role.PLANNER, "339901001"),))
ELSEWHERE = Actor("elsewhere", (Grant(Role.ADMINISTRATOR, "110101"),))


@pytest.fixture
def draft(shared_demo_url: str) -> Iterator[Draft]:
    made = copy_of_plan()
    yield made
    plans.delete(SYSTEM, made.id)


def _refused(code: str, kind: type[CodedError], call: Any, /, *arguments: Any, **named: Any) -> CodedError:
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    assert caught.value.code == code
    assert caught.value.sentence("zh") and caught.value.sentence("en")
    return caught.value


def test_units_change_hands_with_ground_counts_status_log_and_audit(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    before = draft.grids()
    answer = draft.move(mine[:1], second)
    assert (answer.version, draft.units()[mine[0]]) == (2, second)
    draft.require_whole()
    now = {grid["id"]: grid for grid in answer.grids}
    assert set(now) == {first, second}
    moved = answer.saved[0].moves[0]["households"]
    assert now[second]["households"] == before[second]["households"] + moved
    assert answer.totals["households"] == sum(row["households"] for row in before.values())
    assert answer.totals["grids"] == len(before)
    with transaction() as session:
        event = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
        assert (event.action, event.subject_id, event.detail["tools"]) == ("plan.edit", str(draft.id), ["paint"])
        assert session.get_one(Plan, draft.id).checked_version == 1, "the check is out of date"


def test_status_shows_in_a_draft_that_nobody_checked(shared_demo_url: str) -> None:
    fresh = copy_of_plan(checked=False)
    assert {row["status"] for row in fresh.grids().values()} == {"unchecked"}
    _, second, mine, _ = fresh.neighbours()
    answer = fresh.move(mine[:1], second)
    shown = [row["status"] for row in fresh.grids().values() if row["kind"] == "basic"]
    assert "unchecked" not in shown
    assert sum(answer.totals[name] for name in ("within", "under", "over", "empty")) == len(shown)
    with transaction() as session:
        counts.sum_plan(session, fresh.id)
    assert shown == [row["status"] for row in fresh.grids().values() if row["kind"] == "basic"]
    plans.delete(SYSTEM, fresh.id)


def test_an_empty_grid_stays_until_it_is_removed(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    draft.move(mine, second, "merge")
    row = draft.grids()[first]
    assert (row["units"], row["geom"], row["status"]) == (0, None, "empty")
    draft.change(ops.Change(first, gone=True), tool="delete")
    assert first not in draft.grids()
    draft.require_whole()


def test_a_removed_grid_frees_its_units(draft: Draft) -> None:
    first, _, mine, _ = draft.neighbours()
    answer = draft.change(ops.Change(first, gone=True), tool="delete")
    assert {draft.units()[unit] for unit in mine} == {None}
    assert answer.totals["unassigned_units"] >= len(mine)
    draft.require_whole()
    draft.undo(answer.version)
    assert {draft.units()[unit] for unit in mine} == {first}
    draft.require_whole()


def test_everything_about_a_grid_changes_and_comes_back(draft: Draft) -> None:
    first, _, _, _ = draft.neighbours()
    before = draft.grids()[first]
    code, workers = draft.free_code(first), (before["workers"] or 0) + 1
    for fields in ({"name": " 新名 "}, {"code": code}, {"workers": workers}, {"kind": "special"}, {"locked": True}):
        draft.change(ops.Change(first, fields))
    row = draft.grids()[first]
    assert (row["name"], row["code"], row["workers"], row["kind"], row["locked"]) == (
        "新名",
        code,
        workers,
        "special",
        True,
    )
    assert row["status"] == "unchecked", "special-purpose grids have no bound"
    for version in range(draft.base, 1, -1):
        draft.undo(version)
    after = draft.grids()[first]
    assert {k: v for k, v in after.items() if k != "geom"} == {k: v for k, v in before.items() if k != "geom"}


def test_micro_grids_hold_units_that_count_for_the_grid_above(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours(3)
    above = draft.grids()[first]
    small, _ = draft.make(first, mine[:1], code=f"{above['code']}01", kind="micro", parent_id=first)
    rows = draft.grids()
    assert rows[small]["units"] == 1 and rows[first]["units"] == above["units"]
    draft.require_whole()
    draft.move(mine[1:2], small)
    draft.move(mine[:1], second)
    draft.require_whole()
    _refused("OPERATION_HAS_MICRO", Invalid, draft.change, ops.Change(first, gone=True))
    _refused("OPERATION_PARENT", Invalid, draft.change, ops.Change(first, {"kind": "micro"}))
    draft.change(ops.Change(first, {"locked": True}))
    _refused("OPERATION_LOCKED", Invalid, draft.move, mine[1:2], second)
    draft.require_whole()


def test_what_breaks_a_rule_is_refused_by_name(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    homes = region_of_units()
    stranger = next(unit for unit in draft.units() if homes[unit] != homes[mine[0]])
    rows = draft.grids()
    code = draft.free_code(first)
    new = lambda **fields: draft.make(first, **fields)  # noqa: E731
    cases: list[tuple[str, Any]] = [
        ("OPERATION_UNIT_UNKNOWN", lambda: draft.move([10**12], second)),
        ("OPERATION_GRID_UNKNOWN", lambda: draft.move(mine[:1], 10**12)),
        ("OPERATION_GRID_UNKNOWN", lambda: draft.change(ops.Change(10**12, {"name": "x"}))),
        ("OPERATION_EMPTY", lambda: draft.move(mine[:1], first)),
        ("OPERATION_EMPTY", lambda: draft.send(ops.Sent(uuid4(), "paint"))),
        ("OPERATION_TWICE", lambda: draft.move([mine[0], mine[0]], second)),
        ("OPERATION_TWICE", lambda: draft.change(ops.Change(first, {"name": "a"}), ops.Change(first, gone=True))),
        ("OPERATION_COMMUNITY", lambda: draft.move([stranger], first)),
        ("OPERATION_CODE_TAKEN", lambda: draft.change(ops.Change(first, {"code": rows[second]["code"]}))),
        ("OPERATION_CODE_TAKEN", lambda: new(code=rows[second]["code"])),
        ("OPERATION_CODE_FORM", lambda: new(code=code[:-1])),
        ("OPERATION_CODE_FORM", lambda: new(code=f"{code[:12]}000")),
        ("OPERATION_CODE_FORM", lambda: draft.change(ops.Change(first, {"code": "A" * 15}))),
        ("OPERATION_CODE_FORM", lambda: draft.change(ops.Change(first, {"code": "１" * 15}))),
        ("OPERATION_CODE_MICRO", lambda: new(code=f"{code}1", kind="micro", parent_id=first)),
        ("OPERATION_PARENT", lambda: new(code=f"{code}1", kind="micro", parent_id=10**12)),
        ("OPERATION_NAME", lambda: draft.change(ops.Change(first, {"name": "长" * 81}))),
        ("OPERATION_NAME", lambda: draft.change(ops.Change(first, {"name": "a\x00b"}))),
        ("OPERATION_KIND", lambda: draft.change(ops.Change(first, {"kind": "other"}))),
        ("OPERATION_WORKERS", lambda: draft.change(ops.Change(first, {"workers": 1000}))),
        ("OPERATION_REGION", lambda: new(region_id=1)),
        ("OPERATION_GRID_ID", lambda: draft.change(ops.Change(10**12, {"code": code}, new=True))),
        ("OPERATION_GRID_ID", lambda: draft.change(ops.Change(first, {"code": code}, new=True))),
        ("OPERATION_TOOL", lambda: draft.move(mine[:1], second, "magic")),
        ("OPERATION_TOOL", lambda: draft.send(ops.Sent(uuid4(), "paint", undoes=1))),
        ("OPERATION_WHY", lambda: draft.send(ops.Sent(uuid4(), "paint", (ops.Move(second, mine[:1]),), why="x" * 501))),
    ]
    before = (draft.units(), draft.grids())
    for wanted, call in cases:
        _refused(wanted, Invalid, call)
    draft.base = 99
    _refused("OPERATION_BASE", Invalid, draft.move, mine[:1], second)
    draft.base = 1
    _refused("OPERATIONS_TOO_MANY", TooLarge, draft.move, list(range(50_001)), second)
    _refused("OPERATION_NOT_FOUND", NotFound, draft.undo, 1)
    _refused("OPERATION_NOT_FOUND", NotFound, draft.send, ops.Sent(uuid4(), "undo", undoes_key=uuid4()))
    assert (draft.units(), draft.grids()) == before, "nothing of what is refused is kept"


def test_a_retired_code_is_not_used_again(draft: Draft) -> None:
    first, _, _, _ = draft.neighbours()
    code = draft.free_code(first)
    with transaction() as session:
        base = session.scalars(sa.select(Plan).where(Plan.state == "published")).one()
        session.add(Grid(plan_id=base.id, code=code, valid_to=base.valid_from))
    _refused("OPERATION_CODE_RETIRED", Invalid, draft.make, first, code=code)
    with transaction() as session:
        session.execute(sa.delete(Grid).where(Grid.code == code))


def test_a_locked_grid_keeps_its_units_unless_the_operation_unlocks_it(draft: Draft) -> None:
    first, second, mine, theirs = draft.neighbours()
    draft.change(ops.Change(first, {"locked": True}), tool="lock")
    for call in (
        lambda: draft.move(mine[:1], second),
        lambda: draft.move(mine[:1], None),
        lambda: draft.move(theirs[:1], first),
        lambda: draft.change(ops.Change(first, gone=True)),
    ):
        refused = _refused("OPERATION_LOCKED", Invalid, call)
        assert refused.params["grid"] == first
    draft.change(ops.Change(first, {"name": "改名可以"}))
    draft.change(ops.Change(first, {"locked": False}), moves=(ops.Move(second, mine[:1]),))
    assert draft.units()[mine[0]] == second


def test_an_empty_grid_takes_the_community_of_its_first_units(draft: Draft) -> None:
    first, _, mine, _ = draft.neighbours()
    homes = region_of_units()
    grid, _ = draft.make(first)
    assert draft.grids()[grid]["region_id"] is None
    stranger = next(unit for unit in draft.units() if homes[unit] != homes[mine[0]])
    _refused("OPERATION_COMMUNITY", Invalid, draft.move, [mine[0], stranger], grid)
    answer = draft.move(mine[:1], grid)
    assert draft.grids()[grid]["region_id"] == homes[mine[0]]
    _refused("OPERATION_COMMUNITY", Invalid, draft.move, [stranger], grid)
    draft.undo(answer.version)
    assert draft.grids()[grid]["region_id"] is None


def test_the_same_request_twice_counts_once(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    one = ops.Sent(uuid4(), "paint", (ops.Move(second, mine[:1]),))
    once = draft.send(one)
    draft.base = 1
    again = draft.send(one)
    assert (again.version, again.saved, again.grids, again.totals) == (
        once.version,
        once.saved,
        once.grids,
        once.totals,
    )
    with transaction() as session:
        session.execute(sa.update(Plan).where(Plan.id == draft.id).values(state="submitted"))
    assert draft.send(one).saved[0].version == 2, "an answer that was lost can still be had"
    _refused("PLAN_NOT_DRAFT", Conflict, draft.move, mine[:1], None)
    with transaction() as session:
        session.execute(sa.update(Plan).where(Plan.id == draft.id).values(state="draft"))


def test_the_same_request_at_once_counts_once(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    one = ops.Sent(uuid4(), "paint", (ops.Move(second, mine[:1]),))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ops.apply(SYSTEM, draft.id, 1, draft.client, [one]), range(6)))
    assert {answer.version for answer in answers} == {2}
    assert all(answer.saved[0].key == str(one.key) for answer in answers)


def test_what_touches_other_grids_merges_and_what_touches_the_same_is_told(draft: Draft) -> None:
    first, second, mine, theirs = draft.neighbours()
    other = draft.tab()
    elsewhere = [unit for unit, grid in draft.units().items() if grid not in (first, second)]
    draft.move(mine[:1], second)
    merged = other.move(elsewhere[:1], None)
    assert [entry.version for entry in merged.since] == [2] and merged.version == 3
    other.base = 1
    key = uuid4()
    refused = _refused("PLAN_CHANGED", Conflict, other.send, ops.Sent(key, "paint", (ops.Move(first, theirs[:1]),)))
    told = refused.params
    assert told["key"] == str(key) and told["version"] == 3
    assert [entry["version"] for entry in told["since"]] == [2]
    assert told["grids"] == sorted(draft.grids()[grid]["code"] for grid in (first, second))
    other.base = 3
    other.move(theirs[:1], first)
    draft.require_whole()


def test_a_unit_that_another_freed_is_not_taken_blindly(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    other = draft.tab()
    grid, _ = other.make(second)
    third = other.tab()
    draft.base = other.base
    draft.move(mine[:1], None, "erase")
    _refused("PLAN_CHANGED", Conflict, third.move, mine[:1], grid)


def test_a_refused_operation_takes_its_whole_request_back(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    good = ops.Sent(uuid4(), "paint", (ops.Move(second, mine[:1]),))
    bad = ops.Sent(uuid4(), "paint", (ops.Move(second, [10**12]),))
    refused = _refused("OPERATION_UNIT_UNKNOWN", Invalid, draft.send, good, bad)
    assert refused.params["key"] == str(bad.key)
    assert draft.units()[mine[0]] != second
    assert ops.history(SYSTEM, draft.id).total == 1


def test_operations_of_one_request_build_on_each_other(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    grid, code = reserved(), draft.free_code(first)
    paint = uuid4()
    answer = draft.send(
        ops.Sent(uuid4(), "new", (), (ops.Change(grid, {"code": code}, new=True),)),
        ops.Sent(paint, "paint", (ops.Move(grid, mine[:1]),)),
        ops.Sent(uuid4(), "undo", undoes_key=paint),
        ops.Sent(uuid4(), "paint", (ops.Move(second, mine[:1]),)),
        ops.Sent(uuid4(), "delete", (), (ops.Change(grid, gone=True),)),
    )
    assert [entry.version for entry in answer.saved] == [2, 3, 4, 5, 6]
    assert grid not in draft.grids() and draft.units()[mine[0]] == second
    draft.require_whole()


def test_undo_and_redo_go_on_for_ever(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    moved = draft.move(mine[:1], second).version
    undone = draft.undo(moved).version
    assert draft.units()[mine[0]] == first
    redone = draft.undo(undone)
    assert draft.units()[mine[0]] == second
    assert redone.saved[0].tool == "redo" and redone.saved[0].sentence.startswith("重做：")
    log = {entry.version: entry for entry in ops.history(SYSTEM, draft.id).items}
    assert (log[moved].undone_by, log[undone].undone_by) == (None, redone.version)
    assert log[redone.version].may_undo and not log[undone].may_undo
    draft.undo(moved)
    assert draft.units()[mine[0]] == first
    draft.require_whole()


def test_an_earlier_operation_can_be_taken_back_while_nothing_builds_on_it(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    early = draft.move(mine[:1], second).version
    late = draft.move(mine[1:2], second).version
    log = {entry.version: entry for entry in ops.history(SYSTEM, draft.id).items}
    assert log[early].may_undo and log[late].may_undo
    again = draft.move(mine[:1], None).version
    log = {entry.version: entry for entry in ops.history(SYSTEM, draft.id).items}
    assert not log[early].may_undo and log[late].may_undo
    refused = _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, early)
    assert refused.params["versions"] == [again]
    draft.undo(again)
    draft.undo(early)
    assert draft.units()[mine[0]] == first
    refused = _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, early)
    assert refused.params["versions"] == [draft.base], "it is taken back already"


def test_a_grid_that_others_filled_is_not_undone_away(draft: Draft) -> None:
    first, _, mine, _ = draft.neighbours()
    grid, made = draft.make(first)
    filled = draft.move(mine[:1], grid).version
    refused = _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, made.version)
    assert refused.params["versions"] == [filled]
    draft.undo(filled)
    draft.undo(made.version)
    assert grid not in draft.grids()
    split, made = draft.make(first, mine[:1])
    more = draft.move(mine[1:2], split).version
    refused = _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, made.version)
    assert refused.params["versions"] == [more]
    draft.undo(more)
    below, _ = draft.make(first, code=f"{draft.grids()[split]['code']}01", kind="micro", parent_id=split)
    _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, made.version)
    draft.change(ops.Change(below, gone=True), tool="delete")
    draft.undo(made.version)
    assert split not in draft.grids()


def test_a_code_taken_meanwhile_keeps_a_removal_from_coming_back(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    code = draft.grids()[first]["code"]
    removed = draft.change(ops.Change(first, gone=True), moves=(ops.Move(second, mine),), tool="merge")
    assert removed.saved[0].sentence.startswith("把 ")
    taken = draft.change(ops.Change(second, {"code": code}), tool="recode").version
    _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, removed.version)
    draft.undo(taken)
    draft.undo(removed.version)
    assert draft.units()[mine[0]] == first
    draft.require_whole()


def test_nothing_leaves_a_locked_grid_by_undo(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    moved = draft.move(mine[:1], second).version
    draft.change(ops.Change(second, {"locked": True}), tool="lock")
    _refused("OPERATION_LOCKED", Invalid, draft.undo, moved)
    assert not next(e for e in ops.history(SYSTEM, draft.id).items if e.version == moved).may_undo


def test_who_may_not_change_the_plan(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    for actor, kind in (
        (VIEWER, NotFound),
        (APPROVER, Forbidden),
        (NORTH, (Forbidden, NotFound)),
        (ELSEWHERE, NotFound),
    ):
        with pytest.raises(kind):
            draft.tab(actor).move(mine[:1], second)
        with pytest.raises(kind):
            draft.tab(actor).cut(mine[0])
    assert not any(entry.may_undo for entry in ops.history(APPROVER, draft.id).items)
    for read in (ops.history, ops.verify):
        for actor in (ELSEWHERE, VIEWER):
            with pytest.raises(NotFound):
                read(actor, draft.id)
    with pytest.raises(NotFound):
        ops.pulse(ELSEWHERE, draft.id, uuid4(), 0, None)
    published = next(plan.id for plan in plans.list_plans(SYSTEM) if plan.state == "published")
    _refused("PLAN_NOT_DRAFT", Conflict, Draft(published).move, mine[:1], second)


def test_the_log_speaks_both_languages(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    with transaction() as session:
        compound = session.get_one(Unit, mine[0]).compound_id
        named = compound is not None
        session.execute(sa.update(Compound).where(Compound.id == compound).values(name="明珠苑"))
        households = session.get_one(Unit, mine[0]).households
    moved = draft.move(mine[:1], second)
    rows = draft.grids()
    a, b = (rows[grid]["code"][12:] for grid in (first, second))
    what = "明珠苑" if named else "1 个单元"
    assert moved.saved[0].sentence == f"把 {what}（{households:,} 户）从 {a} 调到 {b}"
    draft.change(ops.Change(first, {"name": "甲"}), tool="rename")
    draft.change(ops.Change(first, {"locked": True}), tool="lock")
    draft.undo(draft.base)
    draft.cut(convex(draft.neighbours()[2]))
    english = Actor("e", SYSTEM.grants, locale="en")
    for actor, words in (
        (SYSTEM, ("切成两块", "撤销：锁定", "锁定", "更名")),
        (english, ("Cut", "Undone: Locked", "Locked", "Renamed")),
    ):
        sentences = [entry.sentence for entry in ops.history(actor, draft.id).items]
        for word, sentence in zip(words, sentences, strict=False):
            assert word in sentence
        assert all(sentences)


def test_a_cut_makes_two_units_that_count_what_the_one_did(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    unit = convex(mine)
    with transaction() as session:
        whole = session.get_one(Unit, unit)
    before = draft.grids()[first]
    key = uuid4()
    answer = draft.cut(unit, key)
    one, two = (piece["id"] for piece in answer.cut["pieces"])
    assert sum(piece["households"] for piece in answer.cut["pieces"]) == whole.households
    assert sum(piece["buildings"] for piece in answer.cut["pieces"]) == whole.buildings
    assert sum(piece["area_m2"] for piece in answer.cut["pieces"]) == pytest.approx(whole.area_m2)
    now = draft.grids()[first]
    assert (now["households"], now["units"]) == (before["households"], before["units"] + 1)
    assert draft.units()[one] == draft.units()[two] == first and unit not in draft.units()
    draft.require_whole()
    draft.base = 1
    assert draft.cut(unit, key).cut == answer.cut, "the same cut twice is one"
    draft.move([one], second)
    draft.require_whole()
    refused = _refused("OPERATION_DEPENDED_ON", Conflict, draft.undo, answer.version)
    assert refused.params["versions"] == [draft.base]
    draft.undo(draft.base)
    back = draft.undo(answer.version)
    assert unit in draft.units() and one not in draft.units()
    draft.require_whole()
    draft.undo(back.version)
    assert unit not in draft.units() and draft.units()[two] == first
    draft.require_whole()
    again = draft.cut(convex([one, two]))
    draft.require_whole()
    with transaction() as session:
        pieces = session.scalars(sa.select(Unit).where(Unit.id.in_([p["id"] for p in again.cut["pieces"]]))).all()
        assert all(piece.retired_at is not None and piece.provenance["by"] == "cut" for piece in pieces)


def test_pieces_count_again_when_the_buildings_of_the_unit_do(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    unit = convex(mine)
    pieces = [piece["id"] for piece in draft.cut(unit).cut["pieces"]]
    draft.move(pieces[:1], second)
    with transaction() as session:
        session.execute(sa.update(Building).where(Building.unit_id == unit).values(households=Building.households + 3))
        counts.recount(session, [unit])
    draft.require_whole()
    with transaction() as session:
        total = session.scalar(sa.select(sa.func.sum(Unit.households)).where(Unit.id.in_(pieces)))
        assert total == session.get_one(Unit, unit).households


def test_without_buildings_a_cut_shares_by_area_and_says_so(draft: Draft) -> None:
    _, _, mine, _ = draft.neighbours()
    unit = convex(mine)
    with transaction() as session:
        held = session.scalars(sa.select(Building.id).where(Building.unit_id == unit)).all()
        session.execute(sa.update(Building).where(Building.id.in_(held)).values(unit_id=None))
    answer = draft.cut(unit, line=across(unit, 0.4))
    with transaction() as session:
        whole = session.get_one(Unit, unit)
        pieces = session.scalars(sa.select(Unit).where(Unit.cut_of == unit).order_by(Unit.id.desc()).limit(2)).all()
        assert all(piece.provenance["estimated"] for piece in pieces)
        assert sum(piece.households for piece in pieces) == whole.households > 0
        assert sum(piece.population for piece in pieces) == whole.population
        session.execute(sa.update(Building).where(Building.id.in_(held)).values(unit_id=unit))
    draft.undo(answer.version)


def test_what_cannot_be_cut(draft: Draft) -> None:
    first, _, mine, _ = draft.neighbours()
    _refused("CUT_MISSES", CodedError, draft.cut, mine[0], line=[(100.0, 30.0), (100.1, 30.1)])
    _refused("OPERATION_UNIT_UNKNOWN", Invalid, draft.cut, 10**12, line=[(100.0, 30.0), (100.1, 30.1)])
    other = draft.tab()
    draft.change(ops.Change(first, {"locked": True}), tool="lock")
    _refused("CUT_LOCKED", Invalid, draft.cut, mine[0])
    _refused("PLAN_CHANGED", Conflict, other.cut, mine[0])


def test_pieces_go_with_their_plan(shared_demo_url: str) -> None:
    made = copy_of_plan()
    _, _, mine, _ = made.neighbours()
    pieces = [piece["id"] for piece in made.cut(convex(mine)).cut["pieces"]]
    made.cut(convex(pieces))
    plans.delete(SYSTEM, made.id)
    with transaction() as session:
        assert not session.scalar(sa.select(sa.func.count()).where(Unit.cut_of.is_not(None)))


def test_who_is_there_and_what_they_did(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    other = draft.tab()
    draft.move(mine[:1], second)
    mine_, theirs = (ops.pulse(SYSTEM, draft.id, tab.client, 1, first) for tab in (draft, other))
    assert mine_.version == theirs.version == 2
    assert mine_.since == [] and [entry.version for entry in theirs.since] == [2]
    assert {one["client"] for one in theirs.present} == {str(draft.client), str(other.client)}
    with transaction() as session:
        late = sa.func.now() - sa.text("interval '31 seconds'")
        session.execute(sa.update(PlanPresence).where(PlanPresence.client == draft.client).values(seen_at=late))
    assert [one["client"] for one in ops.pulse(APPROVER, draft.id, other.client, 2, None).present] == [
        str(other.client)
    ]


def test_a_log_that_was_tampered_with_is_found_out(draft: Draft) -> None:
    _, second, mine, _ = draft.neighbours()
    for unit in mine[:2]:
        draft.move([unit], second)
    assert ops.verify(SYSTEM, draft.id) == ops.Chain(True, 3, None)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.delete(PlanOperation).where(PlanOperation.plan_id == draft.id, PlanOperation.version == 2))
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.update(PlanOperation).where(PlanOperation.plan_id == draft.id).values(kind="x"))
    with transaction() as session:
        session.execute(sa.text("ALTER TABLE plan_operation DISABLE TRIGGER append_only"))
        forged = sa.update(PlanOperation).where(PlanOperation.plan_id == draft.id, PlanOperation.version == 2)
        session.execute(forged.values(detail={"why": "x"}))
        session.execute(sa.text("ALTER TABLE plan_operation ENABLE TRIGGER append_only"))
    assert ops.verify(SYSTEM, draft.id) == ops.Chain(False, 3, 2)


def test_the_database_refuses_a_plan_that_does_not_add_up(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    broken = (
        sa.update(PlanUnit).where(PlanUnit.plan_id == draft.id, PlanUnit.unit_id == mine[0]).values(grid_id=second),
        sa.update(Grid).where(Grid.id == first).values(households=Grid.households + 1),
        sa.update(Grid).where(Grid.id == first).values(geom=sa.text(f"(SELECT geom FROM grid WHERE id = {second})")),
        sa.update(Grid).where(Grid.id == first).values(geom=None),
        sa.update(Unit).where(Unit.id == mine[0]).values(households=Unit.households + 1),
        sa.delete(PlanUnit).where(PlanUnit.plan_id == draft.id, PlanUnit.unit_id == mine[0]),
        sa.delete(Grid).where(Grid.id == first),
    )
    for number, statement in enumerate(broken[:-1]):
        with pytest.raises(IntegrityError, match="says something else") as caught, transaction() as session:
            session.execute(statement)
        assert getattr(caught.value.orig, "sqlstate", "") == "23001", number
    with transaction() as session:
        session.execute(broken[-1])
    foreign = next(iter(Draft(next(p.id for p in plans.list_plans(SYSTEM) if p.id != draft.id)).grids()))
    with pytest.raises(IntegrityError, match="fk_plan_unit_plan_id_grid_id"), transaction() as session:
        session.execute(
            sa.update(PlanUnit).where(PlanUnit.plan_id == draft.id, PlanUnit.unit_id == mine[0]).values(grid_id=foreign)
        )
    draft.require_whole()


def test_a_server_that_dies_in_the_middle_leaves_nothing(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second, mine, _ = draft.neighbours()
    before = (draft.units(), draft.grids())

    class Killed(BaseException):
        pass

    def dies(*_: Any) -> None:
        raise Killed

    for name in ("derive", "_write_units"):
        with monkeypatch.context() as patch:
            patch.setattr(write, name, dies)
            with pytest.raises(Killed):
                draft.move(mine[:1], second)
    assert (draft.units(), draft.grids()) == before
    assert ops.history(SYSTEM, draft.id).total == 1
    draft.move(mine[:1], second)
    draft.require_whole()


def test_twenty_at_once_in_one_plan_wait_for_each_other(draft: Draft) -> None:
    homes = region_of_units()
    units = [unit for unit, grid in draft.units().items() if grid is not None][:20]
    grids = {unit: draft.make(next(iter(draft.grids())))[0] for unit in units}

    def save(unit: int) -> str:
        tab = draft.tab()
        for _ in range(30):
            try:
                tab.move([unit], grids[unit])
            except Conflict as refused:
                assert refused.code == "PLAN_CHANGED"
                tab.base = refused.params["version"]
            else:
                return "saved"
        return "gave up"

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(save, units)) == {"saved"}
    assert all(draft.units()[unit] == grid for unit, grid in grids.items())
    assert all(draft.grids()[grid]["region_id"] == homes[unit] for unit, grid in grids.items())
    draft.require_whole()


def test_a_recount_and_an_operation_that_meet_leave_sums_that_agree(draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()

    def recounted(extra: int) -> None:
        with transaction() as session:
            session.execute(
                sa.update(Building).where(Building.unit_id.in_(mine)).values(households=Building.households + extra)
            )
            counts.recount(session, mine)

    def moved(number: int) -> None:
        draft.tab().move(mine[:1], second if number % 2 == 0 else first)

    with ThreadPoolExecutor(2) as pool:
        for number in range(6):
            draft.base = plans.get(SYSTEM, draft.id).version
            both = [pool.submit(recounted, 1), pool.submit(moved, number)]
            for one in both:
                one.result(30)
    draft.require_whole()
