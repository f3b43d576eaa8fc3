"""Taking an acceptance back: what was new goes, what was changed is as before, as long as nothing rests on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.fields import Kind
from gridmap.db.engine import service
from gridmap.db.models import (
    Barrier,
    Base,
    Building,
    Case,
    Compound,
    ImportBatch,
    ImportRow,
    Plan,
    PlanUnit,
    Region,
    SourceGrid,
    Unit,
)
from gridmap.errors import Conflict
from gridmap.services import audit, counts
from gridmap.services.actor import Actor, Role
from gridmap.services.imports import batches
from gridmap.services.imports.acceptance import LAYERS
from gridmap.services.imports.views import BatchView
from gridmap.services.placing import lock_units
from gridmap.services.versions import raise_version
from gridmap.sql import query

#: What may rest on imported things, in Chinese and English.
_NAMES = {
    "unit": ("单元", "units"),
    "building": ("楼栋", "buildings"),
    "case": ("事件", "cases"),
    "plan": ("划分方案", "plans"),
    "compound": ("小区", "compounds"),
    "region": ("区划", "regions"),
}
_TABLES: Mapping[Kind, tuple[type[Base], ...]] = {
    Kind.REGIONS: (Region,),
    Kind.BUILDINGS: (Building,),
    Kind.BARRIERS: (Barrier, Compound),
    Kind.GRIDS: (SourceGrid,),
    Kind.CASES: (Case,),
    Kind.UNITS: (),
}


@service
def undo_accept(session: Session, actor: Actor, batch_id: int) -> BatchView:
    """Take an accepted batch back; it is "uploaded" again and may be staged anew.

    Raises ``Conflict`` IMPORT_UNDO_CHANGED where a later import changed its rows, IMPORT_UNDO_USED where something
    rests on them (the sentence names what), IMPORT_STATE where it is not accepted.
    """
    batch = batches.locked(session, actor, batch_id, states=("accepted",))
    kind = Kind(batch.kind)
    lock_units(session, shared=kind is not Kind.UNITS)
    _refuse_foreign(session, actor, batch, kind)
    _refuse_changed(session, batch, kind)
    _refuse_used(session, batch, kind)
    _refuse_lost(session, batch)
    touched = _units_of(session, batch) if kind is Kind.BUILDINGS else []
    for table in _TABLES[kind]:
        _take_back(session, batch.id, table)
    if kind is Kind.BUILDINGS:
        _take_back_compounds(session, batch.id)
        counts.place_buildings(session, also=touched)
    if kind is Kind.UNITS:
        _take_back_units(session, batch)
    batches.clear(session, batch.id)
    batch.state, batch.progress, batch.accepted_at = "uploaded", 0.0, None
    batch.rows_total = batch.rows_bad = batch.rows_accepted = None
    batch.report = {**batch.report, "undone": batch.report.get("accepted")}
    raise_version(session, *LAYERS[kind], *(["regions"] if batch.options.get("derive") else []))
    audit.record(session, actor, "import.undo", "import_batch", batch.id, kind=kind.value)
    session.flush()
    return batches.view(session, batch, actor)


def _refuse_foreign(session: Session, actor: Actor, batch: ImportBatch, kind: Kind) -> None:
    if actor.everywhere(Role.PLANNER):
        return
    homes = [
        sa.select(table.__table__.c.region_id).where(table.__table__.c.import_batch_id == batch.id)
        for table in _TABLES[kind]
        if "region_id" in table.__table__.c
    ]
    homes.append(sa.select(Region.id).where(Region.import_batch_id == batch.id))
    if kind is Kind.UNITS:
        homes.append(sa.select(Unit.region_id).where(Unit.id.in_(_imported_units(batch.id))))
    for home in homes:
        for code in session.scalars(sa.select(Region.code).where(Region.id.in_(home))):
            actor.require(Role.PLANNER, code)


def _refuse_changed(session: Session, batch: ImportBatch, kind: Kind) -> None:
    """Every row taken over must still be this batch's: a later import that updated one carries its own number."""
    if not _TABLES[kind]:
        return
    still = sum(_count(session, table, batch.id) for table in _TABLES[kind])
    if still != (batch.rows_accepted or 0):
        raise Conflict("IMPORT_UNDO_CHANGED", count=(batch.rows_accepted or 0) - still)


def _refuse_used(session: Session, batch: ImportBatch, kind: Kind) -> None:
    for what, used in _uses(batch.id, kind):
        count = session.scalar(used) or 0
        if count:
            zh, en = _NAMES[what]
            raise Conflict("IMPORT_UNDO_USED", count=count, what=what, what_zh=zh, what_en=en)


def _refuse_lost(session: Session, batch: ImportBatch) -> None:
    """What rows were before is kept in a table that a crash of the database server empties."""
    changed = int(batch.report.get("accepted", {}).get("updated", 0))
    kept = sa.select(sa.func.count()).where(ImportRow.batch_id == batch.id, ImportRow.source.has_key("before"))
    if (session.scalar(kept) or 0) < changed:
        raise Conflict("IMPORT_UNDO_LOST", count=changed)


def _uses(batch_id: int, kind: Kind) -> list[tuple[str, sa.Select[Any]]]:
    """What may rest on the new things of a batch: its name and how many there are."""
    count = sa.func.count()
    if kind is Kind.REGIONS:
        updated = sa.select(ImportRow.source["id"].as_integer()).where(
            ImportRow.batch_id == batch_id, ImportRow.source.has_key("before")
        )
        mine = sa.select(Region.id).where(Region.import_batch_id == batch_id, Region.id.not_in(updated))
        of_mine = ((Unit, "unit"), (Building, "building"), (Case, "case"), (Plan, "plan"), (Compound, "compound"))
        uses = [(name, sa.select(count).select_from(t).where(t.region_id.in_(mine))) for t, name in of_mine]
        children = sa.select(count).select_from(Region).where(Region.parent_id.in_(mine), Region.id.not_in(mine))
        return [*uses, ("region", children)]
    if kind is Kind.BARRIERS:
        mine = sa.select(Compound.id).where(Compound.import_batch_id == batch_id)
        return [("unit", sa.select(count).select_from(Unit).where(Unit.compound_id.in_(mine)))]
    if kind is Kind.GRIDS:
        return [("plan", sa.select(count).select_from(Plan).where(Plan.import_batch_id == batch_id))]
    if kind is Kind.UNITS:
        units = _imported_units(batch_id)
        cut = sa.select(count).select_from(Unit).where(Unit.cut_of.in_(units))
        return [("plan", sa.select(count).select_from(PlanUnit).where(PlanUnit.unit_id.in_(units))), ("plan", cut)]
    return []


def _imported_units(batch_id: int) -> sa.Select[Any]:
    return sa.select(Unit.id).where(Unit.provenance["batch"].as_integer() == batch_id)


def _count(session: Session, table: type[Base], batch_id: int) -> int:
    column = table.__table__.c.import_batch_id
    chosen = sa.select(sa.func.count()).where(column == batch_id)
    if table is Compound:
        chosen = chosen.where(Compound.geom.is_not(None))
    return session.scalar(chosen) or 0


def _take_back(session: Session, batch_id: int, table: type[Base]) -> None:
    """Changed rows get the values they had; the other rows of the batch go."""
    name = table.__tablename__
    columns = [c.name for c in table.__table__.columns if c.name not in ("id", "unit_id")]
    if table is not Barrier and table is not SourceGrid:
        sets = ", ".join(f'"{c}" = b."{c}"' for c in columns)
        restore = (  # names are the model's own
            f"UPDATE {name} t SET {sets} FROM import_row i, "  # noqa: S608
            f"LATERAL jsonb_populate_record(NULL::{name}, i.source->'before') b "
            "WHERE i.batch_id = :batch AND i.source ? 'before' AND t.id = (i.source->>'id')::bigint"
        )
        session.execute(sa.text(restore), {"batch": batch_id})
    if table is Compound:
        session.execute(query("imports", "leave_compounds"), {"batch": batch_id})
    session.execute(sa.delete(table).where(table.__table__.c.import_batch_id == batch_id))


def _take_back_compounds(session: Session, batch_id: int) -> None:
    """Compounds that only the batch's buildings named go with them."""
    named = sa.select(Building.compound_id).where(Building.compound_id.is_not(None))
    used = sa.select(Unit.compound_id).where(Unit.compound_id.is_not(None))
    session.execute(
        sa.delete(Compound).where(
            Compound.import_batch_id == batch_id,
            Compound.geom.is_(None),
            Compound.id.not_in(named),
            Compound.id.not_in(used),
        )
    )


def _take_back_units(session: Session, batch: ImportBatch) -> None:
    units = _imported_units(batch.id)
    for table in (Building, Case):
        session.execute(sa.update(table).where(table.unit_id.in_(units)).values(unit_id=None))
    session.execute(sa.delete(Unit).where(Unit.provenance["batch"].as_integer() == batch.id))
    for level in ("community", "subdistrict", "county"):
        session.execute(sa.delete(Region).where(Region.import_batch_id == batch.id, Region.level == level))


def _units_of(session: Session, batch: ImportBatch) -> list[int]:
    found = sa.select(Building.unit_id).where(Building.import_batch_id == batch.id, Building.unit_id.is_not(None))
    return [unit for unit in session.scalars(found.distinct()) if unit is not None]
