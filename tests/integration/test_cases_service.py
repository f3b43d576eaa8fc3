"""Cases: filters, sums in local time, counts by grid, places; each against plain arithmetic on the same rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa

from geodata.locate import locate
from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import Case, Grid, Plan, Region, Unit
from gridmap.errors import NotFound
from gridmap.services import cases
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from tests.cases import places

pytestmark = pytest.mark.usefixtures("shared_demo_url")

NORTH = Actor("north", (Grant(Role.CASE_OFFICER, "339901001"),))
SUMMER = cases.CaseFilter(
    categories=("乱停车", "噪音扰民"), start=datetime(2025, 6, 1, tzinfo=UTC), end=datetime(2025, 9, 1, tzinfo=UTC)
)


@pytest.fixture(scope="module")
def rows(shared_demo_url: str) -> list[sa.Row[tuple[str, datetime, str]]]:
    with transaction() as session:
        chosen = sa.select(Case.category, Case.occurred_at, Region.code).join(Region, Region.id == Case.region_id)
        return list(session.execute(chosen))


def _plan() -> int:
    with transaction() as session:
        return session.scalars(sa.select(Plan.id).where(Plan.state == "published")).one()


def test_sums_are_those_of_the_rows_in_local_time(rows: list[sa.Row[tuple[str, datetime, str]]]) -> None:
    found = cases.totals(SYSTEM)
    local = [row.occurred_at.astimezone(ZoneInfo("Asia/Shanghai")) for row in rows]
    assert found["total"] == len(rows) == found["located"]
    assert dict(found["categories"]) == Counter(row.category for row in rows)
    assert dict(found["months"]) == Counter(f"{moment:%Y-%m}" for moment in local)
    week = np.zeros((7, 24), int)
    for moment in local:
        week[moment.weekday(), moment.hour] += 1
    assert found["week"] == week.tolist()


def test_filters_keep_what_they_say(rows: list[sa.Row[tuple[str, datetime, str]]]) -> None:
    wanted = sum(
        row.category in SUMMER.categories and SUMMER.start <= row.occurred_at < SUMMER.end  # type: ignore[operator]
        for row in rows
    )
    assert 0 < cases.totals(SYSTEM, SUMMER)["total"] == cases.page(SYSTEM, SUMMER).total == wanted
    assert len(places(SUMMER)) == wanted
    nothing = cases.CaseFilter(categories=("无此类别",))
    assert cases.totals(SYSTEM, nothing) == {
        "total": 0, "located": 0, "open": 0, "categories": [], "months": [], "week": [[0] * 24] * 7,
    }  # fmt: skip
    assert places(nothing).shape == (0, 2)


def test_pages_run_from_new_to_old_without_a_break() -> None:
    first, second = cases.page(SYSTEM, limit=10), cases.page(SYSTEM, limit=10, offset=10)
    moments = [row.occurred_at for row in (*first.rows, *second.rows)]
    assert moments == sorted(moments, reverse=True) and len({row.id for row in (*first.rows, *second.rows)}) == 20


def test_counts_by_grid_agree_with_where_the_points_lie() -> None:
    plan_id = _plan()
    with transaction() as session:
        grids = bulk.columns(
            session,
            sa.select(Grid.id, sa.func.ST_AsBinary(Grid.geom).label("geom")).where(
                Grid.plan_id == plan_id, Grid.geom.is_not(None)
            ),
        )
    at = locate(places(SUMMER), bulk.shapes(grids["geom"]))
    wanted = Counter(grids["id"][at[at >= 0]].tolist())
    found = cases.by_grid(SYSTEM, plan_id, SUMMER)
    assert {row["grid_id"]: row["cases"] for row in found if row["cases"]} == wanted
    assert [row["cases"] for row in found] == sorted((row["cases"] for row in found), reverse=True)
    for row in found:
        if row["households"]:
            assert row["per_1000_households"] == pytest.approx(1000 * row["cases"] / row["households"], abs=0.006)
        else:
            assert row["per_1000_households"] is None
    one = cases.CaseFilter(plan_id=plan_id, grid_id=found[0]["grid_id"])
    assert cases.page(SYSTEM, one).total == next(
        row["cases"] for row in cases.by_grid(SYSTEM, plan_id) if row["grid_id"] == found[0]["grid_id"]
    )


def test_plans_on_retired_units_still_count_their_cases() -> None:
    plan_id = _plan()
    before = cases.by_grid(SYSTEM, plan_id)
    with transaction() as session:
        unit_id = session.scalar(sa.select(Unit.id).limit(1))
        session.execute(sa.update(Unit).where(Unit.id == unit_id).values(retired_at=sa.func.now()))
    try:
        assert cases.by_grid(SYSTEM, plan_id) == before
    finally:
        with transaction() as session:
            session.execute(sa.update(Unit).values(retired_at=None))


def test_a_subdistrict_sees_its_own_cases(rows: list[sa.Row[tuple[str, datetime, str]]]) -> None:
    mine = sum(row.code.startswith("339901001") for row in rows)
    assert 0 < mine < len(rows)
    assert cases.totals(NORTH)["total"] == cases.page(NORTH).total == len(places(actor=NORTH)) == mine
    assert sum(count for _, count in cases.categories(NORTH)) == mine
    assert all(row.region_code and row.region_code.startswith("339901001") for row in cases.page(NORTH).rows)
    assert all(row["region_code"].startswith("339901001") for row in cases.by_grid(NORTH, _plan()))
    stranger = Actor("x", (Grant(Role.CASE_OFFICER, "110101"),))
    assert cases.totals(stranger)["total"] == 0
    with pytest.raises(NotFound):
        cases.by_grid(stranger, _plan())
