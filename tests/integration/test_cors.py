"""Other origins read the API with a token where the operator names them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from gridmap.db.engine import transaction
from gridmap.db.models import User
from gridmap.services.actor import Actor, Grant, Role
from gridmap.services.tokens import create_token
from gridmap.settings import Settings
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url")

NOTEBOOK = "http://localhost:8888"
ASKED = {"Origin": NOTEBOOK, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
def token(shared_demo_url: str) -> str:
    user_id = add_person("reader", "planner")
    with transaction() as session:
        assert session.get_one(User, user_id).login == "reader"
    _, secret = create_token(Actor("reader", (Grant(Role.PLANNER),), user_id), "notebook", 3)
    return secret


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return make_app(tmp_path, cors_origins=(NOTEBOOK, "null"))


def test_the_setting_is_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_CORS_ORIGINS", f"{NOTEBOOK}, null")
    assert Settings().cors_origins == (NOTEBOOK, "null")
    monkeypatch.delenv("GRIDMAP_CORS_ORIGINS")
    assert Settings().cors_origins == ()


def test_a_named_origin_reads_with_a_token(app: Flask, token: str) -> None:
    client = app.test_client()
    before = client.options("/api/v1/scene", headers=ASKED)
    assert before.status_code == 204 and before.headers["Access-Control-Allow-Origin"] == NOTEBOOK
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    bearer = {"Origin": NOTEBOOK, "Authorization": f"Bearer {token}"}
    for path in ("/api/v1/scene", "/api/v1/tiles/regions/1/0/0/0.mvt", "/api/v1/plans/1/grids.geojson"):
        answer = client.get(path, headers=bearer)
        assert answer.status_code == 200, path
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [NOTEBOOK], path
        assert "Origin" in answer.headers.getlist("Vary")
        assert "Access-Control-Allow-Credentials" not in answer.headers
    wrong = client.get("/api/v1/scene", headers=bearer | {"Authorization": "Bearer gridmap_no"})
    assert wrong.status_code == 401 and wrong.headers["Access-Control-Allow-Origin"] == NOTEBOOK, "the page can tell"


def test_nothing_else_is_let_in(app: Flask, token: str) -> None:
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    for path, headers in (
        ("/api/v1/scene", bearer | {"Origin": "http://evil.example"}),
        ("/api/v1/scene", bearer | {"Origin": f"{NOTEBOOK}.evil.example"}),
        ("/api/v1/scene", bearer),
        ("/coverage", bearer | {"Origin": NOTEBOOK}),
    ):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers=headers).headers, (path, headers)
    for method in ("POST", "PUT", "DELETE"):
        refused = client.options("/api/v1/plans/1", headers=ASKED | {"Access-Control-Request-Method": method})
        assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused.headers
    by_cookie = signed_in(app, "reader").get("/api/v1/scene", headers={"Origin": NOTEBOOK})
    assert by_cookie.status_code == 200 and "Access-Control-Allow-Origin" not in by_cookie.headers
    changed = client.post("/api/v1/reports", headers=bearer | {"Origin": NOTEBOOK}, json={})
    assert "Access-Control-Allow-Origin" not in changed.headers


def test_it_is_off_unless_set(tmp_path: Path, token: str) -> None:
    client = make_app(tmp_path).test_client()
    answer = client.get("/api/v1/scene", headers={"Origin": NOTEBOOK, "Authorization": f"Bearer {token}"})
    assert answer.status_code == 200 and "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Origin" not in client.options("/api/v1/scene", headers=ASKED).headers


def test_the_scene_names_what_the_reader_may_have(app: Flask, token: str) -> None:
    client = app.test_client()
    scene = client.get("/api/v1/scene", headers={"Authorization": f"Bearer {token}"}).json
    assert scene["heat"] and scene["timeline"] and scene["static"].startswith("/static/")
    assert scene["plans"][0]["id"] == 1 and "{z}/{x}/{y}" in scene["plans"][0]["tiles"]
    script = client.get(f"{scene['static']}/js/maps/server.js")
    assert script.status_code == 200
    script.close()
    add_person("looker", "viewer")
    seen = signed_in(app, "looker").get("/api/v1/scene").json
    assert seen["heat"] is None and seen["timeline"] is None and seen["plans"]
