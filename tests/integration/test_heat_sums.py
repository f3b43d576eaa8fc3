"""Sums by time, unit and grid are the same from a store, from PostGIS, and by plain counting, also after changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.db.engine import transaction
from gridmap.errors import Forbidden
from gridmap.services import cases, heat, incidents
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.cases import grids as grid_tables
from gridmap.services.heat import keeper

PLAN, COMMUNITY = 1, "339901001001"
NORTH = Actor("north", (Grant(Role.ADMINISTRATOR, "339901001"),))
CHINA = ZoneInfo("Asia/Shanghai")
QUIET = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def fresh(heat_stores: Path) -> Iterator[None]:
    keeper.forget()
    grid_tables.forget()
    yield
    keeper.forget()


@pytest.fixture(scope="module")
def known(shared_demo_url: str) -> Any:
    heat.run_build()
    with transaction() as session:
        return session.execute(sa.text(
            "SELECT c.occurred_at, c.category, r.code, c.unit_id, c.closed_at, c.point IS NOT NULL AS located"
            " FROM case_record c LEFT JOIN region r ON r.id = c.region_id ORDER BY c.id")).all()  # fmt: skip


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without a store."""
    monkeypatch.setattr(keeper, "stores", lambda identity: [])
    return monkeypatch


@st.composite
def filters(draw: Any, known: Any) -> CaseFilter:
    moments = sorted(
        known[draw(st.integers(0, len(known) - 1))].occurred_at + timedelta(microseconds=draw(st.integers(-1, 1)))
        for _ in range(2)
    )
    names = sorted({row.category for row in known})
    return CaseFilter(
        categories=tuple(draw(st.lists(st.sampled_from(names), max_size=3, unique=True))),
        start=draw(st.sampled_from((None, moments[0]))),
        end=draw(st.sampled_from((None, moments[1] + timedelta(microseconds=1)))),
        region=draw(st.sampled_from((None, None, "339901000000", "339901002000", COMMUNITY))),
    )


def chosen(known: Any, actor: Actor, wanted: CaseFilter) -> list[Any]:
    prefix = {None: "", "339901000000": "339901", "339901002000": "339901002"}.get(wanted.region, wanted.region)
    return [
        row for row in known
        if (not wanted.categories or row.category in wanted.categories)
        and (wanted.start is None or row.occurred_at >= wanted.start)
        and (wanted.end is None or row.occurred_at < wanted.end)
        and (not prefix or (row.code or "").startswith(prefix))
        and (actor is SYSTEM or (row.code or "").startswith(actor.prefixes(Role.VIEWER)))
    ]  # fmt: skip


@given(data=st.data())
@QUIET
def test_sums_are_those_of_the_cases(known: Any, data: st.DataObject) -> None:
    wanted, actor = data.draw(filters(known)), data.draw(st.sampled_from((SYSTEM, NORTH)))
    told, rows = cases.totals(actor, wanted), chosen(known, actor, wanted)
    local = [row.occurred_at.astimezone(CHINA) for row in rows]
    week = np.zeros((7, 24), dtype=int)
    np.add.at(week, ([one.weekday() for one in local], [one.hour for one in local]), 1)
    assert told["total"] == len(rows)
    assert told["located"] == sum(row.located for row in rows)
    assert told["open"] == sum(row.closed_at is None for row in rows)
    assert dict(told["categories"]) == Counter(row.category for row in rows)
    assert told["months"] == sorted(Counter(f"{one:%Y-%m}" for one in local).items())
    assert told["week"] == week.tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "stores", lambda identity: [])
        assert cases.totals(actor, wanted) == told
        raw = cases.by_grid(actor, PLAN, wanted), cases.timeline(actor, wanted)
    assert (cases.by_grid(actor, PLAN, wanted), cases.timeline(actor, wanted)) == raw


def test_grids_have_the_cases_of_their_units(known: Any) -> None:
    with transaction() as session:
        unit_of = dict(session.execute(sa.text("SELECT unit_id, grid_id FROM plan_unit WHERE plan_id = 1")).all())
    told = Counter(unit_of[row.unit_id] for row in known if unit_of.get(row.unit_id))
    rows = cases.by_grid(SYSTEM, PLAN)
    assert {row["grid_id"]: row["cases"] for row in rows if row["cases"]} == told
    assert [row["cases"] for row in rows] == sorted((row["cases"] for row in rows), reverse=True)
    assert cases.by_grid(SYSTEM, PLAN, limit=5) == rows[:5]


def test_communities_have_the_cases_of_their_grids(known: Any) -> None:
    for wanted in (CaseFilter(), CaseFilter(region="339901002000")):
        rows = [row for row in cases.by_grid(SYSTEM, PLAN, wanted) if row["region_code"]]
        told = [one["properties"] for one in json.loads(cases.case_areas(SYSTEM, PLAN, wanted))["features"]]
        for name in ("cases", "households"):
            sums: Counter[str] = Counter()
            for row in rows:
                if row["region_code"].startswith(wanted.region[:9] if wanted.region else ""):
                    sums[row["region_code"]] += row[name]
            assert {one["code"]: one[name] for one in told if one[name]} == {c: n for c, n in sums.items() if n}
        assert all((one["smoothed"] is None) == (not one["households"]) for one in told)
    with pytest.raises(Forbidden):
        cases.case_areas(Actor("looker", (Grant(Role.VIEWER),)), PLAN, CaseFilter())
    assert json.loads(cases.case_areas(NORTH, PLAN, CaseFilter(region="339901002000")))["features"] == []


def test_hot_spots_are_the_same_from_a_store(known: Any, raw: pytest.MonkeyPatch) -> None:
    end = max(row.occurred_at for row in known)
    for wanted in (
        CaseFilter(),
        CaseFilter(start=end - timedelta(days=120), end=end),
        CaseFilter(region="339901002000"),
    ):
        plain = incidents.hot_spots(SYSTEM, PLAN, wanted)
        raw.undo()
        assert incidents.hot_spots(SYSTEM, PLAN, wanted) == plain
        assert plain.rate
        raw.setattr(keeper, "stores", lambda identity: [])


def test_two_periods_are_the_same_from_a_store(known: Any, raw: pytest.MonkeyPatch) -> None:
    end = max(row.occurred_at for row in known)
    middle, start = end - timedelta(days=60), end - timedelta(days=150)
    kinds = tuple(sorted({row.category for row in known})[:2])
    for wanted in (CaseFilter(), CaseFilter(region="339901002000"), CaseFilter(categories=kinds)):
        asked = replace(wanted, start=middle, end=end)
        plain = incidents.two_periods(SYSTEM, asked, (start, middle), plan_id=PLAN)
        raw.undo()
        assert incidents.two_periods(SYSTEM, asked, (start, middle), plan_id=PLAN) == plain
        mine = chosen(known, SYSTEM, asked)
        assert plain.whole.after == len(mine) == sum(row.after for row in plain.categories)
        told = {row.code: row.after for row in plain.regions if row.after}
        assert told == Counter(row.code for row in mine if row.code)
        raw.setattr(keeper, "stores", lambda identity: [])


@pytest.mark.usefixtures("known")
def test_what_is_committed_is_summed_at_once() -> None:
    """Also a case on a stacked address, and one that moves to another unit."""
    before = cases.totals(SYSTEM)
    stack = _stack()[0]
    image = heat.image(SYSTEM, (110.0, 20.0, 130.0, 40.0), (64, 64)).cases
    at = datetime(2031, 5, 1, 3, 4, 5, 600, tzinfo=UTC)
    values = {"at": at, "x": stack[0], "y": stack[1], "code": COMMUNITY}
    with transaction() as session:
        session.execute(sa.text(
            "INSERT INTO case_record (category, occurred_at, region_id, point, unit_id)"
            " SELECT '新类', :at, r.id, ST_SetSRID(ST_MakePoint(:x, :y), 4490),"
            " (SELECT min(id) FROM unit WHERE region_id = r.id)"
            " FROM region r WHERE r.code = :code"), values)  # fmt: skip
    after = cases.totals(SYSTEM)
    assert after["total"] == before["total"] + 1 and dict(after["categories"])["新类"] == 1
    assert after["months"][-1] == ("2031-05", 1)
    assert heat.image(SYSTEM, (110.0, 20.0, 130.0, 40.0), (64, 64)).cases == image, "its place was not found"
    only = CaseFilter(categories=("新类",))
    [first] = [row for row in cases.by_grid(SYSTEM, PLAN, only) if row["cases"]]
    with transaction() as session:
        session.execute(sa.text(
            "UPDATE case_record SET unit_id = (SELECT unit_id FROM plan_unit WHERE plan_id = 1 AND grid_id ="
            " (SELECT max(grid_id) FROM plan_unit WHERE plan_id = 1) LIMIT 1) WHERE category = '新类'"))  # fmt: skip
    [second] = [row for row in cases.by_grid(SYSTEM, PLAN, only) if row["cases"]]
    assert (first["grid_id"], first["cases"]) != (second["grid_id"], second["cases"]) and second["cases"] == 1
    assert heat.verify(SYSTEM)
    with transaction() as session:
        session.execute(sa.text("DELETE FROM case_record WHERE category = '新类'"))
    assert cases.totals(SYSTEM) == before


def _stack() -> list[tuple[float, float]]:
    with transaction() as session:
        return heat.unplaced(session)
