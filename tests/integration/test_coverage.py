"""Coverage sums against pandas over the raw rows, and nothing of other subdistricts."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.db.engine import transaction
from gridmap.errors import Invalid
from gridmap.services import plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.coverage import areas, coverage, export, trend, uncovered
from gridmap.services.coverage.store import SHUT, SUMMED, Table
from gridmap.services.coverage.sums import parts
from tests.drafts import Draft
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


def test_sums_over_children_are_their_parent_s_at_every_level(plan: int) -> None:
    """For each reader: whole county, a subdistrict, two communities of different subdistricts."""
    readers = [SYSTEM, Actor("a", (Grant(Role.VIEWER, HERE[:9]),))]
    readers.append(Actor("b", (Grant(Role.VIEWER, "339901001002"), Grant(Role.VIEWER, "339901002001"))))
    for reader in readers:
        below = [(None, coverage(reader, plan_id=plan).rows)]
        seen = 0
        while below:
            code, rows = below.pop()
            for row in rows:
                if row.code == code:
                    continue
                found = coverage(reader, plan_id=plan, region=row.code)
                assert found.total is not None
                for name in SUMMED:
                    assert getattr(found.total, name) == getattr(row, name), (row.code, name)
                assert (found.total.oldest, found.total.newest) == (row.oldest, row.newest)
                seen += 1
                below.append((row.code, found.rows))
        assert seen >= 2


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_table_adds_up_for_any_reader(data: st.DataObject) -> None:
    """Random communities, sums and grants: each level's rows add up to the level above and to a plain loop."""
    codes = sorted(
        data.draw(st.sets(st.from_regex(r"33(01|02)0[12]00[1-3]00[1-4]", fullmatch=True), min_size=1, max_size=25))
    )
    sums = np.array([[data.draw(st.integers(0, 9)) for _ in SUMMED] for _ in codes])
    days = np.array([data.draw(st.sampled_from([-5, 10, 9000])) for _ in codes])
    shut = np.array([[data.draw(st.integers(0, 1)) for _ in SHUT] for _ in codes])
    made = Table(tuple(codes), sums, days, days, shut)
    mine = tuple(data.draw(st.sets(st.sampled_from([one[:n] for one in codes for n in (0, 6, 9, 12)]), max_size=4)))
    seen = [k for k, one in enumerate(codes) if any(one.startswith(prefix) for prefix in mine)]
    for above, digits in ((0, 6), (6, 9), (9, 12)):
        for prefix in {codes[k][:above] for k in seen} | {"99"[:above]}:
            rows = parts(made, mine, prefix, digits)
            inside = [k for k in seen if codes[k].startswith(prefix)]
            for i, name in enumerate(SUMMED):
                assert sum(row[name] for row in rows.values()) == sum(int(sums[k, i]) for k in inside)
            for i, name in enumerate(SHUT):
                assert sum(row[name] for row in rows.values()) == sum(int(shut[k, i]) for k in inside)
            assert set(rows) == {codes[k][:digits] for k in inside}


def test_sums_follow_an_edit_at_once(plan: int) -> None:
    draft = plans.copy_plan(SYSTEM, plan)
    try:
        follow_an_edit(draft)
    finally:
        plans.delete(SYSTEM, draft)


def follow_an_edit(draft: int) -> None:
    before = coverage(SYSTEM, plan_id=draft).total
    with transaction() as session:
        unit = session.scalar(
            sa.text(
                "SELECT p.unit_id FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN grid g ON g.id = p.grid_id"
                " WHERE p.plan_id = :p AND u.buildings > 0 AND g.kind = 'basic' AND NOT g.locked AND g.units > 2"
                " LIMIT 1"
            ),
            {"p": draft},
        )
        lost = session.execute(sa.text("SELECT buildings, households FROM unit WHERE id = :u"), {"u": unit}).one()
    Draft(draft).move([unit], None)
    after = coverage(SYSTEM, plan_id=draft).total
    assert before is not None and after is not None
    assert after.uncovered_buildings - before.uncovered_buildings == lost.buildings
    assert before.households - after.households == lost.households
    places = uncovered(SYSTEM, plan_id=draft)
    mine = next(one for one in places.rows if (one.kind, one.id) == ("unit", unit))
    assert (mine.buildings, mine.households) == tuple(lost)
    listed = uncovered(SYSTEM, plan_id=draft, limit=500)
    assert sum(one.buildings for one in listed.rows) == after.uncovered_buildings
    assert sum(one.households for one in listed.rows) == after.uncovered_households


def test_areas_are_the_rows_with_borders_that_fit(plan: int) -> None:
    found = json.loads(areas(SYSTEM, plan_id=plan, region=HERE))
    rows = coverage(SYSTEM, plan_id=plan, region=HERE).rows
    assert [one["id"] for one in found["features"]] == [row.code for row in rows]
    for one, row in zip(found["features"], rows, strict=True):
        assert one["properties"]["share_out"] == pytest.approx((row.over + row.under) / row.grids, abs=1e-4)
    shapes = np.array([shapely.from_geojson(json.dumps(one["geometry"])) for one in found["features"]])
    assert shapely.is_valid(shapes).all()
    gaps = shapely.area(shapely.union_all(shapes)) / shapely.area(shapes).sum()
    assert gaps == pytest.approx(1, abs=1e-5)
    grids = json.loads(areas(SYSTEM, plan_id=plan, region=rows[0].code, grids=True))["features"]
    assert len(grids) == sum(one.geom is not None for one in in_community(plan, rows[0].code))
    ages = frame(
        "SELECT g.id, min(u.oldest_data) AS oldest FROM grid g JOIN plan_unit p ON p.grid_id = g.id"
        " JOIN unit u ON u.id = p.unit_id WHERE g.plan_id = :plan GROUP BY g.id",
        plan,
    ).set_index("id")["oldest"]
    assert all(one["properties"]["oldest"] == (str(ages[one["id"]]) if ages[one["id"]] else None) for one in grids)
    assert json.loads(areas(SYSTEM, on=date(1990, 1, 1)))["features"] == []


def in_community(plan: int, code: str) -> list[Any]:
    with transaction() as session:
        text = (
            "SELECT g.geom FROM grid g JOIN region r ON r.id = g.region_id"
            " WHERE plan_id = :p AND r.code = :c AND g.parent_id IS NULL"
        )
        return list(session.execute(sa.text(text), {"p": plan, "c": code}))


def test_the_course_has_a_step_for_each_plan_in_force(plan: int) -> None:
    steps = trend(SYSTEM, region=COUNTY)
    assert [step.sums.grids for step in steps] == [coverage(SYSTEM).total.grids]  # type: ignore[union-attr]
    draft = plans.copy_plan(SYSTEM, plan)
    middle = steps[0].day + timedelta(days=30)
    with transaction() as session:
        session.execute(
            sa.text("UPDATE plan SET valid_to = :d, state = 'archived' WHERE id = :p"), {"d": middle, "p": plan}
        )
        session.execute(
            sa.text("UPDATE plan SET valid_from = :d, state = 'published' WHERE id = :p"), {"d": middle, "p": draft}
        )
    try:
        later = trend(SYSTEM, region=COUNTY)
        assert [step.day for step in later] == [steps[0].day, middle]
        assert later[0].sums == steps[0].sums
        assert later[1].sums == dataclasses.replace(coverage(SYSTEM, plan_id=draft).total, code="", name="", level="")  # type: ignore[type-var]
        here = trend(Actor("part", (Grant(Role.VIEWER, HERE[:9]),)))
        assert here[1].sums.grids == coverage(SYSTEM, plan_id=draft, region=HERE).total.grids  # type: ignore[union-attr]
    finally:
        with transaction() as session:
            session.execute(sa.text("UPDATE plan SET valid_to = NULL, state = 'published' WHERE id = :p"), {"p": plan})
            session.execute(sa.text("UPDATE plan SET valid_from = NULL, state = 'draft' WHERE id = :p"), {"p": draft})
        plans.delete(SYSTEM, draft)


def test_exports_hold_what_is_on_the_screen(plan: int, data_dir: Path) -> None:
    rows = coverage(SYSTEM, plan_id=plan, region=HERE).rows
    path = export(SYSTEM, "csv", plan_id=plan, region=HERE)
    table = pd.read_csv(path, dtype={"区划代码": str})
    assert table["区划代码"].tolist() == [row.code for row in rows]
    assert table["网格数"].tolist() == [row.grids for row in rows]
    sheets = pd.read_excel(export(SYSTEM, "xlsx", plan_id=plan, region=rows[0].code), sheet_name=None)
    assert set(sheets) == {"覆盖情况", "网格", "未覆盖", "趋势", "说明"}
    assert len(sheets["网格"]) == rows[0].grids
    with pytest.raises(Invalid):
        export(SYSTEM, "doc", plan_id=plan)


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
