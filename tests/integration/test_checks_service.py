"""Checks stored with their sentences: what the rules say is what lists and sums show, inside the reader's regions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from geodata import rules, standards
from gridmap.db.engine import transaction
from gridmap.db.models import CheckResult, Grid, Plan, Region
from gridmap.errors import Forbidden, GeodataError, NotFound
from gridmap.services import checks, plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.checks.view import load

pytestmark = pytest.mark.usefixtures("demo_url")

NORTH = Actor("north", (Grant(Role.PLANNER, "339901001"),))


@pytest.fixture
def plan_id() -> int:
    with transaction() as session:
        found = session.scalar(sa.select(Plan.id).where(Plan.name == "现行网格"))
        assert found is not None
        return found


def test_stored_findings_are_those_of_the_rules(plan_id: int) -> None:
    with transaction() as session:
        plan = session.get(Plan, plan_id)
        assert plan is not None
        region = session.get(Region, plan.region_id)
        assert region is not None
        loaded = load(session, plan, region)
        wanted = Counter(
            (result.rule, str(result.severity), result.sentence("zh"), result.sentence("en"), result.unavoidable)
            for result in rules.check(loaded.view, standards.from_dict(plan.profile))
        )
        columns = (CheckResult.rule, CheckResult.severity, CheckResult.sentence_zh, CheckResult.sentence_en)
        stored = session.execute(
            sa.select(*columns, CheckResult.unavoidable).where(CheckResult.plan_id == plan_id)
        ).all()
    assert Counter(tuple(row) for row in stored) == wanted


def test_every_rule_speaks_or_says_why_not(plan_id: int) -> None:
    found = checks.summary(SYSTEM, plan_id)
    assert [row["rule"] for row in found.by_rule] == [f"R{n:02d}" for n in range(1, 20)]
    left_out = {row["rule"] for row in found.by_rule if row["not_checked_zh"]}
    assert {"R11", "R12", "R17"} <= left_out
    assert all(row["title_zh"] and row["title_en"] for row in found.by_rule)
    unchecked = checks.results(SYSTEM, plan_id, checked=False)
    assert {row.rule for row in unchecked.rows} == left_out
    assert all(row.severity == "I" and "未检查" in row.sentence_zh for row in unchecked.rows)


def test_sums_agree_with_the_list(plan_id: int) -> None:
    found = checks.summary(SYSTEM, plan_id)
    rows = checks.results(SYSTEM, plan_id, limit=100_000).rows
    assert found.errors == sum(row.severity == "E" for row in rows) > 0
    assert found.warnings == sum(row.severity == "W" for row in rows) > 0
    assert found.unavoidable == sum(row.unavoidable for row in rows)
    assert sum(row["errors"] for row in found.by_region) <= found.errors
    assert sum(found.plan.statuses.values()) >= found.plan.grids
    assert sum(row["grids"] for row in found.by_region) == found.plan.grids


def test_checking_again_replaces_and_does_not_add(plan_id: int) -> None:
    before = checks.results(SYSTEM, plan_id, limit=100_000)
    totals = checks.check(SYSTEM, plan_id)
    after = checks.results(SYSTEM, plan_id, limit=100_000)
    assert after.total == before.total == sum(totals.values())
    assert {row.id for row in before.rows}.isdisjoint(row.id for row in after.rows)
    assert plans.get(SYSTEM, plan_id).current_check


def test_one_rule_alone_leaves_the_others_findings(plan_id: int) -> None:
    before = Counter(row.rule for row in checks.results(SYSTEM, plan_id, limit=100_000).rows)
    checks.check(SYSTEM, plan_id, rules=["R01"])
    assert Counter(row.rule for row in checks.results(SYSTEM, plan_id, limit=100_000).rows) == before
    with pytest.raises(GeodataError) as caught:
        checks.check(SYSTEM, plan_id, rules=["R99"])
    assert caught.value.code == "RULES_UNKNOWN"
    assert Counter(row.rule for row in checks.results(SYSTEM, plan_id, limit=100_000).rows) == before


def test_a_countys_own_standard_by_file(plan_id: int, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "national"\nname = "own"\ntitle_zh = "本县标准"\ntitle_en = "Our own"\n'
        "[urban]\nhouseholds_min = 1\nhouseholds_max = 100000\n[rural]\nhouseholds_min = 1\nhouseholds_max = 100000\n",
        "utf-8",
    )
    with pytest.raises(GeodataError):
        checks.check(SYSTEM, plan_id, profile=str(own))  # a service reads no files: names come from browsers too
    checks.check(SYSTEM, plan_id, profile=standards.load(own).to_dict())
    found = plans.get(SYSTEM, plan_id)
    assert (found.profile_name, found.profile_zh) == ("own", "本县标准")
    assert not found.statuses["over"] and not found.statuses["under"] and found.statuses["within"]
    own.unlink()
    checks.check(SYSTEM, plan_id)
    assert plans.get(SYSTEM, plan_id).profile_name == "own", "the plan keeps its standard, not the file"


def test_filters_and_pages(plan_id: int) -> None:
    everything = checks.results(SYSTEM, plan_id, limit=100_000).rows
    order = {"E": 0, "W": 1, "I": 2}
    assert [order[row.severity] for row in everything] == sorted(order[row.severity] for row in everything)
    second = checks.results(SYSTEM, plan_id, limit=7, offset=7)
    assert [row.id for row in second.rows] == [row.id for row in everything[7:14]]
    assert all(row.rule == "R01" for row in checks.results(SYSTEM, plan_id, rule="R01").rows)
    assert all(row.severity == "W" for row in checks.results(SYSTEM, plan_id, severity="W").rows)
    home = checks.results(SYSTEM, plan_id, region="339901001000", limit=1000)
    assert home.rows and all((row.region_code or "").startswith("339901001") for row in home.rows)
    grid_id = next(row.grid_id for row in everything if row.grid_id)
    assert all(row.grid_id == grid_id for row in checks.results(SYSTEM, plan_id, grid_id=grid_id).rows)


def test_the_place_of_a_fault(plan_id: int) -> None:
    cut = checks.results(SYSTEM, plan_id, rule="R07", checked=True, limit=1).rows[0]
    assert cut.bbox is not None and cut.bbox[0] <= cut.bbox[2]
    place = checks.fault_geometry(SYSTEM, plan_id, cut.id)
    assert place is not None and place["type"] in ("Polygon", "MultiPolygon")
    with pytest.raises(NotFound):
        checks.fault_geometry(SYSTEM, plan_id, 10**9)


def test_a_subdistrict_reads_its_own_findings_only(plan_id: int) -> None:
    mine = checks.results(NORTH, plan_id, limit=100_000)
    everything = checks.results(SYSTEM, plan_id, limit=100_000)
    assert 0 < mine.total < everything.total
    assert all(row.region_code is None or row.region_code.startswith("339901001") for row in mine.rows)
    assert all(row["code"].startswith("339901001") for row in checks.summary(NORTH, plan_id).by_region)
    other = next(row for row in everything.rows if row.region_code and not row.region_code.startswith("339901001"))
    with pytest.raises(NotFound):
        checks.fault_geometry(NORTH, plan_id, other.id)
    with pytest.raises((Forbidden, NotFound)):
        checks.check(NORTH, plan_id)


def test_a_plan_that_was_never_checked_says_so() -> None:
    plan_id = plans.create_empty(SYSTEM, "空", "339901001000")
    found = checks.summary(SYSTEM, plan_id)
    assert found.plan.checked_at is None and found.errors == 0
    totals = checks.check(SYSTEM, plan_id)
    assert totals["E"] > 0, "buildings without a grid are an error"
    with transaction() as session:
        assert not session.scalar(sa.select(sa.exists().where(Grid.plan_id == plan_id)))
