"""Home: the next steps while there is little, then what needs attention, in the reader's regions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import Case, ImportBatch
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.home import overview
from gridmap.services.plans import get
from tests.web import add_person, make_app, signed_in


def test_an_empty_program_says_what_to_do(database_url: str, tmp_path: Path) -> None:
    add_person("boss")
    client = signed_in(make_app(tmp_path), "boss")
    page = client.get("/").text
    assert "接下来做什么" in page
    assert 'href="/imports"' in page
    assert "已完成" not in page
    for path in ("/regions", "/plans", "/map"):
        assert client.get(path).status_code == 200, path
    told = client.get("/reports").text
    assert "还没有区划" in told and "您的角色不能" not in told, "an administrator lacks data, not rights"
    assert 'href="/plans"' in client.get("/coverage").text.partition('class="empty"')[2], "a way on"


def test_the_numbers_are_those_of_the_plan_in_force(demo_url: str, tmp_path: Path) -> None:
    found = overview(SYSTEM)
    assert found.plan == get(SYSTEM, 1)
    assert found.plan is not None
    assert found.plan.state == "published"
    assert all(row["errors"] > 0 for row in found.worst.rows)
    assert found.worst.total >= len(found.worst.rows) > 0
    assert all(row["population"] > 2000 for row in found.large_rural.rows)
    assert found.data.old <= found.data.households
    add_person("boss")
    page = signed_in(make_app(tmp_path), "boss").get("/").text
    assert "接下来做什么" not in page
    assert "/map?plan=1&amp;status=over" in page


def test_cases_are_compared_with_the_month_before(demo_url: str) -> None:
    now = datetime(2026, 9, 30, 12, tzinfo=UTC)
    found = overview(SYSTEM, now=now)
    start, middle, end = (datetime(2026, *day, 16, tzinfo=UTC) for day in ((8, 1), (8, 31), (9, 30)))
    with transaction() as session:
        counts = [
            session.scalar(sa.select(sa.func.count()).where(Case.occurred_at >= a, Case.occurred_at < b)) or 0
            for a, b in ((middle, end), (start, middle))
        ]
    assert found.cases is not None and list(found.cases) == counts
    assert counts[0] > 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CASE_OFFICER, Role.PLANNER])
def test_a_part_of_the_county_has_its_own_numbers(demo_url: str, role: Role) -> None:
    north = Actor("north", (Grant(role, "339901001"),), user_id=None)
    mine, all_ = overview(north), overview(SYSTEM)
    assert 0 < mine.data.households < all_.data.households
    assert all_.cases is not None
    if role is Role.VIEWER:
        assert mine.cases is None
    else:
        assert mine.cases is not None and 0 < sum(mine.cases) <= sum(all_.cases)
    assert mine.worst.total <= all_.worst.total


def test_a_file_that_waits_is_listed(database_url: str, tmp_path: Path) -> None:
    with transaction() as session:
        for state in ("staged", "failed", "accepted"):
            batch = ImportBatch(sha256="0" * 64, filename=f"{state}.csv", size_bytes=1, kind="cases", state=state)
            session.add(batch)
    assert {batch.filename for batch in overview(SYSTEM).waiting} == {"staged.csv", "failed.csv"}
