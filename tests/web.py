"""What tests of the web share: an app on the test's database, people with roles, signed-in clients."""

from __future__ import annotations

import re
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from gridmap.services import passwords
from gridmap.services.accounts import create_sign_in_link, redeem_link
from gridmap.services.actor import SYSTEM
from gridmap.services.users import add_user
from gridmap.settings import Settings
from gridmap.web.app import create_app

PASSWORD = "four quiet horses"
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the tests hash hundreds of times
_CSRF = re.compile(r'name="csrf-token" content="([^"]+)"')


def make_app(folder: Path, **settings: object) -> Flask:
    """The app on the engine's database, with its data in ``folder``."""
    app = create_app(Settings(data_dir=folder, log_level="ERROR", **settings))  # type: ignore[arg-type]
    app.testing = True
    return app


def add_person(login: str, role: str = "administrator", region: str | None = None) -> int:
    """An account with one role and the password ``PASSWORD``."""
    user_id = add_user(SYSTEM, login, login.title(), [(role, region)])
    redeem_link(create_sign_in_link(SYSTEM, login).rsplit("/", 1)[-1], PASSWORD)
    return user_id


def csrf_of(client: FlaskClient, path: str = "/sign-in") -> str:
    """The CSRF token of the client's session."""
    found = _CSRF.search(client.get(path, follow_redirects=True).text)
    assert found, path
    return found[1]


def signed_in(app: Flask, login: str, password: str = PASSWORD) -> FlaskClient:
    """A client with the session of ``login``."""
    client = app.test_client()
    answer = client.post("/sign-in", data={"login": login, "password": password, "csrf_token": csrf_of(client)})
    assert answer.status_code == 302, answer.text
    return client
