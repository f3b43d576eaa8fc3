"""The grids of any day: on the map, as a plan's page, as a file; past, present and to come."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gridmap.services import plans, workflow
from gridmap.services.actor import SYSTEM
from gridmap.services.days import today
from tests.integration.test_plans_cli import Run, run
from tests.integration.test_workflow import community, force, grids
from tests.web import add_person, make_app, signed_in

__all__ = ["run"]


def shown(client: FlaskClient, query: str = "") -> int | None:
    """The plan that the map shows."""
    page = client.get(f"/map{query}")
    assert page.status_code == 200
    found = json.loads(page.text.split('id="page-data"')[1].split(">", 1)[1].split("</script>")[0])["plan"]
    return None if found is None else int(found)


@pytest.fixture
def later(demo_url: str) -> tuple[str, int]:
    """A day to come, and the plan that is in force from then on."""
    draft = plans.copy_plan(SYSTEM, 1, region_code=community())
    force(draft, "approved")
    day = today() + timedelta(days=30)
    return day.isoformat(), workflow.publish(SYSTEM, draft, day)


def test_the_map_of_a_day(later: tuple[str, int], tmp_path: Path) -> None:
    day, coming = later
    add_person("looker", "viewer")
    client = signed_in(make_app(tmp_path), "looker")
    assert shown(client) == 1, "what is to come is not in force"
    assert shown(client, f"?date={day}") == coming
    assert shown(client, "?date=2026-03-01") == 1
    assert shown(client, "?date=2001-01-01") is None
    assert shown(client, f"?plan={coming}") == coming
    assert "现行网格" in client.get("/").text
    answer = client.get("/map?date=soon")
    assert answer.status_code == 422
    assert "soon" in answer.text and "2026-12-01" in answer.text
    assert client.get(f"/plans/in-force?date={day}").location.endswith(f"/plans/{coming}")
    assert client.get("/plans/in-force?date=2001-01-01").status_code == 404
    workflow.restore(SYSTEM, coming)
    plans.archive(SYSTEM, 1)
    assert shown(client, "?plan=1") == 1, "a plan that was put away can be looked at"


def test_the_file_of_a_day(run: Run, later: tuple[str, int], tmp_path: Path) -> None:
    day, coming = later
    path = tmp_path / "day.csv"
    held = set(grids(coming))
    done = run("export", "--date", day, "--format", "csv", "--out", path)
    assert done.exit_code == 0, done.output
    with path.open(encoding="utf-8-sig") as file:
        assert {row["网格编码"] for row in csv.DictReader(file)} == held
    assert run("export", "--date", "2001-01-01", "--format", "csv", "--out", path).exit_code == 4
    assert run("export", "--plan", 1, "--date", day, "--format", "csv", "--out", path).exit_code == 2
