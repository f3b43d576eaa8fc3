"""Loading the demo town once, in one transaction: a killed load leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import ImportBatch, Region, SourceGrid
from gridmap.errors import Conflict
from gridmap.services import audit, checks, plans, units
from gridmap.services.actor import Actor, Role
from gridmap.services.demo import ground
from gridmap.services.plans import households
from gridmap.services.versions import raise_version

if TYPE_CHECKING:
    from geodata.synth import Town

_LOCK = 0x64656D6F  # "demo": one load at a time


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What a load wrote; ``loaded`` False where the town was there before."""

    loaded: bool
    region_code: str = ""
    units: int = 0
    plans: tuple[int, ...] = ()
    seconds: float = 0.0


@service
def loaded(session: Session) -> bool:
    """Whether a demo town is in the database."""
    return _present(session)


@service
def load(
    session: Session, actor: Actor, *, size: float = 1.0, seed: int = 1, progress: units.Progress | None = None
) -> DemoReport:
    """Synthesise the town of ``seed`` and ``size`` (counties) and load it, unless a demo town is there already.

    Raises ``Conflict`` DEMO_NOT_EMPTY where regions of another origin are in the database.
    """
    from geodata.synth import synthesise

    actor.require(Role.ADMINISTRATOR)
    say = progress or (lambda share, doing: None)
    started = perf_counter()
    session.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _present(session):
        return DemoReport(loaded=False)
    if session.scalar(sa.select(sa.func.count()).select_from(Region)):
        raise Conflict("DEMO_NOT_EMPTY")
    say(0.02, "生成示范城镇 / synthesising")
    town = synthesise(seed, size)
    say(0.25, "写入 / writing")
    county, drawn, departments = _write_ground(session, town, seed, size)
    raise_version(session, "regions", "barriers", "buildings", "cases")
    say(0.45, "划分单元 / building units")
    built = units.build.within(session, actor)
    events = ground.batch(session, "cases", "cases", len(town.cases), seed=seed, size=size)
    ground.write_cases(session, town.cases, events.id)
    say(0.6, "套合现行网格 / laying the grids over the units")
    made = [_today(session, actor, drawn), *_departments(session, actor, departments)]
    bulk.analyse(session, "plan_unit", "grid", "case_record", "region", "barrier", "compound", "plan_misfit")
    for number, plan_id in enumerate(made):
        say(0.75 + 0.25 * number / len(made), "核查 / checking")
        checks.check.within(session, actor, plan_id)
    households.publish(session)
    seconds = round(perf_counter() - started, 3)
    audit.record(
        session, actor, "demo.load", "region", county, region_code=county, seed=seed, size=size, seconds=seconds
    )
    say(1.0, "")
    return DemoReport(True, county, built.units, tuple(made), seconds)


def _present(session: Session) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(ImportBatch.sha256.startswith("demo-")))))


def _today(session: Session, actor: Actor, batch_id: int) -> int:
    """The plan of today's grids, in force since the start of the year."""
    plan_id = plans.plan_from_source.within(session, actor, batch_id, "现行网格")
    plans.put_in_force.within(session, actor, plan_id, date(2026, 1, 1))
    return plan_id


def _departments(session: Session, actor: Actor, batch_id: int) -> list[int]:
    """A draft for the layer of each department."""
    names = session.scalars(
        sa.select(SourceGrid.department).where(SourceGrid.import_batch_id == batch_id).distinct().order_by("department")
    )
    return [
        plans.plan_from_source.within(session, actor, batch_id, f"{name}部门网格", department=name)
        for name in names.all()
    ]


def _write_ground(session: Session, town: Town, seed: int, size: float) -> tuple[str, int, int]:
    """All layers but units, plans and cases; the code of the first county, and the batches of the two grid layers."""

    def batch(kind: str, layer: str, rows: int) -> int:
        return ground.batch(session, kind, layer, rows, seed=seed, size=size).id

    id_of = ground.write_regions(session, town.regions, batch("regions", "regions", len(town.regions)))
    barriers = batch("barriers", "barriers", len(town.barriers))
    ground.write_barriers(session, town.barriers, barriers)
    compound_of = ground.write_compounds(session, town.barriers, town.regions, id_of, barriers)
    buildings = batch("buildings", "buildings", len(town.buildings))
    ground.write_buildings(session, town.buildings, id_of, compound_of, buildings)
    drawn = batch("grids", "grids", len(town.grids))
    ground.write_source_grids(session, town.grids, drawn)
    departments = batch("grids", "department_grids", len(town.department_grids))
    ground.write_source_grids(session, town.department_grids, departments)
    county = str(town.regions.loc[town.regions["level"] == "county", "code"].iloc[0])
    return county, drawn, departments
