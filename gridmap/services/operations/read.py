"""Reading the log of a plan: page by page in words, and whether its chain of hashes is whole."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db.engine import service
from gridmap.db.models import PlanOperation
from gridmap.services.actor import Actor, Role
from gridmap.services.operations import log
from gridmap.services.operations.log import Entry
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class LogPage:
    """Operations, newest first, and how many the plan has in all."""

    items: list[Entry]
    total: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether every operation still says what it said, and follows the one before it; else the first that does not."""

    intact: bool
    operations: int
    broken_at: int | None


@service
def history(session: Session, actor: Actor, plan_id: int, *, before: int | None = None, limit: int = 50) -> LogPage:
    """Operations of a plan below the version ``before``, for who may see all of the plan.

    Raises ``NotFound``, ``Forbidden``.
    """
    plan, region = visible(session, actor, plan_id)
    actor.require(Role.VIEWER, region.code)
    require_households(actor, region.prefix)
    total = session.scalar(
        sa.select(sa.func.count()).select_from(PlanOperation).where(PlanOperation.plan_id == plan_id)
    )
    found = log.rows(session, plan_id, before=before, limit=limit)
    profile = standards.from_dict(plan.profile)
    return LogPage(log.entries(session, actor, plan, region.code, found, profile), total or 0)


@service
def verify(session: Session, actor: Actor, plan_id: int) -> Chain:
    """Compute every hash of the log anew. Raises as :func:`history`."""
    _, region = visible(session, actor, plan_id)
    actor.require(Role.VIEWER, region.code)
    row = session.execute(query("operations", "chain"), {"plan": plan_id}).one()
    return Chain(row.broken_at is None, row.operations, row.broken_at)
