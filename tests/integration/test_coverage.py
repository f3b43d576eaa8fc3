"""Coverage sums against pandas over the raw rows, and nothing of other subdistricts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.coverage import coverage
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url", "data_dir")

COUNTY, HERE = "339901000000", "339901001000"


@pytest.fixture(scope="module")
def plan(shared_demo_url: str) -> int:
    with transaction() as session:
        return int(session.scalar(sa.text("SELECT plan_id FROM grid GROUP BY plan_id ORDER BY count(*) DESC LIMIT 1")))


def frame(sql: str, plan: int) -> pd.DataFrame:
    with transaction() as session:
        found = session.execute(sa.text(sql), {"plan": plan})
        return pd.DataFrame(found.mappings().all(), columns=list(found.keys()))


@pytest.mark.parametrize(("region", "digits"), [(None, 6), (COUNTY, 9), (HERE, 12)])
def test_sums_are_those_that_pandas_counts(plan: int, region: str | None, digits: int) -> None:
    grids = frame(
        "SELECT g.*, r.code AS home FROM grid g JOIN region r ON r.id = g.region_id WHERE plan_id = :plan", plan
    )
    buildings = frame(
        "SELECT r.code AS home, b.households, p.grid_id FROM building b JOIN region r ON r.id = b.region_id"
        " LEFT JOIN plan_unit p ON p.unit_id = b.unit_id AND p.plan_id = :plan",
        plan,
    )
    grids = grids[grids["kind"] != "micro"]
    free = buildings[buildings["grid_id"].isna()]
    rows = coverage(SYSTEM, plan_id=plan, region=region).rows
    assert rows
    assert sum(row.grids for row in rows)
    for row in rows:
        part = row.code[:digits]
        mine = grids[grids["home"].str.startswith(part)]
        loose = free[free["home"].str.startswith(part)]
        for status in ("within", "under", "over", "empty", "unchecked"):
            assert getattr(row, status) == (mine["status"] == status).sum()
        assert row.grids == len(mine)
        assert row.people_in_crowded == mine.loc[mine["population"] > 2000, "population"].sum()
        assert row.estimated_households == mine["estimated_households"].sum()
        assert row.uncovered_buildings == len(loose)
        assert row.uncovered_households == loose["households"].fillna(0).sum()


def test_a_subdistrict_sees_its_own_sums_only(plan: int) -> None:
    reader = Actor("reader", (Grant(Role.VIEWER, HERE[:9]),))
    rows = coverage(reader, plan_id=plan, region=COUNTY).rows
    assert [row.code for row in rows] == [HERE]
    assert coverage(reader, plan_id=plan, region="339901002000").rows == ()


def test_no_plan_was_in_force_long_ago() -> None:
    found = coverage(SYSTEM, on=date(1990, 1, 1))
    assert found.plan_id is None
    assert found.rows == ()


def test_the_page_and_the_api_say_what_is_there_and_explain_what_is_not(plan: int, tmp_path: Path) -> None:
    add_person("coverer", "viewer", HERE)
    client = signed_in(make_app(tmp_path), "coverer")
    rows = client.get(f"/api/v1/coverage?plan={plan}&region={HERE}").get_json()["rows"]
    assert rows
    assert client.get("/coverage").status_code == 200
    inside = client.get(f"/coverage?plan={plan}&region={rows[0]['code']}").text
    assert rows[0]["name"] in inside
    assert f'<span class="code-text muted">{rows[0]["code"]}' in inside
    assert "1990-01-01 没有生效的方案" in client.get("/coverage?date=1990-01-01").text
    assert client.get("/coverage?region=339901002000").status_code == 404
    assert client.get("/coverage?region=12").status_code == 404
    assert client.get("/api/v1/coverage?region=12").status_code == 422
