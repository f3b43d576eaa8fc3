"""Writing a plan down: its grids, the assignment of every unit, geometry and counts derived from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.cutting import noded
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, PlanOperation, Region
from gridmap.errors import Invalid, NotFound
from gridmap.jobs.app import defer
from gridmap.services import audit, counts
from gridmap.services.actor import Actor, Role
from gridmap.services.placing import lock_units
from gridmap.services.standards import resolve
from gridmap.services.versions import raise_version
from gridmap.sql import query

KINDS = ("basic", "special", "micro")
Table = Mapping[str, bulk.Objects]


@dataclass(frozen=True, slots=True)
class GridRow:
    """What a grid is called; ground and counts follow from its units. ``parent_code`` is for micro-grids.

    ``region_code`` is the community of a grid that no unit goes to; others lie where their units do.
    """

    code: str
    name: str | None = None
    kind: str = "basic"
    parent_code: str | None = None
    workers: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    region_code: str | None = None


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """A unit, known by its number in the database and checked by its place in its community, and its grid's index."""

    unit_id: int
    region_code: str
    number: int
    grid: int | None


@service
def create_empty(
    session: Session,
    actor: Actor,
    name: str,
    region_code: str,
    *,
    profile: str | Mapping[str, Any] = "national",
    department: str | None = None,
) -> int:
    """A draft without grids over the living units of a region; its id."""
    plan = new_plan(session, actor, name, region_code, profile, department=department)
    units = living_units(session, region_code)
    store(session, plan, units, (), np.full(len(units["id"]), -1))
    return finish(session, actor, plan, region_code, "plan.create_empty")


@service
def from_assignment(
    session: Session,
    actor: Actor,
    name: str,
    region_code: str,
    rows: Sequence[AssignmentRow],
    grids: Sequence[GridRow],
    *,
    profile: str | Mapping[str, Any] = "national",
    department: str | None = None,
) -> int:
    """A draft in which each row's unit belongs to its grid; living units that no row names stay unassigned. Its id.

    Raises ``Invalid`` ASSIGNMENT_UNIT_UNKNOWN or ASSIGNMENT_UNIT_TWICE with the row.
    """
    plan = new_plan(session, actor, name, region_code, profile, department=department)
    units = living_units(session, region_code)
    place = {key: k for k, key in enumerate(zip(units["id"], units["region_code"], units["number"], strict=True))}
    grid_of = np.full(len(units["id"]), -1)
    seen: set[int] = set()
    for line, row in enumerate(rows, start=1):
        at = place.get((row.unit_id, row.region_code, row.number))
        if at is None:
            raise Invalid("ASSIGNMENT_UNIT_UNKNOWN", row=line, line=line, unit=row.unit_id)
        if at in seen:
            raise Invalid("ASSIGNMENT_UNIT_TWICE", row=line, line=line, unit=row.unit_id)
        seen.add(at)
        grid_of[at] = -1 if row.grid is None else row.grid
    region_ids = dict(zip(units["region_code"], units["region_id"], strict=True))
    drawn_in = np.array([region_ids.get(row.region_code) for row in grids], dtype=object)
    store(session, plan, units, grids, grid_of, drawn_in)
    return finish(session, actor, plan, region_code, "plan.from_assignment", rows=len(rows))


def new_plan(
    session: Session,
    actor: Actor,
    name: str,
    region_code: str,
    profile: str | Mapping[str, Any],
    *,
    department: str | None = None,
    batch_id: int | None = None,
) -> Plan:
    """A flushed draft with a snapshot of its standard (the name of one shipped, or the content of another)."""
    actor.require(Role.PLANNER, region_code)
    region = session.scalar(sa.select(Region).where(Region.code == region_code))
    if region is None:
        raise NotFound("REGION_NOT_FOUND", region=region_code)
    if not name.strip():
        raise Invalid("PLAN_NAME_EMPTY")
    standard = resolve(profile)
    plan = Plan(
        name=name.strip(),
        region_id=region.id,
        department=department,
        profile_name=standard.name,
        profile=standard.to_dict(),
        import_batch_id=batch_id,
        created_by=actor.user_id,
    )
    session.add(plan)
    session.flush()
    return plan


def living_units(session: Session, region_code: str) -> dict[str, bulk.Objects]:
    """Living units of a region's subtree, geometry lon/lat. Raises ``Invalid`` PLAN_NO_UNITS where there are none."""
    lock_units(session, shared=True)
    prefix = session.scalar(sa.select(Region.prefix).where(Region.code == region_code))
    units = bulk.columns(session, query("plans", "living_units"), {"prefix": prefix})
    if not len(units["id"]):
        raise Invalid("PLAN_NO_UNITS", region=region_code)
    return units | {"geom": bulk.shapes(units["geom"])}


def store(
    session: Session,
    plan: Plan,
    units: Table,
    grids: Sequence[GridRow],
    grid_of: bulk.Ids,
    drawn_in: bulk.Objects | None = None,
) -> bulk.Ids:
    """Write ``grids`` and the row of the grid of each unit (-1 none); the ids of the grids.

    ``drawn_in`` is the community (id) of each grid, for those that no unit went to.
    """
    ids = bulk.reserve_ids(session, Grid, len(grids))
    if len(grids):
        _write_grids(session, plan, units, grids, grid_of, ids, drawn_in)
    assigned = bulk.or_none(grid_of >= 0, np.append(ids, -1)[grid_of])
    bulk.copy(
        session,
        "plan_unit",
        {"plan_id": [plan.id] * len(grid_of), "unit_id": units["id"], "grid_id": assigned},
    )
    counts.sum_plan(session, plan.id)
    return ids


def _write_grids(
    session: Session,
    plan: Plan,
    units: Table,
    grids: Sequence[GridRow],
    grid_of: bulk.Ids,
    ids: bulk.Ids,
    drawn_in: bulk.Objects | None,
) -> None:
    first = {row.code: k for k, row in reversed(list(enumerate(grids)))}
    micro = np.array([row.kind == "micro" for row in grids], dtype=bool)
    parent = np.array([first.get(row.parent_code or "", -1) for row in grids], dtype=np.int64)
    parent = np.where(micro & (parent != np.arange(len(grids))), parent, -1)
    top = np.where(grid_of >= 0, np.where(parent[grid_of] >= 0, parent[grid_of], grid_of), -1)
    polygons, homes = unions(units["geom"], top, len(grids)), home_regions(units, top, len(grids))
    polygons[micro] = unions(units["geom"], grid_of, len(grids))[micro]
    homes[micro] = home_regions(units, grid_of, len(grids))[micro]
    if drawn_in is not None:
        homes = np.where(bulk.null(homes), drawn_in, homes)
    bulk.copy(
        session,
        "grid",
        {
            "id": ids,
            "plan_id": [plan.id] * len(grids),
            "region_id": homes,
            "code": [row.code for row in grids],
            "name": [row.name for row in grids],
            "kind": [row.kind for row in grids],
            "workers": [row.workers for row in grids],
            "valid_from": [row.valid_from for row in grids],
            "valid_to": [row.valid_to for row in grids],
            "geom": bulk.wkb_hex(bulk.multi(polygons)),
        },
    )
    below = [{"id": int(ids[k]), "parent_id": int(ids[parent[k]])} for k in np.flatnonzero(parent >= 0)]
    if below:
        session.execute(sa.update(Grid), below)


def unions(geometry: Any, group: bulk.Ids, count: int, *, ends: Sequence[Any] = ()) -> bulk.Objects:
    """Union of the units of each of ``count`` groups, exactly along their borders; None where a group is empty.

    ``ends`` of each unit, where any is a piece of a cut one: where cuts met the borders, as its provenance keeps it.
    """
    polygons = np.full(count, None, dtype=object)
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(count + 1))
    for k in np.flatnonzero(np.diff(bounds)):
        mine = order[bounds[k] : bounds[k + 1]]
        met = [end for unit in mine for end in ends[unit] or ()] if len(ends) else []
        polygons[k] = shapely.coverage_union_all(noded(geometry[mine], met) if met else geometry[mine])
    return polygons


def home_regions(units: Table, grid_of: bulk.Ids, count: int) -> bulk.Objects:
    """The community (id) that holds most of the ground of each grid, None where it has no unit."""
    held = grid_of >= 0
    regions, inverse = np.unique(units["region_id"].astype(np.int64), return_inverse=True)
    keys, at = np.unique(grid_of[held] * len(regions) + inverse[held], return_inverse=True)
    area_m2 = np.bincount(at, units["area_m2"][held].astype(np.float64), len(keys))
    home = np.full(count, None, dtype=object)
    for k in np.argsort(area_m2, kind="stable"):
        home[keys[k] // len(regions)] = int(regions[keys[k] % len(regions)])
    return home


def finish(session: Session, actor: Actor, plan: Plan, region_code: str, action: str, **detail: Any) -> int:
    """Log the birth of a plan and have its ground made ready; its id."""
    operation = PlanOperation(plan_id=plan.id, version=1, user_id=actor.user_id, kind="create", detail={"by": action})
    session.add(operation)
    audit.record(session, actor, action, "plan", plan.id, region_code=region_code, name=plan.name, **detail)
    raise_version(session, "plans")
    defer(session, "prepare_ground", plan_id=plan.id)
    return plan.id
