"""The demo town loads once and whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from gridmap.cli import main
from gridmap.db.engine import transaction
from gridmap.db.models import Building, Case, Grid, ImportBatch, Plan, Region, Unit
from gridmap.errors import Conflict, Forbidden
from gridmap.services import checks, demo, plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role

SIZE = 0.1


class Killed(Exception):
    """Stands for whatever ends a load half-way."""


def test_the_town_is_whole(demo_url: str) -> None:
    found = {plan.name: plan for plan in plans.list_plans(SYSTEM)}
    assert set(found) == {"现行网格", "公安部门网格", "城管部门网格", "应急部门网格"}
    today = found["现行网格"]
    assert today.state == "published" and today.valid_from is not None and today.current_check
    assert today.statuses["over"] and today.statuses["within"] and today.statuses["under"]
    assert today.errors and today.warnings and today.unavoidable
    assert all(plan.current_check for plan in found.values())
    by_rule = {row["rule"]: row for row in checks.summary(SYSTEM, today.id).by_rule}
    for rule in ("R01", "R02", "R04", "R07", "R08", "R09", "R18"):
        assert by_rule[rule]["errors"] + by_rule[rule]["warnings"], f"the town shows no fault of {rule}"
    with transaction() as session:
        for table in (Building, Case):
            assert not session.scalar(sa.select(sa.exists().where(table.unit_id.is_(None))))
        codes = session.scalars(sa.select(Region.code)).all()
        assert all(code.startswith("3399") for code in codes), "codes that GB/T 2260 leaves unassigned"


def test_loading_twice_changes_nothing(demo_url: str) -> None:
    assert demo.loaded()
    with transaction() as session:
        before = [session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (Region, Unit, Grid, Case)]
    assert not demo.load(SYSTEM, size=SIZE).loaded
    with transaction() as session:
        assert before == [session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (Region, Unit, Grid, Case)]


def test_a_load_that_dies_leaves_nothing_and_the_next_one_succeeds(database_url: str) -> None:
    def die(share: float, doing: str) -> None:
        if share > 0.5:
            raise Killed

    with pytest.raises(Killed):
        demo.load(SYSTEM, size=SIZE, progress=die)
    assert not demo.loaded()
    with transaction() as session:
        for table in (Region, Building, ImportBatch, Plan):
            assert not session.scalar(sa.select(sa.func.count()).select_from(table))
    report = demo.load(SYSTEM, size=SIZE)
    assert report.loaded and report.units > 0 and len(report.plans) == 4


def test_it_never_mixes_with_real_regions(database_url: str) -> None:
    with transaction() as session:
        square = "SRID=4490;MULTIPOLYGON(((120 30,120.1 30,120.1 30.1,120 30)))"
        session.add(Region(code="330101000000", prefix="330101", name="某县", level="county", geom=square, area_m2=1.0))
    with pytest.raises(Conflict) as caught:
        demo.load(SYSTEM, size=SIZE)
    assert caught.value.code == "DEMO_NOT_EMPTY"


def test_only_administrators_load_it(database_url: str) -> None:
    with pytest.raises(Forbidden):
        demo.load(Actor("planner", (Grant(Role.PLANNER),)), size=SIZE)


def test_the_files_are_written_without_a_database(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["demo", "--size", str(SIZE), "--files", str(tmp_path / "files"), "--json"])
    assert run.exit_code == 0, run.output
    files = json.loads(run.output)["files"]
    assert {"regions", "buildings", "grids", "cases"} <= set(files)
    assert all(Path(path).stat().st_size for path in files.values())
