"""Signing in, first administrator, lock-out, sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from gridmap.services.accounts import ensure_first_administrator
from tests.web import PASSWORD, add_person, csrf_of, make_app, signed_in


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Flask:
    return make_app(tmp_path)


def test_the_first_administrator_sets_a_password_once(app: Flask) -> None:
    link = ensure_first_administrator()
    assert link is not None
    client = app.test_client()
    data = {"password": PASSWORD, "again": PASSWORD, "csrf_token": csrf_of(client, link)}
    assert client.post(link, data=data).location == "/"
    assert client.get("/").status_code == 200
    assert client.get(link).status_code == 404
    assert ensure_first_administrator() is None


def test_every_page_renders_in_both_languages(app: Flask) -> None:
    user_id = add_person("boss")
    client = signed_in(app, "boss")
    for locale in ("zh", "en"):
        token = csrf_of(client, "/account")
        assert client.post("/language", data={"locale": locale, "csrf_token": token}).status_code == 302
        for path in (
            "/",
            "/users",
            "/users/new",
            f"/users/{user_id}",
            "/account",
            "/audit",
            "/audit/export.csv",
            "/audit/export.xlsx",
            "/help",
            "/standards",
            "/api/v1/docs",
            "/api/v1/openapi.json",
            "/api/v1/session",
            "/health",
        ):
            assert client.get(path).status_code == 200, path
