"""The command line as machines and shells see it: help, JSON, exit codes, silence where nobody looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gridmap.cli import common, main
from gridmap.cli.user import ROLES
from gridmap.errors import CodedError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from gridmap.services.actor import Role
from gridmap.settings import settings
from tests.conftest import Databases, demo_template

Gridmap = Callable[..., Result]


def _commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict(_commands(main))


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[str]:
    url = databases.create(demo_template(databases, 0.2))
    yield url
    databases.drop(url)


@pytest.fixture
def gridmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gridmap]:
    """The command in this process, on the database given as ``url``."""

    def run(*words: str, url: str, **options: object) -> Result:
        monkeypatch.setenv("DATABASE_URL", url)
        settings.cache_clear()
        return CliRunner().invoke(main, words, **options)  # type: ignore[arg-type]

    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    yield run
    settings.cache_clear()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_for_itself_and_its_options(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"])
    assert shown.exit_code == 0, shown.output
    assert COMMANDS[words].help
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.help or isinstance(parameter.type, click.Choice), parameter.name


@pytest.mark.parametrize("words", [words for words in COMMANDS if words != ("serve",)], ids=" ".join)
def test_every_command_speaks_json(words: tuple[str, ...]) -> None:
    assert any(parameter.name == "as_json" for parameter in COMMANDS[words].params)


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'alembic', 'numpy', 'shapely', 'rich'}"
    probe = f"import sys, gridmap.cli; print(*sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_roles_are_those_of_the_services() -> None:
    assert list(ROLES) == [role.value for role in Role]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("db", "status"), {"private", "running", "schema", "expected"}),
        (("db", "migrate"), {"from", "to"}),
        (("db", "backup"), {"file", "bytes"}),
        (("user", "add", "wang"), {"id", "link"}),
        (("check", "--plan", "1", "--rule", "R01"), {"plan", "E", "W", "I", "not_checked", "results"}),
        (("export", "--plan", "1", "--format", "csv", "--out", "OUT"), {"file", "bytes"}),
        (("heat", "build"), {"store"}),
        (("heat", "verify"), {"same"}),
        (("demo",), {"loaded", "region_code", "units", "plans", "seconds"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_json_is_one_document_and_nothing_else(
    words: tuple[str, ...], keys: set[str], gridmap: Gridmap, town: str, tmp_path: Path
) -> None:
    words = tuple(str(tmp_path / "out.csv") if word == "OUT" else word for word in words)
    done = gridmap(*words, "--json", url=town)
    assert done.exit_code in (0, 1), done.output
    assert json.loads(done.stdout).keys() == keys
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("plans", "list"), ("user", "list")], ids=" ".join)
def test_lists_are_json_arrays(words: tuple[str, ...], gridmap: Gridmap, town: str) -> None:
    assert isinstance(json.loads(gridmap(*words, "--json", url=town).stdout), list)


def test_a_check_with_errors_ends_with_1(gridmap: Gridmap, town: str) -> None:
    done = gridmap("check", "--plan", "1", "--json", url=town)
    assert json.loads(done.stdout)["E"] > 0
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("check", "--plan", "999999"), "PLAN_NOT_FOUND", 4),
        (("import", "/nowhere.csv", "--as", "cases"), "FILE_MISSING", 3),
        (("user", "link", "nobody"), None, 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_errors_are_coded_and_end_with_their_number(
    words: tuple[str, ...], code: str | None, exit_code: int, gridmap: Gridmap, town: str
) -> None:
    done = gridmap(*words, "--json", url=town)
    assert done.exit_code == exit_code, done.output
    assert done.stdout == ""
    said = json.loads(done.stderr)
    assert said.keys() == {"code", "message", "hint", "row"}
    assert code is None or said["code"] == code
    plain = gridmap(*words, url=town)
    assert plain.exit_code == exit_code
    assert plain.stderr.startswith(f"{said['code']}: {said['message']}")


@pytest.mark.parametrize("words", [("check",), ("import", "x"), ("export", "--plan", "x"), ("nothing",)], ids=" ".join)
def test_wrong_usage_ends_with_2(words: tuple[str, ...], gridmap: Gridmap, town: str) -> None:
    assert gridmap(*words, url=town).exit_code == 2


def test_a_database_that_is_not_there_ends_with_6(gridmap: Gridmap) -> None:
    done = gridmap("plans", "list", url="postgresql://nobody@127.0.0.1:1/nothing")
    assert done.exit_code == 6
    assert done.stderr.startswith("DB_UNREACHABLE: ")
    assert len(done.stderr.splitlines()) == 1


def test_every_kind_of_error_has_its_exit_code() -> None:
    codes = {}
    for kind in (NotFound, Forbidden, Conflict, Unavailable, Invalid, CodedError):
        with pytest.raises(SystemExit) as left, common.coded_errors():
            raise kind("DB_NOT_CONNECTED")
        codes[kind] = left.value.code
    assert codes == {NotFound: 4, Forbidden: 4, Conflict: 5, Unavailable: 6, Invalid: 3, CodedError: 3}


def test_a_fault_of_the_program_ends_with_70(tmp_path: Path) -> None:
    probe = (
        "import gridmap.cli.db; from gridmap.cli import main\n"
        "def broken(*_): raise ZeroDivisionError('on purpose')\n"
        "gridmap.cli.db.settings = broken\n"
        "main(['db', 'status'])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 70
    assert "ZeroDivisionError: on purpose" in done.stderr


def test_progress_is_drawn_on_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    with common.progress_bar("units") as advance:
        advance(0.5, "half")
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""
