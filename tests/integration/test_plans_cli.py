"""The commands that build units, list, check and export plans: what they print, and exit codes that mean something."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gridmap.cli import main
from gridmap.settings import settings

Run = Callable[..., Result]


@pytest.fixture
def run(demo_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """``gridmap ARGUMENTS`` on the small demo town."""
    monkeypatch.setenv("DATABASE_URL", demo_url)
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
    settings.cache_clear()


def test_plans_are_listed(run: Run) -> None:
    assert "现行网格" in run("plans", "list").output
    found = json.loads(run("plans", "list", "--json").output)
    assert {"id", "name", "state", "statuses", "errors"} <= set(found[0])


def test_check_says_by_its_exit_code_whether_faults_block(run: Run) -> None:
    faulty = run("check", "--plan", 1, "--json")
    assert faulty.exit_code == 1
    document = json.loads(faulty.output)
    assert document["E"] == sum(row["severity"] == "E" for row in document["results"]) > 0
    assert all(row["message"] for row in document["results"])
    assert run("check", "--plan", 1, "--rule", "R16").exit_code == 0
    assert run("check", "--plan", 999).exit_code == 4
    assert run("check", "--plan", 1, "--standard", "nix").exit_code == 3
    assert run("check", "--plan", 1, "--rule", "R99").exit_code == 3
    assert run("check").exit_code == 2


def test_a_standard_by_file(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "national"\nname = "own"\ntitle_zh = "本县"\ntitle_en = "Own"\n', "utf-8")
    assert run("check", "--plan", 1, "--standard", own).exit_code == 1
    assert json.loads(run("plans", "list", "--json").output)[0]["profile_name"] == "own"
    own.write_text('extends = "national"\nname = "own"\ntitle_zh = "本县"\ntitle_en = "Own"\nhoseholds = 3\n', "utf-8")
    broken = run("check", "--plan", 1, "--standard", own)
    assert broken.exit_code == 3 and "hoseholds" in broken.output


def test_units_are_rebuilt(run: Run) -> None:
    report = json.loads(run("units", "build", "--json").output)
    assert report["units"] == report["retired"] > 0 and report["households"] == 12_000
    assert run("units", "build", "--region", "110101000000").exit_code == 3


def test_what_is_exported_makes_the_same_plan_again(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "归属.csv"
    assert run("export", "--plan", 1, "--format", "units-csv", "--out", table).exit_code == 0
    again = run("plans", "from-assignment", table, "--name", "再来", "--region", "339901000000", "--json")
    assert again.exit_code == 0, again.output
    plans = {plan["id"]: plan for plan in json.loads(run("plans", "list", "--json").output)}
    copy = plans[json.loads(again.output)["plan"]]
    assert (copy["grids"], copy["households"]) == (plans[1]["grids"], plans[1]["households"])
    assert run("export", "--plan", 1, "--format", "dwg", "--out", tmp_path / "x").exit_code == 3
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("fmt", "suffix"), [("report-xlsx", ".xlsx"), ("report-pdf", ".pdf"), ("gpkg", ".gpkg")])
def test_reports_and_maps_are_written(run: Run, tmp_path: Path, fmt: str, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    done = run("export", "--plan", 1, "--format", fmt, "--out", path, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["bytes"] == path.stat().st_size > 1000


def test_a_plan_from_an_import(run: Run) -> None:
    made = run("plans", "from-import", "--import", 4, "--name", "再套一次", "--json")
    assert made.exit_code == 0, made.output
    assert {row["kind"] for row in json.loads(made.output)["misfits"]} >= {"unit_cut"}
    assert run("plans", "from-import", "--import", 999, "--name", "x").exit_code == 4
