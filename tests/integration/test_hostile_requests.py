"""What strangers and viewers may send: bounded, and answered with a sentence, never with a fault of the program."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Flask

from geodata import standards
from geodata.errors import GeodataError
from geodata.readers import open_source
from gridmap.web import security
from tests.web import add_person, csrf_of, make_app, signed_in


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Flask:
    made = make_app(tmp_path)
    made.config["PROPAGATE_EXCEPTIONS"] = True
    return made


@pytest.mark.parametrize("number", ["99999999999999999999", "-1", "1e5", "²", ""])
def test_numbers_in_addresses_that_no_table_holds(app: Flask, number: str) -> None:
    add_person("boss")
    client = signed_in(app, "boss")
    for path in ("/audit?page=", "/map?plan=", "/cases?plan=", "/regions?job="):
        assert client.get(path + number).status_code == 200, path + number


def test_json_nested_beyond_all_sense(app: Flask) -> None:
    add_person("boss")
    client = signed_in(app, "boss")
    headers = {"X-CSRFToken": csrf_of(client, "/account"), "Content-Type": "application/json"}
    answer = client.post("/api/v1/tokens", data="[" * 200_000, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "BODY_NOT_JSON")


def test_only_a_planner_sends_large_files(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_BODY_BYTES", 10_000)
    for login, status in (("viewer", 413), ("planner", 302)):
        add_person(login, login)
        client = signed_in(app, login)
        data = {"csrf_token": csrf_of(client, "/account"), "kind": "cases"}
        large = {"file": (io.BytesIO(b"a,b"), "a.csv"), "padding": "x" * 20_000}
        assert client.post("/imports", data=data | large).status_code == status, login
        assert client.post("/language", data=data | {"padding": "x" * 20_000}).status_code == 413


def test_a_standard_nested_beyond_all_sense() -> None:
    with pytest.raises(GeodataError) as caught:
        standards.loads("a=" + "[" * 100_000)
    assert caught.value.code == "STANDARD_NOT_TOML"


def test_another_encoding_than_the_file_has_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("编号,户数\r\n甲,3\r\n".encode())
    source = open_source(path, scratch=tmp_path / "scratch", encoding="utf-16")
    assert source.encoding.name == "utf-16-le"
    assert source.columns != ["编号", "户数"]
