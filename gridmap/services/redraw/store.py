"""A redrawn part written down as a draft beside the plan it came from: the rest of the plan is copied as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.redraw.model import Ints
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, PlanOperation, Region
from gridmap.jobs.app import defer
from gridmap.services import audit, counts
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.plans.derive import derive
from gridmap.services.redraw.codes import NewGrid, new_grids
from gridmap.services.redraw.ground import Ground
from gridmap.services.redraw.wish import NAME_MAX
from gridmap.services.versions import raise_version
from gridmap.settings import settings
from gridmap.sql import query

_MADE = "机器方案"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The draft made: its id and name, and the codes of the grids of the plan that it has no more.

    ``base_version`` is the version of the plan at the time of writing; the engine saw ``Ground.version``.
    """

    plan_id: int
    name: str
    gone: tuple[str, ...]
    base_version: int


@dataclass(frozen=True, slots=True)
class Labels:
    """What the grids of a result are called: ``codes`` and ``names`` by number, and the rows of those that are new."""

    codes: dict[int, str]
    names: dict[int, str]
    new: tuple[NewGrid, ...]


@service
def name_grids(session: Session, actor: Actor, ground: Ground, plan: Ints) -> Labels:
    """Codes and names of the grids of ``plan`` (n,): those of the start plan keep theirs, new ones get fresh ones."""
    actor.require(Role.PLANNER, ground.scope_code)
    used = set(session.scalars(query("redraw", "codes"), {"plan": ground.plan_id}))
    new = new_grids(ground, plan, used)
    codes = dict(enumerate(ground.grid_codes.tolist())) | {grid.number: grid.code for grid in new}
    names = {k: name or "" for k, name in enumerate(ground.grid_names)} | {grid.number: grid.name for grid in new}
    return Labels(codes, names, new)


@service
def store(
    session: Session, actor: Actor, ground: Ground, plan: Ints, labels: Labels, name: str, provenance: dict[str, Any]
) -> Proposal:
    """Write ``plan`` (n,), the grid of each unit of ``ground``, as a draft based on the plan; ``provenance`` is kept
    with its birth.

    What lies outside the ground is copied as it is at this moment, also where it changed since the ground was read.
    """
    base, _ = visible(session, actor, ground.plan_id)
    actor.require(Role.PLANNER, ground.scope_code)
    session.refresh(base, with_for_update={"read": True})
    scope = session.scalars(sa.select(Region).where(Region.code == ground.scope_code)).one()
    draft = _draft(session, actor, base, scope, ground, name)
    keys = {"base": base.id, "plan": draft.id, "scope": scope.prefix}
    old = session.scalars(query("redraw", "kept_grids"), keys).all()
    ids = bulk.reserve_ids(session, Grid, len(old)).tolist()
    keys |= {"ids": ids, "old": list(old)}
    session.execute(query("redraw", "copy_grids"), keys)
    id_of = _write_new(session, draft, ground, labels, dict(zip(old, ids, strict=True)), plan)
    free = ~ground.instance.in_closed()
    placed = {"units": ground.unit_ids[free].tolist(), "grids": [id_of[int(grid)] for grid in plan[free]]}
    session.execute(query("redraw", "copy_units"), keys | placed)
    gone = _derive(session, draft, keys | {"communities": ground.codes.tolist()})
    detail = provenance | {"by": "plan.redraw", "base_version_now": base.version, "gone": list(gone)}
    session.add(PlanOperation(plan_id=draft.id, version=1, user_id=actor.user_id, kind="create", detail=detail))
    told = {"base": base.id, "region": ground.region_code, "seed": provenance["seed"], "moves": provenance["moves"]}
    audit.record(session, actor, "plan.redraw", "plan", draft.id, region_code=scope.code, name=draft.name, **told)
    raise_version(session, "plans")
    defer(session, "prepare_ground", plan_id=draft.id)
    return Proposal(draft.id, draft.name, gone, base.version)


def _draft(session: Session, actor: Actor, base: Plan, scope: Region, ground: Ground, name: str) -> Plan:
    moment = datetime.now(ZoneInfo(settings().time_zone))
    part = "" if base.region_id == ground.region_id else f" {ground.region_name}"
    suffix = f" {_MADE} {moment:%Y-%m-%d %H:%M}{part}"
    stem = base.name.partition(f" {_MADE} ")[0]
    draft = Plan(
        name=name.strip()[:NAME_MAX] or f"{stem[: NAME_MAX - len(suffix)]}{suffix}",
        region_id=scope.id,
        department=base.department,
        profile_name=base.profile_name,
        profile=base.profile,
        base_plan_id=base.id,
        created_by=actor.user_id,
    )
    session.add(draft)
    session.flush()
    return draft


def _write_new(
    session: Session, draft: Plan, ground: Ground, labels: Labels, copied: dict[int, int], plan: Ints
) -> dict[int, int]:
    """Write the grids that are not copied; the id of each grid by its number. One deleted meanwhile returns as new."""
    used = np.unique(plan[~ground.instance.in_closed()]).tolist()
    id_of = {k: copied[int(grid)] for k, grid in enumerate(ground.grid_ids) if int(grid) in copied}
    missing = [number for number in used if number not in id_of]
    fresh = bulk.reserve_ids(session, Grid, len(missing)).tolist()
    micro = ground.profile.urban is None and ground.profile.rural is None
    bulk.copy(
        session,
        Grid.__tablename__,
        {
            "id": fresh,
            "plan_id": [draft.id] * len(missing),
            "code": [labels.codes[number] for number in missing],
            "name": [labels.names[number] or None for number in missing],
            "kind": ["micro" if micro else "basic"] * len(missing),
        },
    )
    return id_of | dict(zip(missing, fresh, strict=True))


def _derive(session: Session, draft: Plan, keys: dict[str, Any]) -> tuple[str, ...]:
    """Ground, home and counts of the grids that changed; the codes of those without any unit, which are removed."""
    touched: Sequence[int] = session.scalars(query("redraw", "touched_grids"), keys).all()
    removed = session.execute(query("redraw", "remove_empty"), keys | {"grids": list(touched)}).all()
    gone, gone_ids = [row.code for row in removed], [row.id for row in removed]
    derive(session, set(touched) - set(gone_ids), homes=True)
    cut_off = set(session.scalars(query("redraw", "cut_off_grids"), keys)) - {None}
    derive(session, cut_off - set(touched))
    counts.sum_plan(session, draft.id)
    return tuple(sorted(gone))
