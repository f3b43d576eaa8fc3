"""How the good rows of each kind become things: one function a kind, in the transaction of the acceptance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.fields import Kind
from gridmap.db import bulk
from gridmap.db.loading import indexes_rebuilt, keys_vouched
from gridmap.db.models import ImportBatch, Unit
from gridmap.errors import Conflict
from gridmap.services import counts, plans
from gridmap.services.actor import Actor, Role
from gridmap.services.imports import known
from gridmap.services.imports.unit_rows import take_units
from gridmap.services.placing import place
from gridmap.sql import query

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that became something new, rows that changed something known, and what else came of it."""

    inserted: int
    updated: int
    also: Mapping[str, Any] = field(default_factory=dict)


def _regions(session: Session, actor: Actor, batch: ImportBatch, replace: bool, say: Progress) -> Made:
    _run(session, "match_regions", batch)
    _run(session, "keep_before_region", batch)
    made = Made(_run(session, "insert_regions", batch), _run(session, "update_regions", batch))
    _run(session, "link_parents", batch)
    settled = {table: _settle(session, table, batch) for table in ("building", "case_record")}
    return Made(made.inserted, made.updated, {f"{table}_settled": n for table, n in settled.items() if n})


def _settle(session: Session, table: str, batch: ImportBatch) -> int:
    """Give what lies in the new communities, and in no unit yet, its community; how many got one."""
    loose = bulk.columns(session, query("imports", f"unsettled_{table}"), {"batch": batch.id})
    if not len(loose["id"]):
        return 0
    lonlat = np.column_stack([loose["lon"], loose["lat"]]).astype(np.float64)
    home = known.load(session, batch).locate(lonlat)
    there = home >= 0
    place(session, table, loose["id"][there], [None] * int(there.sum()), home[there])
    return int(there.sum())


def _buildings(session: Session, actor: Actor, batch: ImportBatch, replace: bool, say: Progress) -> Made:
    for name in ("match_buildings", "match_joined_buildings", "one_match_a_row", "keep_before_building"):
        _run(session, name, batch)
    compounds = _run(session, "insert_named_compounds", batch)
    _run(session, "compounds_of_import", batch)
    say(0.3, "")
    inserted = _insert_many(session, "building", "insert_buildings", batch)
    say(0.8, "")
    touched = list(session.scalars(query("imports", "touched_units")))
    updated = _run(session, "update_buildings", batch)
    _run(session, "leave_units", batch)
    placed = 0
    if session.scalar(sa.select(sa.exists().where(Unit.retired_at.is_(None)))):
        placed = counts.place_buildings(session, batch.id, also=touched)
    return Made(inserted, updated, {"compounds": compounds, "placed_in_units": placed})


def _barriers(session: Session, actor: Actor, batch: ImportBatch, replace: bool, say: Progress) -> Made:
    removed = _run(session, "remove_barriers", batch, patterns=actor.patterns(Role.PLANNER)) if replace else 0
    for name in ("match_compounds", "one_match_a_row", "keep_before_compound"):
        _run(session, name, batch)
    barriers = _run(session, "insert_barriers", batch)
    compounds = _run(session, "insert_compounds", batch)
    updated = _run(session, "update_compounds", batch)
    joined = _run(session, "join_compounds", batch)
    also = {"barriers": barriers, "compounds": compounds, "buildings_joined": joined, "removed": removed}
    return Made(barriers + compounds, updated, also)


def _cases(session: Session, actor: Actor, batch: ImportBatch, replace: bool, say: Progress) -> Made:
    for name in ("match_cases", "one_match_a_row", "keep_before_case_record"):
        _run(session, name, batch)
    made = Made(_insert_many(session, "case_record", "insert_cases", batch), _run(session, "update_cases", batch))
    counts.place_cases(session, batch.id)
    return made


def _grids(session: Session, actor: Actor, batch: ImportBatch, replace: bool, say: Progress) -> Made:
    """The drawn grids, and over living units a plan of each department's; without units they wait."""
    inserted = _run(session, "insert_grids", batch, department=batch.department)
    if not session.scalar(sa.select(sa.exists().where(Unit.retired_at.is_(None)))):
        return Made(inserted, 0, {"plan": None})
    say(0.4, "")
    name, departments = _plan_name(batch), _departments(session, batch)
    made = [
        plans.plan_from_source.within(
            session, actor, batch.id, name if len(departments) == 1 else f"{name} {one}", department=one
        )
        for one in departments
    ]
    return Made(inserted, 0, {"plan": made[0], "plans": len(made)})


def _units(session: Session, actor: Actor, batch: ImportBatch, replace: bool, say: Progress) -> Made:
    inserted, also = take_units(session, actor, batch, replace=replace)
    return Made(inserted, 0, also)


def _plan_name(batch: ImportBatch) -> str:
    name = batch.options.get("plan_name")
    return str(name) if name else batch.filename.rsplit(".", 1)[0]


def _departments(session: Session, batch: ImportBatch) -> Sequence[str | None]:
    """The departments of the drawn grids; ``[None]``, all of them together, where some grids name none."""
    found = session.scalars(query("imports", "departments"), {"batch": batch.id}).all()
    return [None] if None in found else found


def _insert_many(session: Session, table: str, name: str, batch: ImportBatch) -> int:
    """Run the insertion ``name``, its keys looked up for all rows at once."""
    key = {"batch": batch.id}
    held = session.scalar(query("imports", "hold_referred"), key)
    if held != session.scalar(query("imports", "referred"), key):
        raise Conflict("IMPORT_STALE")
    session.execute(query("imports", "hold_batch"), key)
    with indexes_rebuilt(session, table, batch.rows_total or 0), keys_vouched(session):
        return _run(session, name, batch)


def _run(session: Session, name: str, batch: ImportBatch, **more: Any) -> int:
    """Run a named query; the number of rows it touched."""
    result = session.execute(query("imports", name), {"batch": batch.id, **more})
    return max(int(result.rowcount), 0)  # type: ignore[attr-defined]


MAKERS: Mapping[Kind, Callable[[Session, Actor, ImportBatch, bool, Progress], Made]] = {
    Kind.REGIONS: _regions,
    Kind.BUILDINGS: _buildings,
    Kind.BARRIERS: _barriers,
    Kind.GRIDS: _grids,
    Kind.CASES: _cases,
    Kind.UNITS: _units,
}
