"""The pages and the API of redraws: ask, follow, stop, read what came of it, discard; and who may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gridmap.jobs.tasks import redraw_plan
from gridmap.services import plans, redraw
from gridmap.services.actor import SYSTEM
from gridmap.settings import settings
from tests.web import add_person, csrf_of, make_app, signed_in

TOWN = "339901001000"
FORM = {"region": TOWN, "preset": "balanced", "seconds": "5", "seed": "1", "locks": "", "name": ""}


@pytest.fixture
def app(demo_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield make_app(tmp_path)
    settings.cache_clear()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    add_person("boss")
    return signed_in(app, "boss")


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    """Post a form; status, and where it leads or what the page says."""
    answer = client.post(path, data={"csrf_token": csrf_of(client, "/plans"), **data})
    return answer.status_code, answer.location or answer.text


def send(client: FlaskClient, path: str, **body: object) -> tuple[int, Any]:
    """Post to the API."""
    answer = client.post(f"/api/v1{path}", json=body, headers={"X-CSRFToken": csrf_of(client, "/plans")})
    return answer.status_code, answer.get_json()


def finished(client: FlaskClient) -> int:
    """A proposal made by the API; its plan."""
    status, job = send(client, "/plans/1/redraw", region=TOWN, seconds=0.5)
    assert status == 202, job
    redraw_plan(job["id"])
    return int(client.get(f"/api/v1/jobs/{job['id']}").get_json()["result"]["plan_id"])


def test_from_the_plan_to_a_proposal_and_away(client: FlaskClient) -> None:
    assert 'href="/plans/1/redraw"' in client.get("/plans/1").text
    page = client.get("/plans/1/redraw").text
    assert "重新划分" in page and TOWN in page and "还没有。" in page
    status, address = post(client, "/plans/1/redraw", **FORM)
    assert (status, address.split("=")[0]) == (302, "/plans/1/redraw?job")
    job_id = int(address.split("=")[1])
    waiting = client.get(address).text
    assert f'data-job="{job_id}"' in waiting and "取消，不保留" in waiting and "采用目前最好" not in waiting
    redraw_plan(job_id)
    done = client.get(address).text
    assert "机器建议：城北街道" in done and "不可避免（附证明）" in done and "建议方案“" in done
    made = redraw.proposals(SYSTEM, 1)[0]
    proposal = client.get(f"/plans/{made.plan_id}").text
    assert "以方案“现行网格”第" in proposal and "前后对比" in proposal
    post(client, "/language", locale="en")
    english = client.get(f"/plans/{made.plan_id}").text
    assert "Unavoidable, with proof" in english
    assert not re.search(r'class="under">[^<]*[\u3400-\u9fff]', english.split('class="card proposal"')[1])
    assert post(client, f"/plans/{made.plan_id}/discard", base=1) == (302, "/plans/1/redraw")
    assert plans.get(SYSTEM, made.plan_id).state == "archived"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"locks": "339901001001999"}, "方案中没有编码为"),
        ({"seed": "-3"}, "随机种子应为"),
        ({"seed": "x"}, "field-error"),
        ({"region": "110101000000"}, "field-error"),
        ({"preset": "pretty"}, "field-error"),
        ({"seconds": "86400"}, "field-error"),
        ({"name": "长" * 121}, "最多"),
    ],
)
def test_a_form_filled_wrongly_is_a_sentence(client: FlaskClient, wrong: dict[str, str], text: str) -> None:
    status, page = post(client, "/plans/1/redraw", **FORM | wrong)
    assert status == 422 and text in page


def test_stopping_by_the_page_and_the_api(client: FlaskClient) -> None:
    _, address = post(client, "/plans/1/redraw", **FORM)
    job_id = int(address.split("=")[1])
    assert post(client, f"/plans/1/redraw/{job_id}/stop", how="cancel") == (302, address)
    assert "已按要求取消" in client.get(address).text
    status, body = send(client, f"/jobs/{job_id}/stop", how="keep")
    assert (status, body["code"]) == (409, "JOB_NOT_STOPPABLE")
    assert send(client, "/jobs/999/stop")[0] == 404
    assert post(client, "/plans/1/check")[0] == 302
    checking = client.get("/plans/1").text.split('data-job="')[1].split('"')[0]
    assert send(client, f"/jobs/{checking}/stop")[0] == 409, "a check cannot be stopped"


def test_the_api_tells_how_a_plan_came_about(client: FlaskClient) -> None:
    plan_id = finished(client)
    told = client.get(f"/api/v1/plans/{plan_id}/provenance").get_json()
    assert told["made"]["base"] == 1 and told["made"]["region"] == TOWN
    assert told["violations"] and all(one["reason_en"] for one in told["violations"])
    assert client.get("/api/v1/plans/1/provenance").get_json() == {"made": None, "violations": []}


def test_the_api_refuses_what_makes_no_sense(client: FlaskClient) -> None:
    for body in ({"seconds": 0}, {"seconds": 1e9}, {"seed": -1}, {"preset": "x"}, {"region": "abc"}, {"colour": "red"}):
        assert send(client, "/plans/1/redraw", **body)[0] == 422, body
    status, error = send(client, "/plans/1/redraw", weights={"beauty": 1})
    assert (status, error["code"]) == (422, "PLAN_REDRAW_WEIGHT_UNKNOWN")


def test_a_planner_of_a_part_chooses_among_its_regions(app: Flask) -> None:
    add_person("north", "planner", TOWN)
    planner = signed_in(app, "north")
    page = planner.get("/plans/1/redraw").text
    assert TOWN in page and 'value="339901002000"' not in page
    status, address = post(planner, "/plans/1/redraw", **FORM)
    assert status == 302
    redraw_plan(int(address.split("=")[1]))
    mine = redraw.proposals(SYSTEM, 1)[0]
    assert plans.get(SYSTEM, mine.plan_id).region_code == TOWN
    assert send(planner, "/plans/1/redraw", region="339901002000")[0] in (403, 404)


def test_a_viewer_looks_and_asks_for_nothing(app: Flask, client: FlaskClient) -> None:
    plan_id = finished(client)
    add_person("looker", "viewer")
    viewer = signed_in(app, "looker")
    assert 'href="/plans/1/redraw"' not in viewer.get("/plans/1").text
    assert "没有规划权限" in viewer.get("/plans/1/redraw").text
    assert viewer.get(f"/plans/{plan_id}").status_code == 404  # a draft
    assert post(viewer, "/plans/1/redraw", **FORM)[0] == 403
    assert post(viewer, f"/plans/{plan_id}/discard")[0] == 404
    add_person("decider", "approver")
    decider = signed_in(app, "decider")
    assert "机器建议" in decider.get(f"/plans/{plan_id}").text
    assert post(decider, f"/plans/{plan_id}/discard")[0] == 403


def test_who_sees_a_part_does_not_read_about_the_whole(app: Flask, client: FlaskClient) -> None:
    status, job = send(client, "/plans/1/redraw", seconds=0.5)
    assert status == 202
    redraw_plan(job["id"])
    plan_id = client.get(f"/api/v1/jobs/{job['id']}").get_json()["result"]["plan_id"]
    add_person("south", "planner", "339901002000")
    planner = signed_in(app, "south")
    assert planner.get(f"/api/v1/jobs/{job['id']}").status_code == 404
    assert planner.get(f"/api/v1/plans/{plan_id}/provenance").get_json()["made"] is None
    assert "card proposal" not in planner.get(f"/plans/{plan_id}").text
    assert post(planner, f"/plans/{plan_id}/discard")[0] in (403, 404)


def test_the_command_prints_what_came_of_it(demo_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import json

    from click.testing import CliRunner

    from gridmap.cli import main

    monkeypatch.setenv("DATABASE_URL", demo_url)
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    settings.cache_clear()

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["redraw", "--plan", "1", "--seconds", "0.5", *arguments])

    told = run("--region", TOWN, "--weight", "moved=0.01", "--name", "甲", "--json")
    document = json.loads(told.stdout)
    assert told.exit_code == (1 if document["avoidable"] else 0)
    assert (document["name"], document["region"]) == ("甲", TOWN)
    assert len(document["violations"]) == document["avoidable"] + document["unavoidable"]
    assert "->" in run("--region", TOWN).output
    assert run("--weight", "moved").exit_code == 2
    assert run("--weight", "nosuch=1").exit_code == 3
    assert run("--preset", "pretty").exit_code == 3
    assert run("--lock", "1").exit_code == 3
    assert run("--region", "110101000000").exit_code == 4
    settings.cache_clear()
