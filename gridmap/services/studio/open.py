"""What the studio needs beside the ground to open a plan: grids, who may do what, the plan it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from geodata import standards
from geodata.redraw.model import Ints
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid
from gridmap.services.actor import Actor, Role
from gridmap.services.standards import class_of
from gridmap.services.studio.ground import Ground, read_ground
from gridmap.services.studio.land import looked_up
from gridmap.sql import query

#: Ids of grids that a page may give away before it must ask for more.
RESERVED = 200

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan as the studio opens it; ``assignment`` (n,): the index of each unit's grid in ``grids``, -1 for none.

    Units are in the order of the packed ground at ``version``. ``base`` is the plan it is compared with, its assignment
    in the same order; ``reserved`` ids for new grids. ``bounds``: west, south, east, north in degrees.
    """

    plan: Mapping[str, Any]
    may_edit: bool
    grids: Rows
    regions: Rows
    assignment: list[int]
    base: Mapping[str, Any] | None
    code: Mapping[str, Any]
    reserved: list[int]
    version: str
    user: Mapping[str, Any]
    bounds: tuple[float, float, float, float] | None


@service
def open_plan(session: Session, actor: Actor, plan_id: int) -> Opened:
    """Everything of a plan that lies where the actor may look; a planner of all of it may edit it while it is a draft.

    Raises ``NotFound`` PLAN_NOT_FOUND.
    """
    ground = read_ground(session, actor, plan_id)
    plan, home = ground.plan, ground.home
    profile = standards.from_dict(plan.profile)
    may_edit = plan.state == "draft" and actor.may(Role.PLANNER, home.code)
    grids, assignment = _grids(session, actor, ground)
    return Opened(
        plan={
            "id": plan.id,
            "name": plan.name,
            "state": plan.state,
            "version": plan.version,
            "region_code": home.code,
            "region_name": home.name,
            "profile_name": plan.profile_name,
        },
        may_edit=may_edit,
        grids=grids,
        regions=[_region(profile, row) for row in _rows(ground.regions)],
        assignment=assignment,
        base=_base(session, ground),
        code=profile.code.model_dump() | {"retired": _retired(session, actor, ground)},
        reserved=bulk.reserve_ids(session, Grid, RESERVED).tolist() if may_edit else [],
        version=ground.version,
        user={"id": actor.user_id, "name": actor.name or actor.login},
        bounds=ground.topology.bounds_lonlat(),
    )


def _grids(session: Session, actor: Actor, ground: Ground) -> tuple[Rows, list[int]]:
    grid_id = ground.numbers.grid_id[ground.units]
    held = np.unique(np.concatenate([grid_id, ground.numbers.top_grid_id[ground.units]]))
    wanted = {"plan": ground.plan.id, "patterns": actor.patterns(Role.VIEWER), "held": held[held >= 0].tolist()}
    table = bulk.columns(session, query("studio", "grids"), wanted)
    home = looked_up(bulk.ints(table["region_id"]), ground.regions["id"].astype(np.int64))
    rows = _rows({name: column for name, column in table.items() if name != "region_id"})
    for row, region in zip(rows, home.tolist(), strict=True):
        row["region"] = region
    return rows, looked_up(grid_id, table["id"].astype(np.int64)).tolist()


def _region(profile: standards.Profile, row: Mapping[str, Any]) -> dict[str, Any]:
    """A region with the bounds of the class that holds in it, None where the standard has none."""
    class_ = class_of(profile, row["settlement"])
    bound = None if class_ is None else profile.bound(class_)
    return {
        "id": row["id"],
        "code": row["code"],
        "name": row["name"],
        "settlement": row["settlement"],
        "class": class_,
        "low": None if bound is None else bound.households_min,
        "high": None if bound is None else bound.households_max,
        "population_limit": None if bound is None or bound.population is None else bound.population.limit,
    }


def _base(session: Session, ground: Ground) -> dict[str, Any] | None:
    """The plan to compare with, on the units that the reader sees; None where there is none."""
    found = session.execute(query("studio", "base"), {"plan": ground.plan.id}).one_or_none()
    if found is None:
        return None
    unit, grid = bulk.packed_ints(session, query("studio", "base_units"), {"base": found.id}, 2).T
    units = ground.numbers.id[ground.units]
    at = looked_up(units, unit)
    missing = np.flatnonzero(at < 0)
    if len(missing):
        at[missing] = _cut_from(session, units[missing], unit)
    of = np.append(grid, -1)[at]
    table = bulk.columns(session, query("studio", "base_grids"), {"ids": np.unique(of[of >= 0]).tolist()})
    assignment = looked_up(of, table["id"].astype(np.int64)).tolist()
    return {"plan_id": found.id, "name": found.name, "assignment": assignment, "grids": _rows(table)}


def _cut_from(session: Session, pieces: Ints, unit: Ints) -> Ints:
    """For each piece of a cut (k,) the place in ``unit`` of what it was cut from, -1 for others."""
    rows = session.execute(query("studio", "ancestors"), {"units": pieces.tolist()}).all()
    found = np.full(len(pieces), -1, dtype=np.int64)
    if rows:
        piece, ancestor = np.array([tuple(row) for row in rows], dtype=np.int64).T
        at = looked_up(ancestor, unit)
        found[looked_up(piece[at >= 0], pieces)] = at[at >= 0]
    return found


def _retired(session: Session, actor: Actor, ground: Ground) -> list[str]:
    wanted = {"plan": ground.plan.id, "prefix": ground.home.prefix, "patterns": actor.patterns(Role.VIEWER)}
    return list(session.scalars(query("studio", "retired_codes"), wanted).all())


def _rows(table: Mapping[str, bulk.Objects]) -> Rows:
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
