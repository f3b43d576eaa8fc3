"""Every route of the application: nobody passes unsigned, a viewer changes nothing, nothing changes without CSRF token.

A new route is covered by itself. It fails here until it is declared where it is open to anyone (``PUBLIC``), changes
only what is the person's own (``OWN``), only reads although it is a POST (``READS``), or needs a body before its role
is looked at (``BODIES``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from gridmap.web.session import is_public
from tests.web import add_person, csrf_of, make_app, signed_in

#: Open to anyone.
PUBLIC = {"static", "health", "language", "auth.sign_in", "auth.link"}

#: Change only what is the person's own, whatever the role.
OWN = {
    "auth.sign_out",
    "auth.change_password",
    "auth.sign_out_everywhere",
    "auth.create_token",
    "auth.revoke_token",
    "api.create_token",
    "api.revoke_token",
    "api.save_view",
    "api.rename_view",
    "api.delete_view",
}

#: Ask with a body, change nothing.
READS: set[str] = set()

#: Bodies that are well-formed, for endpoints which read the body before they ask who may.
BODIES: dict[str, dict[str, Any]] = {
    "api.write_comment": {"text": "?"},
    "api.rename_view": {"name": "?"},
    "api.put_reasons": {"reasons": {}},
    "api.publish_plan": {"on": "2030-01-01"},
    "api.add_user": {"login": "new", "name": "New", "grants": [{"role": "viewer"}]},
    "api.send_operations": {
        "base": 1,
        "client": "5b0c7c1e-0000-4000-8000-000000000001",
        "operations": [{"key": "5b0c7c1e-0000-4000-8000-000000000002", "tool": "paint"}],
    },
    "api.cut_unit": {
        "key": "5b0c7c1e-0000-4000-8000-000000000002",
        "base": 1,
        "client": "5b0c7c1e-0000-4000-8000-000000000001",
        "unit": 1,
        "line": [[120.0, 30.0], [120.1, 30.1]],
    },
    "api.heal_grid": {"version": 1, "grid": 1},
    "api.halve_grid": {"version": 1, "grid": 1},
    "api.merge_grid": {"version": 1, "grid": 1},
    "api.fill_plan": {"version": 1},
    "api.preview_plan": {"version": 1},
    "api.make_report": {"region": "339901002000", "month": "2026-01"},
    "api.put_schedule": {"on": True},
    "api.pulse": {"client": "5b0c7c1e-0000-4000-8000-000000000001", "since": 1},
}

_SAFE = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Flask:
    return make_app(tmp_path)


def test_what_is_open_to_anyone_is_declared(app: Flask) -> None:
    assert {endpoint for endpoint in app.view_functions if is_public(app, endpoint)} == PUBLIC


def test_declarations_name_routes_that_exist(app: Flask) -> None:
    assert PUBLIC | OWN | READS | set(BODIES) <= set(app.view_functions)


def test_nobody_passes_unsigned(app: Flask) -> None:
    client = app.test_client()
    for method, path, endpoint in requests(app):
        if endpoint in PUBLIC:
            continue
        answer = client.open(path, method=method)
        if path.startswith(("/api/", "/ogc")):
            assert (answer.status_code, answer.json["code"]) == (401, "SIGN_IN_FIRST"), (method, path)
        else:
            assert answer.status_code == 302, (method, path, answer.status_code)
            assert answer.location.startswith("/sign-in"), (method, path)


def test_a_false_token_passes_nowhere(app: Flask) -> None:
    client = app.test_client()
    for method, path, endpoint in requests(app):
        if endpoint != "static":
            answer = client.open(path, method=method, headers={"Authorization": "Bearer gridmap_no"})
            assert answer.status_code == 401, (method, path)


def test_a_viewer_changes_nothing(app: Flask) -> None:
    add_person("looker", "viewer")
    client = signed_in(app, "looker")
    token = csrf_of(client, "/account")
    for method, path, endpoint in requests(app, changing=True):
        if endpoint not in PUBLIC | OWN | READS:
            answer = send(client, method, path, endpoint, token)
            assert answer.status_code in (403, 404), (method, path, endpoint, answer.status_code, answer.text[:300])


def test_nothing_changes_without_the_csrf_token(app: Flask) -> None:
    add_person("boss")
    client = signed_in(app, "boss")
    for method, path, endpoint in requests(app, changing=True):
        answer = send(client, method, path, endpoint, None, accept="application/json")
        assert (answer.status_code, answer.json["code"]) == (400, "CSRF"), (method, path, endpoint)


def test_no_address_fails(app: Flask) -> None:
    """Ids that exist nowhere are 404 (or refused), never a fault of the program; pages forbid storing."""
    app.config["PROPAGATE_EXCEPTIONS"] = True
    add_person("boss")
    client = signed_in(app, "boss")
    for method, path, endpoint in requests(app):
        if method == "GET" and endpoint != "static":
            answer = client.get(path)
            assert answer.status_code < 500, (path, answer.status_code)
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
            assert "public" not in answer.headers["Cache-Control"], path


def requests(app: Flask, *, changing: bool = False) -> Iterator[tuple[str, str, str]]:
    """(method, path, endpoint) of every rule; ids in paths are such that nothing has them."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if not changing or method not in _SAFE:
                yield method, path_of(rule), rule.endpoint


def path_of(rule: Rule) -> str:
    """The rule's path with an argument of each converter's kind."""
    samples = {"IntegerConverter": 987654, "RowNumber": 987654, "FloatConverter": 1.5, "PathConverter": "no/such"}
    arguments = {name: samples.get(type(converter).__name__, "nosuch") for name, converter in rule._converters.items()}
    built = rule.build(arguments)
    assert built is not None, rule
    return built[1]


def send(
    client: FlaskClient, method: str, path: str, endpoint: str, token: str | None, accept: str = "text/html"
) -> Any:
    headers = {"Accept": accept} | ({"X-CSRFToken": token} if token else {})
    if path.startswith("/api/"):
        return client.open(path, method=method, headers=headers, json=BODIES.get(endpoint, {}))
    return client.open(path, method=method, headers=headers, data=BODIES.get(endpoint, {}))
