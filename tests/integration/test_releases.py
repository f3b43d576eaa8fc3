"""Releases: what is made when, once and for all; what they say, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from gridmap.db.engine import transaction
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.services import cases, incidents
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter, release, released
from gridmap.services.incidents.released_spots import released_spots
from tests.web import add_person, make_app, signed_in

NORTH = "339901001"
VIEWER = Actor("viewer", (Grant(Role.VIEWER),))
PART = Actor("part", (Grant(Role.VIEWER, NORTH),))
#: The demo town's cases lie between November 2024 and November 2026.
AT = datetime(2026, 7, 20, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def made(shared_demo_url: str) -> tuple[int, ...]:
    assert not released.periods(VIEWER).releases
    assert released.figures(VIEWER).rows == ()
    with pytest.raises(NotFound):
        released.profile(VIEWER)
    with transaction() as session:  # a place where much happens
        session.execute(sa.text(
            "INSERT INTO case_record (category, occurred_at, region_id, unit_id)"
            " SELECT '治安', '2026-03-03 04:00+00', u.region_id, u.id"
            " FROM plan_unit p JOIN unit u ON u.id = p.unit_id"
            " JOIN grid g ON g.id = p.grid_id, generate_series(1, 400)"
            " WHERE p.plan_id = 1 AND g.households > 0"
            " AND g.region_id = (SELECT min(region_id) FROM grid)"))  # fmt: skip
    first = release.make(SYSTEM, moment=AT)
    return (*first, *release.make(SYSTEM, moment=datetime(2026, 10, 1, 1, tzinfo=UTC)))


def test_a_release_is_made_once(made: tuple[int, ...]) -> None:
    assert len(made) == 2 and release.make(SYSTEM, moment=datetime(2026, 10, 2, tzinfo=UTC)) == ()
    with pytest.raises(NotFound):
        release.make(PART)
    with pytest.raises(Forbidden):
        release.make(VIEWER)
    with transaction() as session:
        assert release.due(session, datetime(2026, 12, 31, 15, tzinfo=UTC)).spans == ()
        ((since, until),) = release.due(session, datetime(2026, 12, 31, 17, tzinfo=UTC)).spans  # next year in China
    assert (since, until - since) == (datetime(2026, 9, 30, 16, tzinfo=UTC), timedelta(days=92))
    for change in (
        "UPDATE case_release_place SET shown = '{1}'",
        "DELETE FROM case_release",
        "TRUNCATE case_release_place",
    ):
        with pytest.raises(DBAPIError), transaction() as session:
            session.execute(sa.text(change))
    with pytest.raises(DBAPIError), transaction() as session:  # no case in two releases
        session.execute(sa.text(
            "INSERT INTO case_release (since, until, columns) VALUES ('2026-09-01', '2026-12-01', '[]')"))  # fmt: skip


def test_nothing_is_released_of_itself_right_after_an_import() -> None:
    with transaction() as session:
        later = datetime(2027, 1, 15, tzinfo=UTC)
        assert release.due(session, later).now(later)  # the demo town is no import
        session.execute(sa.text(
            "INSERT INTO import_batch (sha256, filename, size_bytes, kind, state, accepted_at)"
            " VALUES ('x', 'cases.csv', 1, 'cases', 'accepted', '2027-01-14 12:00+00')"))  # fmt: skip
        found = release.due(session, later)
        assert found.spans and not found.now(later) and found.now(later + timedelta(hours=12))
        session.rollback()


def test_what_is_shown_is_exact() -> None:
    """Against the exact sums of those who may see them; nothing below 5 but nought is ever shown."""
    for since, until, start, end in (
        ("2024-10", "2026-06", None, datetime(2026, 6, 30, 16, tzinfo=UTC)),
        ("2026-07", "2026-09", datetime(2026, 6, 30, 16, tzinfo=UTC), datetime(2026, 9, 30, 16, tzinfo=UTC)),
        ("2025-02", "2025-04", datetime(2025, 1, 31, 16, tzinfo=UTC), datetime(2025, 4, 30, 16, tzinfo=UTC)),
        ("2026-05", "2026-05", datetime(2026, 4, 30, 16, tzinfo=UTC), datetime(2026, 5, 31, 16, tzinfo=UTC)),
    ):
        counted = {row["grid_id"]: row["cases"] for row in cases.by_grid(SYSTEM, 1, CaseFilter(start=start, end=end))}
        found = released.figures(VIEWER, since=since, until=until)
        assert found.plan_id == 1 and {row.grid_id for row in found.rows} == set(counted)
        for row in found.rows:
            if row.cases is not None:
                assert (row.cases, row.text) == (counted[row.grid_id or 0], str(row.cases))
                assert row.cases == 0 or row.cases >= 5
            elif row.text == "<5":
                assert 0 < counted[row.grid_id or 0] < 5
        assert any(row.cases for row in found.rows)
        (whole,) = released.figures(VIEWER, level="all", since=since, until=until).rows
        assert whole.cases == cases.totals(SYSTEM, CaseFilter(start=start, end=end))["total"]


def test_each_attribute_by_itself() -> None:
    found = released.profile(VIEWER)
    end = datetime(2026, 9, 30, 16, tzinfo=UTC)
    exact = cases.totals(SYSTEM, CaseFilter(end=end))
    assert found.whole.cases == exact["total"]
    assert {one.key: one.cases for one in found.months if one.cases} == dict(exact["months"])
    assert {one.key: one.cases for one in found.categories} == dict(exact["categories"])
    assert [one.cases for one in found.weekdays] == [sum(day) for day in exact["week"]]
    blocks = [sum(day[hour] for day in exact["week"] for hour in range(4 * n, 4 * n + 4)) for n in range(6)]
    assert [one.cases for one in found.hours] == blocks


def test_category_and_month_together_are_not_released() -> None:
    name = released.periods(VIEWER).categories[0]
    whole = released.figures(VIEWER, level="county", categories=[name])
    assert (
        whole.rows[0].cases
        == cases.totals(SYSTEM, CaseFilter(categories=(name,), end=datetime(2026, 9, 30, 16, tzinfo=UTC)))["total"]
    )
    assert released.figures(VIEWER, level="county", categories=[name], since="2026-07").rows[0].cases
    for since, until in (("2026-01", "2026-03"), ("2026-01", "2026-09"), ("2026-07", "2026-08")):
        with pytest.raises(Invalid) as caught:
            released.figures(VIEWER, categories=[name], since=since, until=until)
        assert caught.value.code == "CASES_RELEASE_WHOLE"
    for since, until in (("2023-01", "2026-03"), ("2026-03", "2026-01"), ("2026-03", "2026-10")):
        with pytest.raises(Invalid) as caught:
            released.figures(VIEWER, since=since, until=until)
        assert caught.value.code == "CASES_RELEASE_MONTHS"


def test_who_sees_a_part_sees_the_same_figures_of_it() -> None:
    whole = {row.grid_id: row for row in released.figures(VIEWER, since="2026-08", until="2026-08").rows}
    mine = released.figures(PART, since="2026-08", until="2026-08").rows
    assert 0 < len(mine) < len(whole) and all(row == whole[row.grid_id] for row in mine)
    assert all(row.region_code.startswith(NORTH) for row in mine)
    assert released.figures(PART, level="all").rows == released.figures(PART, level="county").rows == ()
    assert released.profile(PART, region=NORTH + "000").whole == released.profile(VIEWER, region=NORTH + "000").whole
    for elsewhere in (None, "339901002000"):
        with pytest.raises(NotFound):
            released.profile(PART, region=elsewhere)
    assert released.figures(VIEWER, region=NORTH + "000").total == len(mine)


def test_hot_spots_are_made_of_what_is_published() -> None:
    """The same for everybody; grids that are withheld take part with something in their place."""
    found = released_spots(VIEWER)
    exact = incidents.hot_spots(SYSTEM, 1, CaseFilter(end=datetime(2026, 9, 30, 16, tzinfo=UTC)))
    assert found and {one[0] for one in found[0].grids} & {grid[0] for spot in exact.spots for grid in spot.grids}
    shown = {row.grid_id: row for row in released.figures(VIEWER).rows}
    for spot in found:
        assert spot.cases == sum(shown[grid].cases or 0 for grid, _, _ in spot.grids)
        assert spot.whole == all(shown[grid].cases is not None for grid, _, _ in spot.grids)
        assert f"{spot.cases:,}" in spot.sentence and spot.ratio > 1
    assert released_spots(SYSTEM) == found and released_spots(VIEWER, since="2026-08", until="2026-08") is not None


def test_late_cases_change_nothing() -> None:
    before = released.figures(VIEWER, level="community").rows
    with transaction() as session:
        session.execute(
            sa.text(
                "UPDATE case_record SET occurred_at = '2026-02-02' WHERE id IN (SELECT id FROM case_record LIMIT 50)"
            )
        )
        session.flush()
    assert released.figures(VIEWER, level="community").rows == before
    assert release.make(SYSTEM, moment=datetime(2026, 10, 2, tzinfo=UTC)) == ()


def test_the_pages_of_those_without_the_right(tmp_path: Path) -> None:
    add_person("looker", "viewer")
    add_person("norther", "viewer", NORTH + "000")
    add_person("officer", "case_officer", NORTH + "000")
    app = make_app(tmp_path)
    page = signed_in(app, "looker").get("/cases").text
    assert "为什么有些数显示为" in page and "released-page.js" in page and "cases/index.js" not in page
    assert "released-page.js" in signed_in(app, "norther").get("/cases").text
    assert "cases/index.js" in signed_in(app, "officer").get("/cases").text
    assert "此页是其他人看到的样子" in signed_in(app, "officer").get("/cases/released").text
    answer = signed_in(app, "norther").get("/api/v1/cases/released?level=community&since=2026-08&until=2026-08").json
    assert answer is not None and {row["code"][:9] for row in answer["items"]} == {NORTH}
    assert signed_in(app, "norther").get("/api/v1/cases/released/profile?region=339901002000").status_code == 404
    assert signed_in(app, "norther").get("/api/v1/cases/released?since=2026-13").json["code"] == "CASES_RELEASE_MONTHS"  # type: ignore[index]


def test_sensitive_categories_are_in_no_release(databases: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out when the release is made: neither named nor counted."""
    from gridmap.settings import settings

    name = released.periods(VIEWER).categories[0]
    monkeypatch.setenv("GRIDMAP_SENSITIVE_CATEGORIES", name)
    settings.cache_clear()
    try:
        with transaction() as session:
            session.execute(sa.text("ALTER TABLE case_release DISABLE TRIGGER USER"))
            session.execute(sa.text("ALTER TABLE case_release_place DISABLE TRIGGER USER"))
            session.execute(sa.text("DELETE FROM case_release"))
            release.make.within(session, SYSTEM, moment=AT)
            found = released.profile.within(session, VIEWER)
            known = released.periods.within(session, VIEWER).categories
            rest = "SELECT count(*) FROM case_record WHERE category <> :name AND occurred_at < '2026-06-30 16:00+00'"
            counted = session.scalar(sa.text(rest), {"name": name})
            assert name not in known and name not in [one.key for one in found.categories]
            assert found.whole.cases == counted
            session.rollback()
    finally:
        settings.cache_clear()
