"""Saved views: one's own only, under names, over the API as the page uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gridmap.errors import Conflict, Forbidden, Invalid
from gridmap.services import views
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from tests.integration.test_cases_along_time import refused
from tests.web import add_person, csrf_of, make_app, signed_in


@pytest.fixture
def two(database_url: str, tmp_path: Path) -> tuple[FlaskClient, FlaskClient]:
    add_person("one", "viewer")
    add_person("two", "viewer")
    app = make_app(tmp_path)
    return signed_in(app, "one"), signed_in(app, "two")


def _send(client: FlaskClient, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, object]:
    answer = client.open(
        f"/api/v1{path}", method=method, json=body, headers={"X-CSRFToken": csrf_of(client, "/account")}
    )
    return answer.status_code, answer.get_json(silent=True)


def test_a_view_is_kept_renamed_and_forgotten_by_its_owner(two: tuple[FlaskClient, FlaskClient]) -> None:
    one, other = two
    status, saved = _send(
        one, "POST", "/views", {"page": "cases", "name": " 城南  近30天 ", "query": "?days=30&lat=30.2"}
    )
    assert status == 201 and isinstance(saved, dict)
    assert (saved["name"], saved["query"]) == ("城南 近30天", "days=30&lat=30.2")
    assert one.get("/api/v1/views?page=cases").get_json()["items"] == [saved]
    assert one.get("/api/v1/views?page=map").get_json()["items"] == []
    assert other.get("/api/v1/views").get_json()["items"] == []
    for method, body in (("PUT", {"name": "我的"}), ("DELETE", None)):
        status, answer = _send(other, method, f"/views/{saved['id']}", body)
        assert (status, answer["code"]) == (404, "VIEW_NOT_FOUND")  # type: ignore[index]
    assert _send(other, "POST", "/views", {"page": "cases", "name": saved["name"], "query": ""})[0] == 201
    assert _send(one, "PUT", f"/views/{saved['id']}", {"name": "城南"})[1]["name"] == "城南"  # type: ignore[index]
    assert _send(one, "DELETE", f"/views/{saved['id']}")[0] == 204
    assert one.get("/api/v1/views").get_json()["items"] == []


def test_what_is_no_view_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = Actor("reader", (Grant(Role.VIEWER),), user_id=add_person("reader", "viewer"))
    for code, page, name, query in (
        ("VIEW_PAGE", "users", "a", ""),
        ("VIEW_NAME", "cases", "\u200b \n", ""),
        ("VIEW_NAME", "cases", "长" * 61, ""),
        ("VIEW_QUERY", "cases", "a", "x" * 4001),
        ("VIEW_QUERY", "cases", "a", "a=b\r\nSet-Cookie: c"),
        ("VIEW_QUERY", "cases", "a", "a#b"),
    ):
        with refused(Invalid, code):
            views.save_view(actor, page, name, query)
    first = views.save_view(actor, "cases", "a", "")
    views.save_view(actor, "map", "a", "")
    second = views.save_view(actor, "cases", "b", "")
    with refused(Conflict, "VIEW_TAKEN"):
        views.save_view(actor, "cases", "a", "days=7")
    with refused(Conflict, "VIEW_TAKEN"):
        views.rename_view(actor, second.id, "a")
    assert views.rename_view(actor, first.id, "a").name == "a"
    monkeypatch.setattr(views, "VIEWS_MAX", 3)
    with refused(Conflict, "VIEWS_FULL"):
        views.save_view(actor, "cases", "c", "")
    with pytest.raises(Forbidden):
        views.list_views(SYSTEM)
