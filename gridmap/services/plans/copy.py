"""A plan copied as a new draft, whole or one region's part of it: what a planner begins to redraw from."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, PlanOperation, Region
from gridmap.errors import Invalid, NotFound
from gridmap.services import audit, counts
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.plans.derive import derive
from gridmap.services.versions import raise_version
from gridmap.sql import query

NAME_MAX = 120


@service
def copy_plan(session: Session, actor: Actor, plan_id: int, *, region_code: str | None = None, name: str = "") -> int:
    """A draft with the grids and the assignment of a plan, or of its part in ``region_code``; its id.

    Grids that reach beyond the part are taken with their units inside; locks and validity stay behind. The draft names
    the plan as its base. Raises ``NotFound``, ``Forbidden``, ``Invalid`` PLAN_NO_UNITS.
    """
    base, home = visible(session, actor, plan_id)
    scope = home if region_code is None else session.scalar(sa.select(Region).where(Region.code == region_code))
    if scope is None:
        raise NotFound("REGION_NOT_FOUND", region=region_code)
    if not scope.code.startswith(home.prefix):
        scope = home
    actor.require(Role.PLANNER, scope.code)
    session.refresh(base, with_for_update={"read": True})
    draft = Plan(
        name=name.strip()[:NAME_MAX] or _name(base, home, scope),
        region_id=scope.id,
        department=base.department,
        profile_name=base.profile_name,
        profile=base.profile,
        base_plan_id=base.id,
        created_by=actor.user_id,
    )
    session.add(draft)
    session.flush()
    units = write_copy(session, base.id, draft.id, scope.prefix)
    if not units:
        raise Invalid("PLAN_NO_UNITS", region=scope.code)
    detail = {"by": "plan.copy", "base": base.id, "base_name": base.name, "base_version": base.version}
    session.add(PlanOperation(plan_id=draft.id, version=1, user_id=actor.user_id, kind="create", detail=detail))
    told = {"base": base.id, "region": scope.code, "name": draft.name}
    audit.record(session, actor, "plan.copy", "plan", draft.id, region_code=scope.code, **told)
    raise_version(session, "plans")
    return draft.id


def write_copy(session: Session, base_id: int, draft_id: int, prefix: str) -> int:
    """Copy grids and assignment of one plan into another that is still empty, where codes begin with ``prefix``.

    Returns the number of units; grids of which only a part lies there get the ground of that part.
    """
    keys: dict[str, Any] = {"base": base_id, "plan": draft_id, "scope": prefix}
    old = session.scalars(query("redraw", "kept_grids"), keys).all()
    keys |= {"ids": bulk.reserve_ids(session, Grid, len(old)).tolist(), "old": list(old)}
    session.execute(query("redraw", "copy_grids"), keys)
    copied = session.execute(query("redraw", "copy_units"), keys | {"units": [], "grids": []})
    parted = list(session.scalars(query("plans", "parted_copies"), keys))
    if parted:
        derive(session, parted, homes=True)
    counts.sum_plan(session, draft_id)
    return int(copied.rowcount)  # type: ignore[attr-defined]


def _name(base: Plan, home: Region, scope: Region) -> str:
    part = "" if scope.id == home.id else f" {scope.name}"
    return f"{base.name}{part} 草案"[:NAME_MAX]
