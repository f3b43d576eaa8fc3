"""Timeline, two periods, smoothed rates, single cases of a view: each against plain counting of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.incidents.periods import BARS_MAX
from gridmap.db.engine import transaction
from gridmap.db.models import Case, Grid, Plan
from gridmap.errors import GridmapError, Invalid, NotFound, TooLarge
from gridmap.services import cases, incidents
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import places

pytestmark = pytest.mark.usefixtures("shared_demo_url")

ZONE = ZoneInfo("Asia/Shanghai")
NORTH = Actor("north", (Grant(Role.ADMINISTRATOR, "339901001"),))
BOX = (100.0, 20.0, 130.0, 40.0)


@contextmanager
def refused(kind: type[GridmapError], code: str) -> Iterator[None]:
    with pytest.raises(kind) as caught:
        yield
    assert caught.value.code == code


@pytest.fixture(scope="module")
def moments(shared_demo_url: str) -> list[datetime]:
    with transaction() as session:
        return sorted(session.scalars(sa.select(Case.occurred_at)))


@pytest.fixture(scope="module")
def plan_id(shared_demo_url: str) -> int:
    with transaction() as session:
        return session.scalars(sa.select(Plan.id).where(Plan.state == "published")).one()


def test_bars_are_the_cases_between_local_midnights(moments: list[datetime]) -> None:
    found = cases.timeline(SYSTEM)
    assert found.total == len(moments) == cases.totals(SYSTEM)["total"]
    assert 1 < len(found.counts) <= BARS_MAX + 1
    assert found.edges[0] <= moments[0] and moments[-1] < found.edges[-1]
    assert {(edge.hour, edge.minute, edge.second) for edge in found.edges} == {(0, 0, 0)}
    for low, high, number in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True):
        assert number == sum(low <= one < high for one in moments)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=1500)),
    st.booleans(),
)
def test_bars_add_up_to_the_totals(begin: datetime, length: timedelta, north: bool) -> None:
    start = begin.replace(tzinfo=ZONE)
    wanted = cases.CaseFilter(start=start, end=start + length)
    actor = NORTH if north else SYSTEM
    found = cases.timeline(actor, wanted)
    assert found.total == cases.totals(actor, wanted)["total"] == sum(found.days)
    assert list(found.edges) == sorted(set(found.edges))


def test_nothing_has_no_bars() -> None:
    assert cases.timeline(SYSTEM, cases.CaseFilter(categories=("无此类别",))).edges == ()


def test_a_grid_has_the_cases_that_the_ranking_says(plan_id: int) -> None:
    first = cases.by_grid(SYSTEM, plan_id)[0]
    wanted = cases.CaseFilter(grid_id=first["grid_id"])
    assert cases.totals(SYSTEM, wanted)["total"] == cases.timeline(SYSTEM, wanted).total == first["cases"] > 0
    with pytest.raises(NotFound):
        cases.totals(SYSTEM, cases.CaseFilter(grid_id=2**60))
    with pytest.raises(NotFound):
        cases.totals(SYSTEM, cases.CaseFilter(grid_id=first["grid_id"], plan_id=plan_id + 1))


def test_rates_are_drawn_to_the_mean_of_all_and_do_not_depend_on_the_view(plan_id: int) -> None:
    whole = cases.rates_by_grid(SYSTEM, plan_id)
    lived = [row for row in whole.rows if row["households"]]
    assert whole.mean == pytest.approx(
        1000 * sum(row["cases"] for row in lived) / sum(row["households"] for row in lived), abs=0.01
    )
    for row in whole.rows:
        if not row["households"]:
            assert row["smoothed"] is None
            continue
        low, high = sorted((row["per_1000_households"], whole.mean))
        assert low - 0.02 <= row["smoothed"] <= high + 0.02
    for order in ("per_1000_households", "smoothed"):
        first = cases.rates_by_grid(SYSTEM, plan_id, order=order, limit=20).rows
        wanted = sorted((row[order] for row in whole.rows if row["households"]), reverse=True)[:20]
        assert [row[order] for row in first] == wanted
    with transaction() as session:
        at = session.execute(
            sa.select(
                sa.func.ST_X(sa.func.ST_PointOnSurface(Grid.geom)), sa.func.ST_Y(sa.func.ST_PointOnSurface(Grid.geom))
            ).where(Grid.id == lived[0]["grid_id"])
        ).one()
    seen = cases.rates_by_grid(SYSTEM, plan_id, bounds=(at[0], at[1], at[0] + 1e-6, at[1] + 1e-6))
    assert 1 <= len(seen.rows) < len(whole.rows)
    assert (seen.grids, seen.cases, seen.mean) == (whole.grids, whole.cases, whole.mean)
    assert set(map(str, seen.rows)) < set(map(str, whole.rows))


def test_two_periods(plan_id: int, moments: list[datetime]) -> None:
    after = datetime(2026, 1, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE)
    before = datetime(2025, 1, 1, tzinfo=ZONE), datetime(2025, 7, 1, tzinfo=ZONE)
    wanted = cases.CaseFilter(start=after[0], end=after[1])
    found = incidents.two_periods(SYSTEM, wanted, before, plan_id=plan_id)
    counted = [sum(low <= one < high for one in moments) for low, high in (before, after)]
    assert [found.whole.before, found.whole.after] == counted
    assert found.whole.ratio == pytest.approx(counted[1] / counted[0])
    assert found.whole.low < found.whole.ratio < found.whole.high  # type: ignore[operator]
    for parts in (found.categories, found.regions):
        assert sum(one.before for one in parts) == counted[0] and sum(one.after for one in parts) == counted[1]
    grids = {row["grid_id"]: row["cases"] for row in cases.by_grid(SYSTEM, plan_id, wanted)}
    assert found.grids and all(one.after == grids[one.id] for one in found.grids)  # type: ignore[index]
    words = [one.word for one in found.grids]
    assert words == sorted(words, key=lambda word: word == "same"), "what changed surely comes first"
    same = incidents.two_periods(SYSTEM, wanted, after)
    assert same.whole.word == "same" and same.whole.ratio == 1 and same.grids == ()
    for bad in ((after[1], after[0]), (after[0], after[0])):
        with refused(Invalid, "CASES_PERIODS"):
            incidents.two_periods(SYSTEM, wanted, bad)
    with refused(Invalid, "CASES_PERIODS"):
        incidents.two_periods(SYSTEM, cases.CaseFilter(start=after[0]), before)


def test_nothing_before_has_no_ratio() -> None:
    since = datetime(1999, 1, 1, tzinfo=ZONE)
    wanted = cases.CaseFilter(start=datetime(2026, 1, 1, tzinfo=ZONE), end=datetime(2026, 2, 1, tzinfo=ZONE))
    found = incidents.two_periods(SYSTEM, wanted, (since, since.replace(month=2)))
    assert found.whole.before == 0 < found.whole.after
    assert (found.whole.ratio, found.whole.high, found.whole.word) == (None, None, "more")


def test_single_cases_of_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    month = cases.CaseFilter(start=datetime(2026, 5, 1, tzinfo=ZONE), end=datetime(2026, 5, 8, tzinfo=ZONE), bbox=BOX)
    total = cases.totals(SYSTEM, month)["located"]
    monkeypatch.setattr(places, "POINTS_MAX", total)
    found = cases.in_view(SYSTEM, month)
    assert len(found) == total > 0
    assert [one.occurred_at for one in found] == sorted((one.occurred_at for one in found), reverse=True)
    assert 0 < len(cases.in_view(NORTH, month)) < total
    monkeypatch.setattr(places, "POINTS_MAX", total - 1)
    with refused(TooLarge, "CASES_TOO_MANY"):
        cases.in_view(SYSTEM, month)


def test_cases_whose_place_was_not_found_are_told_by_grid(plan_id: int) -> None:
    """They count in the ranking, which says so: the grid of the office they were put down at is not the worst."""
    rows = cases.rates_by_grid(SYSTEM, plan_id).rows
    stacks = [one for one in incidents.hot_spots(SYSTEM, plan_id, cases.CaseFilter()).stacks if one.unplaced]
    assert sum(row["unplaced"] for row in rows) == sum(one.cases for one in stacks) > 0
    assert all(0 <= row["unplaced"] <= row["cases"] for row in rows)
