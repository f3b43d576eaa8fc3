"""The pages of regions: the tree, one region, building its units."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from gridmap.jobs.tasks import build_units
from gridmap.services import regions
from gridmap.services.actor import SYSTEM
from tests.web import add_person, csrf_of, make_app, signed_in


@pytest.fixture
def app(demo_url: str, tmp_path: Path) -> Flask:
    add_person("boss")
    add_person("north", "planner", "339901001000")
    add_person("looker", "viewer", "339901001000")
    return make_app(tmp_path)


def test_the_tree_and_every_region_render(app: Flask) -> None:
    client = signed_in(app, "boss")
    tree = regions.tree(SYSTEM)
    page = client.get("/regions").text
    assert all(one.code in page for one in tree)
    for one in tree:
        assert client.get(f"/regions/{one.code}").status_code == 200, one.name
    assert client.get("/regions/999999999999").status_code == 404


def test_a_planner_sees_only_the_own_subtree(app: Flask) -> None:
    client = signed_in(app, "north")
    page = client.get("/regions").text
    assert "339901001000" in page
    assert "339901002000" not in page
    assert client.get("/regions/339901002000").status_code == 404
    inside = client.get("/regions/339901001001").text
    assert "重新划分单元" in inside
    assert "澄川县 · 社区（村）" in inside, "the county above by its name only"
    assert "/regions/339901000000" not in inside
    assert "个单元退役" in inside, "the question says what retires"


def test_units_are_built_by_a_job_of_a_planner(app: Flask) -> None:
    client = signed_in(app, "north")
    path = "/regions/339901001001"
    before = regions.get(SYSTEM, "339901001001")
    token = csrf_of(client, path)
    answer = client.post(f"{path}/units", data={"csrf_token": token})
    assert answer.location is not None
    job_id = int(answer.location.rsplit("=", 1)[1])
    build_units(job_id)
    told = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert told["state"] == "done", told
    assert told["result"]["households"] == before.households
    assert told["result"]["retired"] == before.units
    assert "单元已划分" in client.get(answer.location).text
    assert client.post("/regions/339901002001/units", data={"csrf_token": token}).status_code == 404


def test_a_viewer_builds_nothing(app: Flask) -> None:
    client = signed_in(app, "looker")
    path = "/regions/339901001001"
    assert "重新划分单元" not in client.get(path).text
    assert client.post(f"{path}/units", data={"csrf_token": csrf_of(client, path)}).status_code == 403


def test_a_job_of_elsewhere_is_not_shown(app: Flask) -> None:
    boss = signed_in(app, "boss")
    path = "/regions/339901002001"
    answer = boss.post(f"{path}/units", data={"csrf_token": csrf_of(boss, path)})
    assert answer.location is not None
    job_id = answer.location.rsplit("=", 1)[1]
    assert signed_in(app, "north").get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_the_api_tells_what_the_page_tells(app: Flask) -> None:
    client = signed_in(app, "north")
    listed = client.get("/api/v1/regions").get_json()["items"]
    assert [one["code"] for one in listed] == sorted(one["code"] for one in listed)
    assert all(one["code"].startswith("339901001") for one in listed)
    one = client.get("/api/v1/regions/339901001001").get_json()
    assert one == next(row for row in listed if row["code"] == one["code"])
    outlines = client.get("/api/v1/regions.geojson?level=community").get_json()["features"]
    assert {row["id"] for row in outlines} == {row["code"] for row in listed if row["level"] == "community"}
    assert client.get("/api/v1/regions/339901002000").status_code == 404
