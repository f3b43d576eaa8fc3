"""The pages of plans: what they show, what may be done, what is refused, and files out and in again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gridmap.jobs.tasks import check_plan
from gridmap.services import jobs, plans
from gridmap.services.actor import SYSTEM
from gridmap.settings import settings
from gridmap.web.api.exports import FORMATS
from tests.web import add_person, csrf_of, make_app, signed_in

COUNTY = "339901000000"


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


def get_json(client: FlaskClient, path: str) -> Any:
    """What the API answers."""
    return client.get(path).get_json()


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    """Post a form; status, and where it leads or what the page says."""
    answer = client.post(path, data={"csrf_token": csrf_of(client, "/plans"), **data})
    return answer.status_code, answer.location or answer.text


def test_pages_render_in_both_languages(client: FlaskClient) -> None:
    for locale in ("zh", "en"):
        post(client, "/language", locale=locale)
        for path in ("/plans", "/plans?archived=1", "/plans/1", "/plans/1?grid=3", "/plans/2", "/"):
            assert client.get(path).status_code == 200, (locale, path)
    assert client.get("/plans/999").status_code == 404


def test_the_page_shows_every_rule_and_why_one_was_not_checked(client: FlaskClient) -> None:
    page = client.get("/plans/1").text
    assert all(f">R{number:02d}<" in page for number in range(1, 20))
    assert "未核查" in page
    assert "style=" not in page.split("<main")[1].split("</main>")[0].replace('<div class="folium-map"', "")


def test_a_check_is_a_job_that_ends_with_its_sums(client: FlaskClient) -> None:
    status, address = post(client, "/plans/1/check", standard="national-urban")
    assert status == 302
    job_id = int(address.rsplit("=", 1)[1])
    assert 'data-job="' in client.get(address).text
    assert get_json(client, f"/api/v1/jobs/{job_id}")["state"] == "waiting"
    again = post(client, "/plans/1/check")[1]
    assert again == address, "a second click is led to the job under way"
    check_plan(job_id)
    done = get_json(client, f"/api/v1/jobs/{job_id}")
    assert done["state"] == "done"
    assert done["result"]["E"] > 0
    assert "核查完成" in client.get(address).text
    assert plans.get(SYSTEM, 1).profile_name == "national-urban"


def test_a_standard_is_never_a_path(client: FlaskClient) -> None:
    post(client, "/plans/1/check", standard="/etc/passwd")
    assert "没有名为“/etc/passwd”的标准" in client.get("/plans/1").text
    answer = client.post(
        "/api/v1/plans/1/checks",
        json={"standard": "../../x"},
        headers={"X-CSRFToken": csrf_of(client, "/plans")},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (422, "PROFILE_NOT_SHIPPED")


def test_an_own_standard_is_read_or_its_mistake_named(client: FlaskClient) -> None:
    own = b'extends = "national"\nname = "ours"\ntitle_zh = "\xe6\x9c\xac\xe5\x8e\xbf"\ntitle_en = "Ours"\n'
    _, address = post(client, "/plans/2/check", own=(io.BytesIO(own), "ours.toml"))
    check_plan(int(address.rsplit("=", 1)[1]))
    assert plans.get(SYSTEM, 2).profile_name == "ours"
    for wrong in (b"this is not toml", b'extends = "national"\ntolerence = 3\n', b"\xff\xfe\x00x"):
        status, address = post(client, "/plans/2/check", own=(io.BytesIO(wrong), "ours.toml"))
        assert (status, address) == (302, "/plans/2")
        assert 'class="notice error"' in client.get(address).text


def test_a_failed_job_says_why(client: FlaskClient) -> None:
    _, address = post(client, "/plans/3/check")
    plans.delete(SYSTEM, 3)
    job_id = int(address.rsplit("=", 1)[1])
    check_plan(job_id)
    told = get_json(client, f"/api/v1/jobs/{job_id}")
    assert (told["state"], told["error_code"]) == ("failed", "PLAN_NOT_FOUND")
    assert "没有编号为 3" in told["error"]


def test_every_format_leaves_with_its_chinese_name(client: FlaskClient) -> None:
    for fmt in FORMATS:
        answer = client.get(f"/api/v1/plans/1/exports/{fmt}")
        assert answer.status_code == 200, fmt
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith(f'attachment; filename="plan-1-{fmt}.'), disposition
        assert "现行网格" in unquote(disposition.split("filename*=UTF-8''")[1])
        assert len(answer.data) > 500
    unknown = client.get("/api/v1/plans/1/exports/exe")
    assert (unknown.status_code, unknown.get_json()["code"]) == (422, "EXPORT_UNKNOWN_FORMAT")


def test_an_assignment_comes_back_as_the_same_plan(client: FlaskClient) -> None:
    table = client.get("/api/v1/plans/1/exports/units-csv").data
    form = {"name": "导回", "region": COUNTY, "standard": "national", "table": (io.BytesIO(table), "归属.csv")}
    status, address = post(client, "/plans", **form)
    assert status == 302, address
    made = plans.get(SYSTEM, int(address.rsplit("/", 1)[1]))
    before = plans.get(SYSTEM, 1)
    assert (made.grids, made.households, made.unassigned_units) == (
        before.grids,
        before.households,
        before.unassigned_units,
    )


def test_a_plan_comes_from_another_from_an_import_or_from_nothing(client: FlaskClient) -> None:
    page = client.get("/plans").text
    assert all(f'value="{source}"' in page for source in ("copy", "import", "table", "empty"))
    form = {"region": "339901001001", "standard": "national"}
    _, address = post(client, "/plans", name="社区草案", source="copy", plan=1, **form)
    copied = plans.get(SYSTEM, int(address.rsplit("/", 1)[1]))
    assert (copied.name, copied.region_code) == ("社区草案", "339901001001")
    drawn = plans.sources(SYSTEM)[0]
    batch = f"{drawn.batch_id}:{drawn.department or ''}"
    status, address = post(client, "/plans", name="按图形", source="import", batch=batch, **form)
    assert status == 302, address
    made = plans.get(SYSTEM, int(address.rsplit("/", 1)[1]))
    assert (made.grids > 0, made.import_batch_id) == (True, drawn.batch_id)
    for missing in ("table", "import"):
        status, page = post(client, "/plans", name="缺", source=missing, **form)
        assert status == 422
        assert "请选择新方案从哪里来" in page
    assert post(client, "/plans", name="假", source="copy", plan=999, **form)[0] == 422


def test_an_archived_draft_becomes_one_again_but_not_what_was_in_force(client: FlaskClient) -> None:
    draft = plans.copy_plan(SYSTEM, 1)
    post(client, f"/plans/{draft}/archive")
    assert "恢复为草案" in client.get(f"/plans/{draft}").text
    assert post(client, f"/plans/{draft}/unarchive") == (302, f"/plans/{draft}")
    assert plans.get(SYSTEM, draft).state == "draft"
    assert post(client, f"/plans/{draft}/unarchive")[0] == 409
    post(client, "/plans/1/archive")
    assert post(client, "/plans/1/unarchive")[0] == 409
    assert plans.get(SYSTEM, 1).state == "archived"


def test_a_table_that_cannot_be_read_is_a_sentence(client: FlaskClient) -> None:
    wrong = {"name": "x", "region": COUNTY, "standard": "national", "table": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")}
    status, page = post(client, "/plans", **wrong)
    assert status == 422
    assert "field-error" in page


def test_an_empty_plan_lives_is_renamed_archived_and_another_deleted(client: FlaskClient) -> None:
    form = {"region": COUNTY, "standard": "national-urban"}
    assert post(client, "/plans", name="", **form)[0] == 422
    _, address = post(client, "/plans", name="空方案", **form)
    assert "此方案尚未核查" in client.get(address).text
    post(client, f"{address}/rename", name="新名")
    assert "新名" in client.get("/plans").text
    assert post(client, f"{address}/archive") == (302, "/plans")
    assert "新名" not in client.get("/plans").text
    assert "新名" in client.get("/plans?archived=1").text
    assert post(client, "/plans/4/delete") == (302, "/plans")
    assert client.get("/plans/4").status_code == 404
    assert post(client, "/plans/1/delete")[0] == 409, "a published plan is not deleted"


def test_a_viewer_looks_and_changes_nothing(app: Flask) -> None:
    add_person("looker", "viewer")
    viewer = signed_in(app, "looker")
    page = viewer.get("/plans/1").text
    assert "立即核查" not in page
    assert "在工作台查看" not in page and "/plans/compare" not in page and "dossier" not in page
    assert viewer.get("/plans/2").status_code == 404  # a draft
    assert "规划员、审批员" in (refused := viewer.get("/plans/1/studio")).text and refused.status_code == 403
    for path in ("check", "rename", "archive", "delete"):
        assert [post(viewer, f"/plans/{plan}/{path}", name="x")[0] for plan in (1, 2)] == [403, 404], path
    add_person("decider", "approver")
    decider = signed_in(app, "decider")
    assert "删除草案" not in decider.get("/plans/2").text
    assert jobs.active(SYSTEM, "plan:2") is None


def test_a_planner_of_a_subdistrict_sees_its_part(app: Flask) -> None:
    add_person("north", "planner", "339901001000")
    planner = signed_in(app, "north")
    assert "只含您管辖范围内的部分" in planner.get("/plans/1").text
    rows = get_json(planner, "/api/v1/plans/1/misfits")["items"]
    assert all(row["region_code"].startswith("339901001") for row in rows)
    found = get_json(planner, "/api/v1/plans/1/findings?limit=500")["items"]
    assert found
    assert all((row["region_code"] or "339901001").startswith("339901001") for row in found)
    assert post(planner, "/plans/1/rename", name="x")[0] in (403, 404)
