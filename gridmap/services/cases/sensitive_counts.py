"""Cases of sensitive categories: how many in each grid, for case officers and administrators; nothing else of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Case, Grid, PlanUnit, Region
from gridmap.errors import Forbidden
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree, visible
from gridmap.services.sensitive import sensitive


@dataclass(frozen=True, slots=True)
class SensitiveCount:
    """Cases of a sensitive category in a grid; micro-grids count in their parents."""

    grid_id: int
    code: str
    name: str | None
    region_code: str | None
    category: str
    cases: int


@service
def sensitive_counts(
    session: Session,
    actor: Actor,
    plan_id: int,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    region: str | None = None,
) -> tuple[SensitiveCount, ...]:
    """Cases of sensitive categories by grid of a plan, the most first; every look is in the audit.

    Raises ``NotFound`` PLAN_NOT_FOUND; ``Forbidden`` CASES_RAW for whoever is not a case officer of all of ``region``.
    """
    visible(session, actor, plan_id)
    if not actor.sees_raw(subtree(region) or ""):
        raise Forbidden("CASES_RAW")
    top = sa.case((Grid.kind == "micro", sa.func.coalesce(Grid.parent_id, Grid.id)), else_=Grid.id)
    held = sa.select(PlanUnit.unit_id, top.label("grid_id")).join(Grid, Grid.id == PlanUnit.grid_id)
    units = held.where(PlanUnit.plan_id == plan_id).subquery()
    count = sa.func.count()
    chosen = (
        sa.select(Grid.id, Grid.code, Grid.name, Region.code.label("region_code"), Case.category, count.label("cases"))
        .select_from(Case)
        .join(units, units.c.unit_id == Case.unit_id)
        .join(Grid, Grid.id == units.c.grid_id)
        .join(Region, Region.id == Grid.region_id)
        .where(Case.category.in_(sensitive()), actor.visible(Region.code, Role.CASE_OFFICER))
        .group_by(Grid.id, Region.code, Case.category)
        .order_by(count.desc(), Grid.code, Case.category)
    )
    if region:
        chosen = chosen.where(Region.code.startswith(subtree(region), autoescape=True))
    if start is not None:
        chosen = chosen.where(Case.occurred_at >= start)
    if end is not None:
        chosen = chosen.where(Case.occurred_at < end)
    audit.record(
        session, actor, "cases.sensitive", "plan", plan_id, region_code=region or "",
        start=start and start.isoformat(), end=end and end.isoformat())  # fmt: skip
    return tuple(SensitiveCount(*row) for row in session.execute(chosen))
