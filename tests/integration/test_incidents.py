"""Hot spots of the demo town: found where cases were planted, against a slow oracle, for whom they are meant."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from scipy import stats

from geodata.incidents.rates import rates
from gridmap.db.engine import transaction
from gridmap.services import cases, incidents
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter
from tests.cases import places
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("full_demo_url")
PLAN = 1


def neighbours() -> dict[int, set[int]]:
    """Grids that share a border longer than a point, by geometry alone."""
    with transaction() as session:
        rows = session.execute(
            sa.text(
                "SELECT a.id, b.id FROM grid a JOIN grid b ON b.plan_id = a.plan_id AND a.id <> b.id "
                "AND ST_Relate(a.geom, b.geom, '****1****') WHERE a.plan_id = 1"
            )
        ).all()
    found: dict[int, set[int]] = defaultdict(set)
    for a, b in rows:
        found[a].add(b)
    return found


def test_they_are_what_the_book_says() -> None:
    told = incidents.hot_spots(SYSTEM, PLAN, CaseFilter())
    assert told.spots and told.before is None and {one.kind for one in told.spots} == {None}
    known = CaseFilter(placed=True)
    rows = cases.by_grid(SYSTEM, PLAN, known)
    lived = [row for row in rows if row["households"]]
    value = dict(
        zip(
            (row["grid_id"] for row in lived),
            rates([row["cases"] for row in lived], [row["households"] for row in lived]).smoothed.tolist(),
            strict=True,
        )
    )
    rate = {row["grid_id"]: 1000 * row["cases"] / row["households"] for row in lived}
    beside, n = neighbours(), len(value)
    x = np.array(list(value.values()))
    z = {}
    for grid in value:
        near = [grid, *(one for one in beside[grid] if one in value)]
        above = sum(value[one] for one in near) - x.mean() * len(near)
        z[grid] = above / (x.std() * np.sqrt((n * len(near) - len(near) ** 2) / (n - 1)))
    q = dict(zip(z, stats.false_discovery_control(2 * stats.norm.sf(np.abs(list(z.values())))), strict=True))
    wanted = {grid for grid in z if z[grid] > 0 and q[grid] <= 0.05 and rate[grid] > told.rate}
    assert {grid for spot in told.spots for grid, _, _ in spot.grids} == wanted
    assert told.grids == n
    assert told.spots[0].ratio and told.spots[0].ratio > 1.5
    for spot in told.spots:
        assert spot.q == pytest.approx(min(q[grid] for grid, _, _ in spot.grids))
        assert spot.cases == sum(row["cases"] for row in rows if row["grid_id"] in {one[0] for one in spot.grids})


def test_many_cases_on_one_point_are_named_and_heat_nothing() -> None:
    told = incidents.hot_spots(SYSTEM, PLAN, CaseFilter())
    points = places()
    assert len(told.stacks) > 20, "every community of the demo town has an office where cases are put down"
    assert all(one.place and one.unplaced for one in told.stacks[:20])
    for one in told.stacks:
        assert one.cases == (points == np.array(one.lonlat)).all(axis=1).sum()
    away = sum(one.cases for one in told.stacks if one.unplaced)
    assert len(places(CaseFilter(placed=True))) == len(points) - away
    lost = cases.totals(SYSTEM)["total"] - cases.totals(SYSTEM, CaseFilter(placed=True))["total"]
    assert lost == away, "cases without a place stay"


def test_compared_with_as_long_a_time_before() -> None:
    points = cases.page(SYSTEM, limit=1).rows[0].occurred_at
    start = points - timedelta(days=90)
    told = incidents.hot_spots(SYSTEM, PLAN, CaseFilter(start=start, end=points))
    assert told.before == (start - timedelta(days=90), start)
    assert told.spots and {one.kind for one in told.spots} <= {"new", "lasting", "fading"}
    for one in told.spots:
        then = incidents.hot_spots(SYSTEM, PLAN, CaseFilter(start=told.before[0], end=told.before[1]))
        were = {grid for spot in then.spots if spot.kind != "fading" for grid, _, _ in spot.grids}
        own = {grid for grid, _, _ in one.grids}
        assert (one.kind in ("lasting", "fading")) == bool(own & were)
        assert one.before is not None and one.sentence.endswith("。")


def test_nothing_happened_and_no_grid() -> None:
    told = incidents.hot_spots(
        SYSTEM, PLAN, CaseFilter(start=datetime(1999, 1, 1, tzinfo=UTC), end=datetime(1999, 2, 1, tzinfo=UTC))
    )
    assert told.spots == () and told.stacks == () and told.rate == 0


@pytest.mark.parametrize("start", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)])
def test_where_nothing_can_be_before_nothing_is_compared(start: datetime) -> None:
    told = incidents.hot_spots(SYSTEM, PLAN, CaseFilter(start=start))
    assert told.before is None and {one.kind for one in told.spots} <= {None}
    assert bool(told.spots) == (start.year == 1)


def test_a_reader_of_a_part_learns_of_that_part_only() -> None:
    part = Actor("part", (Grant(Role.CASE_OFFICER, "339901001"),), locale="en")
    told = incidents.hot_spots(part, PLAN, CaseFilter())
    seen = {row["grid_id"] for row in cases.by_grid(part, PLAN)}
    assert {grid for spot in told.spots for grid, _, _ in spot.grids} <= seen
    assert told.grids < incidents.hot_spots(SYSTEM, PLAN, CaseFilter()).grids
    assert all("times the average" in spot.sentence for spot in told.spots)


def test_the_api_says_the_same(tmp_path: Path) -> None:
    add_person("reader-of-spots", "case_officer")
    client = signed_in(make_app(tmp_path), "reader-of-spots")
    answer: dict[str, Any] = client.get(f"/api/v1/plans/{PLAN}/hot-spots?since=2025-01-01T00:00:00%2B08:00").get_json()
    assert answer["items"] and set(answer["items"][0]) >= {"sentence", "grids", "kind", "ratio", "q"}
    assert answer["before"] is not None
    refused = client.get(f"/api/v1/plans/{PLAN}/hot-spots?since=2025-01-01T00:00:00")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "CASE_TIMES")
