"""A plan from grids that were drawn elsewhere: laid over the units, with every place that does not fit on record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_lonlat, to_metric
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import PlanMisfit
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.make import KINDS, GridRow, finish, living_units, new_plan, store
from gridmap.sql import query

Table = Mapping[str, bulk.Objects]


@service
def plan_from_source(
    session: Session,
    actor: Actor,
    batch_id: int,
    name: str,
    *,
    profile: str | Mapping[str, Any] = "national",
    region_code: str | None = None,
    department: str | None = None,
) -> int:
    """The plan that the drawn grids of an accepted import make over the living units; its id.

    One layer at a time: ``department`` picks one of several in the batch. ``region_code`` defaults to the smallest
    region that holds every community the grids touch. Each unit goes whole to the grid with most of its households;
    what the drawing says and the units cannot follow is stored as ``plan_misfit``.
    Raises ``NotFound``, ``Invalid`` SOURCE_NO_GRIDS or PLAN_NO_UNITS.
    """
    actor.require(Role.PLANNER)
    _require_drawn(session, actor, batch_id)
    key = {"batch": batch_id, "department": department}
    drawn = bulk.columns(session, query("plans", "source_grids"), key)
    if not len(drawn["id"]):
        raise Invalid("SOURCE_NO_GRIDS", batch=batch_id)
    region_code = region_code or session.scalar(query("plans", "scope"), key)
    if region_code is None:
        raise Invalid("SOURCE_NO_REGION", batch=batch_id)
    plan = new_plan(session, actor, name, region_code, profile, department=department, batch_id=batch_id)
    units = living_units(session, region_code)
    grids = [_grid_row(drawn, k) for k in range(len(drawn["id"]))]
    lon0 = middle_lon(units["geom"])
    found, buildings = _overlay(session, units, drawn, lon0)
    middle = shapely.point_on_surface(bulk.shapes(drawn["geom"]))
    drawn_in = units["region_id"][shapely.STRtree(units["geom"]).nearest(middle)]
    ids = store(session, plan, units, grids, found.assignment, drawn_in)
    _write_misfits(session, plan.id, found.misfits, ids, units, buildings, lon0)
    return finish(
        session,
        actor,
        plan,
        region_code,
        "plan.from_source",
        batch=batch_id,
        grids=len(grids),
        misfits=len(found.misfits),
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Drawn grids of one department in an accepted import, which :func:`plan_from_source` makes a plan of."""

    batch_id: int
    filename: str
    department: str | None
    grids: int


@service
def sources(session: Session, actor: Actor) -> tuple[Source, ...]:
    """The drawn grids that the actor may make a plan of, the newest import first."""
    from gridmap.services.imports import batches  # imports make plans in their turn

    known = {one.id: one for one in batches.latest.within(session, actor) if one.state == "accepted"}
    rows = session.execute(query("plans", "sources"), {"batches": list(known)})
    return tuple(Source(row.batch_id, known[row.batch_id].filename, row.department, row.grids) for row in rows)


def _require_drawn(session: Session, actor: Actor, batch_id: int) -> None:
    """``NotFound`` unless the batch is one that the actor may see."""
    from gridmap.services.imports import batches  # imports make plans in their turn

    batches.find(session, actor, batch_id)


def _grid_row(drawn: Table, k: int) -> GridRow:
    kind = drawn["kind"][k] if drawn["kind"][k] in KINDS else "basic"
    return GridRow(drawn["code"][k], drawn["name"][k], kind, drawn["parent_code"][k], drawn["workers"][k])


def _overlay(session: Session, units: Table, drawn: Table, lon0: float) -> tuple[Any, Table]:
    from geodata.overlay import overlay_grids
    from geodata.units import Buildings

    buildings = bulk.columns(session, query("plans", "buildings_of_units"), {"units": units["id"].tolist()})
    ids = units["id"].astype(np.int64)
    order = np.argsort(ids)
    home = order[np.searchsorted(ids[order], buildings["unit_id"].astype(np.int64))]
    households = bulk.ints(buildings["households"], missing=0)
    shapes = to_metric(bulk.shapes(buildings["geom"]), lon0)
    footprints = Buildings(shapes, households, np.zeros_like(households), bulk.ints(buildings["compound_id"]))
    drawn_shapes = to_metric(bulk.shapes(drawn["geom"]), lon0)
    return overlay_grids(to_metric(units["geom"], lon0), drawn_shapes, footprints, home), buildings


def _write_misfits(
    session: Session, plan_id: int, misfits: list[Any], ids: bulk.Ids, units: Table, buildings: Table, lon0: float
) -> None:
    if not misfits:
        return
    shapes = np.empty(len(misfits), dtype=object)
    shapes[:] = [to_lonlat(misfit.geometry, lon0) for misfit in misfits]
    place = shapely.STRtree(units["geom"]).nearest(shapely.point_on_surface(shapes))
    named = [[int(ids[g]) for g in misfit.grids if g >= 0] for misfit in misfits]
    bulk.copy(
        session,
        PlanMisfit.__tablename__,
        {
            "plan_id": [plan_id] * len(misfits),
            "kind": [str(misfit.kind) for misfit in misfits],
            "grid_id": [grids[0] if grids else None for grids in named],
            "other_grid_id": [grids[1] if len(grids) > 1 else None for grids in named],
            "unit_id": [int(units["id"][m.unit]) if m.unit >= 0 else None for m in misfits],
            "area_m2": [round(float(misfit.area_m2), 3) for misfit in misfits],
            "households": [int(misfit.households) for misfit in misfits],
            "params": [
                json.dumps(_params(misfit, grids, buildings) | {"region_code": code}, ensure_ascii=False)
                for misfit, grids, code in zip(misfits, named, units["region_code"][place], strict=True)
            ],
            "geom": bulk.wkb_hex(shapes),
        },
    )


def _params(misfit: Any, grids: list[int], buildings: Table) -> dict[str, Any]:
    params: dict[str, Any] = {"grids": grids, "shares": [round(float(share), 4) for share in misfit.shares]}
    if misfit.building >= 0:
        row = misfit.building
        label = buildings["name"][row] or buildings["address"][row] or buildings["key"][row] or ""
        params |= {"building": int(buildings["id"][row]), "name": label}
    if misfit.compound >= 0:
        params["compound"] = int(misfit.compound)
    return params
