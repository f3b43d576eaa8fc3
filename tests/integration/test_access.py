"""Sessions and pages around them: first administrator, time-out, lock-out, languages, tokens, exports."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner

from gridmap.db import engine
from gridmap.services.accounts import ensure_first_administrator
from tests.regions import EAST, add_regions
from tests.web import PASSWORD, add_person, csrf_of, make_app, signed_in


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Flask:
    return make_app(tmp_path)


@pytest.fixture
def boss(app: Flask) -> FlaskClient:
    add_person("boss")
    return signed_in(app, "boss")


def post(client: FlaskClient, path: str, **data: object) -> object:
    return client.post(path, data={"csrf_token": csrf_of(client, "/account"), **data})


def test_the_first_administrator_sets_a_password_once(app: Flask) -> None:
    link = ensure_first_administrator()
    again = ensure_first_administrator()
    assert link
    assert again
    assert link != again
    client = app.test_client()
    data = {"password": PASSWORD, "again": PASSWORD, "csrf_token": csrf_of(client, link)}
    assert client.post(link, data=data | {"again": "other"}).status_code == 200
    assert client.post(link, data=data).location == "/"
    assert client.get("/").status_code == 200
    assert client.get(link).status_code == 404
    assert ensure_first_administrator() is None


def test_every_page_renders_in_both_languages(app: Flask, boss: FlaskClient) -> None:
    paths = ["/", "/users", "/users/new", "/users/1", "/account", "/audit", "/help", "/standards", "/api/v1/docs"]
    for locale, words in (("zh", "我的账号"), ("en", "My account")):
        assert post(boss, "/language", locale=locale, next="/users").location == "/users"
        for path in paths:
            answer = boss.get(path)
            assert answer.status_code == 200, path
            assert words in answer.text, path


def test_a_session_ends_when_idle(app: Flask, boss: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    boss.get("/")  # the page's CSRF token is in the session now
    signed_at = TimestampSigner.get_timestamp(TimestampSigner("x"))
    minutes = app.extensions["gridmap.settings"].session_minutes
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: signed_at + minutes * 60 - 5)
    assert boss.get("/").status_code == 200
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: signed_at + minutes * 60 + 5)
    assert boss.get("/").location.startswith("/sign-in")


def test_signing_out_everywhere_ends_other_sessions(app: Flask, boss: FlaskClient) -> None:
    other = signed_in(app, "boss")
    assert post(boss, "/account/sign-out-everywhere").status_code == 302
    assert other.get("/").status_code == 302


def test_a_locked_account_says_so_and_survives_a_restart(app: Flask, boss: FlaskClient, tmp_path: Path) -> None:
    client = app.test_client()

    def attempt(asking: FlaskClient, password: str) -> int:
        data = {"login": "boss", "password": password, "csrf_token": csrf_of(asking)}
        return asking.post("/sign-in", data=data).status_code

    assert [attempt(client, "wrong") for _ in range(5)] == [401] * 5
    assert attempt(make_app(tmp_path).test_client(), PASSWORD) == 429
    assert post(boss, "/users/1/unlock").status_code == 302
    assert attempt(client, PASSWORD) == 302


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\t/evil"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(app: Flask, target: str) -> None:
    add_person("boss")
    client = app.test_client()
    data = {"login": "boss", "password": PASSWORD, "csrf_token": csrf_of(client)}
    assert client.post("/sign-in", query_string={"next": target}, data=data).location == "/"


def test_signing_in_leads_back(app: Flask) -> None:
    add_person("boss")
    client = app.test_client()
    asked = client.get("/audit?login=x")
    data = {"login": "boss", "password": PASSWORD, "csrf_token": csrf_of(client)}
    assert client.post(asked.location, data=data).location == "/audit?login=x"


def test_a_new_session_keeps_nothing_of_the_old(app: Flask, boss: FlaskClient) -> None:
    before = csrf_of(boss, "/account")
    assert post(boss, "/sign-out").status_code == 302
    assert csrf_of(boss) != before


def test_an_administrator_adds_a_person_and_hands_over_a_link(app: Flask, boss: FlaskClient) -> None:
    add_regions()
    answer = post(boss, "/users/new", login="Li.Na", name="李娜", role=["planner", ""], region=[EAST, "*"])
    assert "/sign-in/" in answer.text
    assert "规划员" in boss.get("/users").text
    assert post(boss, "/users/new", login="li.na", name="x", role="viewer", region="*").status_code == 422
    assert post(boss, "/users/new", login="x y", name="x", role="viewer", region="*").status_code == 422
    assert post(boss, "/users/new", login="norole", name="x", role="", region="*").status_code == 422


def test_a_token_made_on_the_page_opens_the_api_and_makes_no_tokens(app: Flask, boss: FlaskClient) -> None:
    page = post(boss, "/account/tokens", name="script", days=5).text
    secret = page.split('value="gridmap_')[1].split('"')[0]
    program = app.test_client()
    headers = {"Authorization": f"Bearer gridmap_{secret}"}
    assert program.get("/api/v1/session", headers=headers).json["login"] == "boss"
    refused = program.post("/api/v1/tokens", headers=headers, json={"name": "more"})
    assert (refused.status_code, refused.json["code"]) == (403, "TOKEN_NEEDS_SESSION")
    assert "gridmap_" + secret not in boss.get("/account").text


def test_errors_of_the_api_have_one_form(boss: FlaskClient) -> None:
    for path, status, code in (
        ("/api/v1/users?limit=0", 422, "REQUEST_INVALID"),
        ("/api/v1/users/99", 404, "USER_NOT_FOUND"),
        ("/api/v1/users/99999999999999999999", 404, "PAGE_NOT_FOUND"),
        ("/api/v1/nothing", 404, "PAGE_NOT_FOUND"),
        ("/api/v1/audit?login=%00", 422, "NUL_CHARACTER"),
    ):
        answer = boss.get(path)
        assert (answer.status_code, answer.json["code"]) == (status, code), path
        assert set(answer.json) == {"code", "message", "details"}
    refused = boss.put("/api/v1/users")
    assert (refused.status_code, refused.json["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_fault_of_the_program_gives_a_number_and_no_trace(app: Flask, boss: FlaskClient) -> None:
    app.testing = False
    app.view_functions["help.index"] = lambda: 1 / 0
    answer = boss.get("/help", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert "ZeroDivisionError" not in answer.text


def test_the_audit_is_exported_with_formulas_as_text(app: Flask, boss: FlaskClient) -> None:
    stranger = app.test_client()
    stranger.post("/sign-in", data={"login": "=cmd|' /c calc'!a1", "password": "x", "csrf_token": csrf_of(stranger)})
    text = boss.get("/audit/export.csv?action=login.failed")
    assert text.data.startswith(b"\xef\xbb\xbf")
    assert "'=cmd" in text.text
    book = openpyxl.load_workbook(io.BytesIO(boss.get("/audit/export.xlsx?action=login.failed").data))
    cell = book.active["B2"]
    assert (cell.value, cell.data_type) == ("=cmd|' /c calc'!a1", "s")


def test_a_stranger_cannot_send_much(app: Flask) -> None:
    client = app.test_client()
    answer = client.post("/sign-in", data={"csrf_token": csrf_of(client), "login": "x" * 100_000})
    assert answer.status_code == 413


def test_without_a_database_every_page_says_so(app: Flask, boss: FlaskClient, database_url: str) -> None:
    engine.connect("postgresql://nobody@127.0.0.1:1/none")
    for path in ("/", "/api/v1/session", "/health"):
        answer = boss.get(path)
        assert answer.status_code == 503, path
        assert "DB_UNREACHABLE" in answer.text
    engine.disconnect()
    engine.connect(database_url)


def test_health_tells_nothing_but_whether_it_works(app: Flask) -> None:
    assert app.test_client().get("/health").json["status"] == "ok"
