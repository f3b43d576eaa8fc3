"""Load under another plan: exactly the points in the grids' polygons, for drafts with moved, cut and free ground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.services import load as loads
from gridmap.services import plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.load.figures import Side, spread
from gridmap.settings import settings
from tests.drafts import Draft, convex
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url", "data_dir")

HERE = "339901001000"


@pytest.fixture(scope="module", params=["moved", "cut"])
def draft(shared_demo_url: str, request: pytest.FixtureRequest) -> Iterator[Draft]:
    """A copy of the plan in force with units in other grids and in none; "cut": a unit in two pieces besides."""
    made = Draft(plans.copy_plan(SYSTEM, 1, name="调整草案"))
    first, second, mine, theirs = made.neighbours()
    made.move(mine[:1], second)
    made.move(theirs[:1], None)
    if request.param == "cut":
        unit = convex([unit for unit, grid in made.units().items() if grid == first])
        made.cut(unit)
        pieces = sorted(set(made.units()) - set(Draft(1).units()))
        made.move(pieces[:1], second)
    yield made
    plans.delete(SYSTEM, made.id)


def counted(plan: int, since: date, until: date, categories: tuple[str, ...] = ()) -> dict[int, int]:
    """Cases strictly inside the polygons of a plan's grids (micro-grids lie in their parents), by Shapely."""
    zone = ZoneInfo(settings().time_zone)
    ends = {
        "since": datetime(since.year, since.month, since.day, tzinfo=zone).astimezone(UTC),
        "until": datetime(until.year, until.month, until.day, tzinfo=zone).astimezone(UTC) + timedelta(days=1),
    }
    with transaction() as session:
        text = "SELECT id, ST_AsBinary(geom) FROM grid WHERE plan_id = :p AND parent_id IS NULL AND geom IS NOT NULL"
        grids = session.execute(sa.text(text), {"p": plan}).all()
        text = (
            "SELECT category, ST_AsBinary(point) FROM case_record"
            " WHERE point IS NOT NULL AND occurred_at >= :since AND occurred_at < :until"
        )
        cases = [row for row in session.execute(sa.text(text), ends) if not categories or row[0] in categories]
    points = shapely.from_wkb([bytes(row[1]) for row in cases])
    tree = shapely.STRtree(shapely.from_wkb([bytes(row[1]) for row in grids]))
    inside = tree.query(points, predicate="within")[1]
    assert not len(np.setdiff1d(np.unique(tree.query(points, predicate="touches")[0]), [])), "a case on a border"
    return dict(zip([row[0] for row in grids], np.bincount(inside, minlength=len(grids)).tolist(), strict=True))


@pytest.mark.parametrize("some", [False, True])
def test_cases_are_the_points_in_the_polygons(draft: Draft, some: bool) -> None:
    with transaction() as session:
        kinds = session.scalars(sa.text("SELECT DISTINCT category FROM case_record ORDER BY 1")).all()
    chosen = tuple(kinds[:2]) if some else ()
    whole = loads.load(SYSTEM, draft.id)
    since = whole.until - timedelta(days=40) if some else None
    found = loads.load(SYSTEM, draft.id, wanted=loads.Wanted(since=since, categories=chosen))
    assert found.other is not None and found.other.id == 1
    for plan, side in ((1, "before"), (draft.id, "after")):
        known = counted(plan, found.since, found.until, chosen)
        told = {one.id: one.cases for row in found.rows if (one := getattr(row, side)) is not None}
        assert {id: n for id, n in told.items() if n} == {id: n for id, n in known.items() if n}
        total = getattr(found, side)
        assert total.cases == sum(known.values()) > 0
    grids = draft.grids()
    for row in found.rows:
        if row.after is not None:
            assert (row.after.households, row.after.workers) == (
                grids[row.after.id]["households"],
                grids[row.after.id]["workers"],
            )
    assert some or any(row.by for row in found.rows)


def test_the_spread_is_what_numpy_says() -> None:
    def side(cases: int, households: int = 100, workers: int | None = 1) -> Side:
        return Side(cases, str(cases), None, households, workers, cases)

    found = spread([side(10), side(0), side(30, 50, 2), side(20, 0, None)], limit=15)
    assert (found.least, found.median, found.most, found.mean, found.above) == (0, 15.0, 30, 15.0, 2)
    values = np.array([0, 10, 20, 30])
    pairs = np.abs(values[:, None] - values[None, :]).mean()
    assert found.gini == pytest.approx(pairs / (2 * values.mean()))
    assert found.variation == pytest.approx(values.std() / values.mean())
    assert found.busiest and found.busiest.cases == 30 and found.busiest.per_worker == 15
    assert found.densest and found.densest.rate == 600 and found.strained and found.strained.per_worker == 15
    assert spread([side(5), side(5)], 5).gini == 0 and spread([], 1).gini == 0 and spread([side(0)], 1).variation == 0


def test_sentences_say_what_the_draft_changes(draft: Draft) -> None:
    found = loads.load(SYSTEM, draft.id, wanted=loads.Wanted(limit=20))
    assert found.before is not None
    zh, en = loads.sentences(found, "zh"), loads.sentences(found, "en")
    assert len(zh) == len(en) >= 4
    assert f"{found.after.most:,} 件" in zh[0] and "最忙的网格" in zh[0]
    assert str(found.before.above) in zh[1] or found.before.above == found.after.above
    assert any("20 件" in text for text in zh) and all("{" not in text for text in zh + en)
    alone = loads.load(SYSTEM, 1)
    assert alone.other is None and alone.before is None and len(loads.sentences(alone, "zh")) == 1


def test_only_for_whom_exact_figures_are(draft: Draft) -> None:
    with pytest.raises(Forbidden) as refused:
        loads.load(Actor("approver", (Grant(Role.APPROVER),)), draft.id)
    assert refused.value.code == "CASES_SMALL_NUMBERS"
    with pytest.raises(Forbidden):
        loads.load(Actor("reader", (Grant(Role.VIEWER),)), 1)
    with pytest.raises(NotFound):  # who only looks sees no draft
        loads.load(Actor("reader", (Grant(Role.VIEWER),)), draft.id)
    part = loads.load(Actor("planner", (Grant(Role.PLANNER, HERE[:9]),)), draft.id)
    assert part.rows and all((row.region_code or HERE).startswith(HERE[:9]) for row in part.rows)
    whole = {row.after.id: row.after.cases for row in loads.load(SYSTEM, draft.id).rows if row.after}
    assert all(row.after.cases <= whole[row.after.id] for row in part.rows if row.after)


def test_more_grids_than_are_drawn_are_told_by_region(
    draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridmap.services.load.rows.MAX_FEATURES", 3)
    add_person(f"head{draft.id}")
    client = signed_in(make_app(tmp_path), f"head{draft.id}")
    values = client.get(f"/api/v1/plans/{draft.id}/load/values").get_json()
    found = loads.load(SYSTEM, draft.id)
    areas = client.get(f"/api/v1/coverage.geojson?of=regions&plan={draft.id}&region={found.region_code}").get_json()
    for side in ("before", "after"):
        grids = [(row.region_code, one) for row in found.rows if (one := getattr(row, side)) and row.region_code]
        assert {code for code, _, _ in values[side]} <= {one["id"] for one in areas["features"]}
        for code, cases, rate in values[side]:
            mine = [one for home, one in grids if home.startswith(code[:9])]
            assert cases == pytest.approx(sum(one.cases for one in mine) / len(mine), abs=0.06)
            assert rate == pytest.approx(
                1000 * sum(one.cases for one in mine) / sum(one.households for one in mine), abs=0.01
            )
    assert "of=regions" in client.get(f"/plans/{draft.id}/load").text.replace('"of": "regions"', "of=regions")


def test_page_and_api_and_file(draft: Draft, tmp_path: Path) -> None:
    add_person(f"chief{draft.id}")
    add_person(f"looker{draft.id}", "viewer")
    app = make_app(tmp_path)
    client = signed_in(app, f"chief{draft.id}")
    told = client.get(f"/api/v1/plans/{draft.id}/load?most=20").get_json()
    page = client.get(f"/plans/{draft.id}/load?most=20").text
    assert all(text in page for text in told["sentences"])
    rows = client.get(f"/api/v1/plans/{draft.id}/load/grids?limit=500&order=cases").get_json()
    cases = [row["after"]["cases"] if row["after"] else row["before"]["cases"] for row in rows["items"]]
    assert cases == sorted(cases, reverse=True)
    values = client.get(f"/api/v1/plans/{draft.id}/load/values").get_json()
    assert sum(one[1] for one in values["after"]) == told["after"]["cases"]
    assert client.get(f"/plans/{draft.id}/load?since=2025-05-02&until=2025-05-01").status_code == 422
    assert client.get(f"/plans/{draft.id}/load?since=never").status_code == 422
    assert "/load" in client.get(f"/plans/{draft.id}").text
    sheets = pd.read_excel(loads.export(SYSTEM, draft.id, "xlsx"), sheet_name=None)
    assert set(sheets) == {"按网格", "分布", "说明"}
    assert sheets["按网格"]["事件（新）"].sum() == told["after"]["cases"]
    assert len(pd.read_csv(loads.export(SYSTEM, draft.id, "csv"))) == rows["total"]
    with pytest.raises(Invalid):
        loads.export(SYSTEM, draft.id, "doc")
    with pytest.raises(Invalid):
        loads.load(SYSTEM, draft.id, wanted=loads.Wanted(limit=0))
    looker = signed_in(app, f"looker{draft.id}")
    assert [looker.get(f"/plans/{plan}/load").status_code for plan in (1, draft.id)] == [403, 404]
    assert "/load" not in looker.get("/plans/1").text


@pytest.fixture(scope="module", autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Exports of the module in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("GRIDMAP_DATA_DIR", str(folder))
        settings.cache_clear()
        yield folder
    settings.cache_clear()
