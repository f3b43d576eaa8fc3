"""``gridmap user``: what an operator does at the server's shell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gridmap.cli import main
from gridmap.services.accounts import link_login
from gridmap.services.sign_in import sign_in
from gridmap.settings import settings
from tests.web import PASSWORD


@pytest.fixture
def gridmap(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRIDMAP_PUBLIC_URL", "https://grid.example.cn/")
    settings.cache_clear()
    yield lambda *words, **options: CliRunner().invoke(main, ["user", *words], **options)
    settings.cache_clear()


def test_adding_prints_a_link_for_the_person(gridmap: Callable[..., Result]) -> None:
    added = gridmap("add", "li.na", "--name", "李娜", "--role", "administrator")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("https://grid.example.cn/sign-in/")
    assert link_login(added.stdout.strip().rsplit("/", 1)[-1]) == "li.na"
    assert json.loads(gridmap("list", "--json").stdout)[0]["grants"][0]["role"] == "administrator"
    assert "no password" in gridmap("list").stdout


def test_a_password_from_a_pipe(gridmap: Callable[..., Result]) -> None:
    gridmap("add", "li.na")
    assert gridmap("password", "li.na", input="short\n").exit_code == 3
    assert gridmap("password", "li.na", input=f"{PASSWORD}\n").exit_code == 0
    assert not isinstance(sign_in("li.na", PASSWORD, None, attempts=5, minutes=15), Exception)
    assert gridmap("link", "li.na").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [(("password", "nobody"), 4), (("link", "nobody"), 4), (("add", "x y"), 3), (("add", "ok", "--region", "1"), 3)],
)
def test_exit_codes_mean_something(gridmap: Callable[..., Result], words: tuple[str, ...], code: int) -> None:
    assert gridmap(*words, input=f"{PASSWORD}\n").exit_code == code
