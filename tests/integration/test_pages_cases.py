"""The page of cases and its API: the sums agree with each other and with the database."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from geodata.density import BREAKS
from gridmap.db.engine import transaction
from gridmap.db.models import Case
from tests.web import add_person, make_app, signed_in


@pytest.fixture
def client(demo_url: str, tmp_path: Path) -> FlaskClient:
    add_person("boss")
    return signed_in(make_app(tmp_path), "boss")


def test_the_page_opens_with_any_address(client: FlaskClient) -> None:
    for query in ("", "?bandwidth=100&region=339901001000", "?bandwidth=7&since=never&plan=77&region=0&grid=x"):
        page = client.get(f"/cases{query}")
        assert page.status_code == 200
        assert f"{BREAKS[-1]:,.0f}" in page.text, "the legend has its numbers"


def test_sums_agree(client: FlaskClient) -> None:
    sums = client.get("/api/v1/cases/sums").get_json()
    with transaction() as session:
        counted = session.scalar(sa.select(sa.func.count()).select_from(Case))
    assert sums["total"] == counted
    assert sum(one["cases"] for one in sums["categories"]) == counted
    assert sum(one["cases"] for one in sums["months"]) == counted
    assert sum(map(sum, sums["week"])) == counted
    assert [len(day) for day in sums["week"]] == [24] * 7


def test_filters_narrow_all_views_alike(client: FlaskClient) -> None:
    name = client.get("/api/v1/cases/sums").get_json()["categories"][0]["name"]
    query = {
        "category": name,
        "region": "339901001000",
        "since": "2026-01-01T00:00:00+08:00",
        "until": "2026-07-01T00:00:00+08:00",
    }
    sums = client.get("/api/v1/cases/sums", query_string=query).get_json()
    listed = client.get("/api/v1/cases", query_string=query | {"limit": 5}).get_json()
    grids = client.get("/api/v1/plans/1/cases", query_string=query | {"limit": 2000}).get_json()
    assert 0 < sums["total"] == listed["total"]
    assert sum(row["cases"] for row in grids["items"]) == grids["cases"] <= sums["total"]
    assert {one["name"] for one in sums["months"]} <= {f"2026-{month:02d}" for month in range(1, 7)}
    assert all(row["category"] == name for row in listed["items"])
    first = grids["items"][0]
    if first["households"]:
        assert first["per_1000_households"] == pytest.approx(1000 * first["cases"] / first["households"], abs=0.01)


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-01-01T00:00:00"},
        {"since": "2026-02-01T00:00:00+08:00", "until": "2026-01-01T00:00:00+08:00"},
    ],
)
def test_times_without_sense_are_refused(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get("/api/v1/cases/sums", query_string=query)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "CASE_TIMES")


def test_the_heat_follows_a_region_code(client: FlaskClient) -> None:
    box = {"bbox": "119.5,29.5,120.6,30.8", "width": 64, "height": 64}
    everywhere = int(client.get("/api/v1/heat.png", query_string=box).headers["X-Cases"])
    north = int(client.get("/api/v1/heat.png", query_string=box | {"region": "339901001000"}).headers["X-Cases"])
    assert 0 < north < everywhere


def test_without_cases_the_page_leads_to_the_import(database_url: str, tmp_path: Path) -> None:
    add_person("boss")
    page = signed_in(make_app(tmp_path), "boss").get("/cases")
    assert page.status_code == 200
    assert 'href="/imports"' in page.text
