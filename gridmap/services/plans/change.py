"""What happens to a plan as a whole: renamed, put in force, archived, a draft deleted."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, PlanOperation, PlanUnit, Region
from gridmap.errors import Conflict, Invalid
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.days import today
from gridmap.services.plans.access import editable
from gridmap.services.plans.households import publish_plan
from gridmap.services.versions import raise_version
from gridmap.sql import query


@service
def rename(session: Session, actor: Actor, plan_id: int, name: str) -> None:
    """Give a plan another name. Raises ``Invalid`` PLAN_NAME_EMPTY."""
    plan, region = editable(session, actor, plan_id, draft=False)
    if not name.strip():
        raise Invalid("PLAN_NAME_EMPTY")
    before, plan.name = plan.name, name.strip()
    _log(session, actor, plan, region, "rename", before=before, after=plan.name)


@service
def put_in_force(session: Session, actor: Actor, plan_id: int, valid_from: date) -> None:
    """Record a draft as the plan in force since ``valid_from``: it was approved elsewhere, before this program."""
    plan, region = editable(session, actor, plan_id)
    actor.require(Role.APPROVER, region.code)
    plan.state, plan.valid_from = "published", valid_from
    _log(session, actor, plan, region, "put_in_force", valid_from=valid_from.isoformat())
    session.flush()
    publish_plan(session, plan.id)


@service
def archive(session: Session, actor: Actor, plan_id: int) -> None:
    """Put a plan away; one in force ends today. Raises ``Conflict`` PLAN_STATE where it is archived already."""
    plan, region = editable(session, actor, plan_id, draft=False)
    if plan.state == "archived":
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    if plan.state == "published":
        actor.require(Role.APPROVER, region.code)
        plan.valid_to = today()
    before, plan.state = plan.state, "archived"
    _log(session, actor, plan, region, "archive", before=before)


@service
def unarchive(session: Session, actor: Actor, plan_id: int) -> None:
    """Make an archived plan a draft again: the way back from :func:`archive` for what never was in force.

    Raises ``Conflict`` PLAN_STATE where it is not archived, PLAN_WAS_IN_FORCE.
    """
    plan, region = editable(session, actor, plan_id, draft=False)
    if plan.state != "archived":
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    if plan.valid_from is not None:
        raise Conflict("PLAN_WAS_IN_FORCE", plan=plan.name)
    plan.state = "draft"
    _log(session, actor, plan, region, "unarchive")


@service
def delete(session: Session, actor: Actor, plan_id: int) -> None:
    """Remove a draft with all that hangs on it. Raises ``Conflict`` PLAN_NOT_DRAFT, or PLAN_IS_BASE of another plan."""
    plan, region = editable(session, actor, plan_id)
    if session.scalar(sa.select(sa.exists().where(Plan.base_plan_id == plan.id))):
        raise Conflict("PLAN_IS_BASE", plan=plan.name)
    # one by one: a grid that goes by itself would first let go of each of its units
    for table in (PlanUnit, Grid):
        session.execute(sa.delete(table).where(table.plan_id == plan_id))
    session.execute(sa.delete(Plan).where(Plan.id == plan_id))
    session.execute(query("pieces", "forget_pieces"))
    audit.record(session, actor, "plan.delete", "plan", plan_id, region_code=region.code, name=plan.name)
    raise_version(session, "plans")


def _log(session: Session, actor: Actor, plan: Plan, region: Region, kind: str, **detail: Any) -> None:
    """Raise the plan's version and write operation and audit. Names and states do not make a check out of date."""
    if plan.checked_version == plan.version:
        plan.checked_version += 1
    plan.version += 1
    plan.updated_at = sa.func.now()
    session.add(PlanOperation(plan_id=plan.id, version=plan.version, user_id=actor.user_id, kind=kind, detail=detail))
    audit.record(session, actor, f"plan.{kind}", "plan", plan.id, region_code=region.code, **detail)
    raise_version(session, "plans")
