"""Who reaches which plan: a plan is seen where its region overlaps the reader's, and changed where theirs holds it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.models import Plan, Region
from gridmap.errors import Conflict, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.days import today
from gridmap.sql import query


def visible(session: Session, actor: Actor, plan_id: int) -> tuple[Plan, Region]:
    """The plan and its region, if any part of it lies where the actor may look; else ``NotFound``.

    A plan that was never in force is seen by those only who see households of all of it, however few: its difference
    from the plan in force would tell them. What is then shown must still be filtered by ``actor.visible``.
    """
    actor.require(Role.VIEWER)
    row = session.execute(
        sa.select(Plan, Region).join(Region, Region.id == Plan.region_id).where(Plan.id == plan_id)
    ).one_or_none()
    if row is None:
        raise NotFound("PLAN_NOT_FOUND", plan=plan_id)
    plan, region = row
    there = any(overlap(region.prefix, prefix) for prefix in actor.prefixes(Role.VIEWER))
    if not there or not (was_in_force(plan) or actor.sees_households(region.prefix)):
        raise NotFound("PLAN_NOT_FOUND", plan=plan_id)
    return plan, region


def editable(session: Session, actor: Actor, plan_id: int, *, draft: bool = True) -> tuple[Plan, Region]:
    """The plan locked for a change by a planner of its whole region; plans based on it are not kept waiting.

    Raises ``NotFound``, ``Forbidden``, and with ``draft`` ``Conflict`` PLAN_NOT_DRAFT.
    """
    plan, region = visible(session, actor, plan_id)
    actor.require(Role.PLANNER, region.code)
    session.refresh(plan, with_for_update={"key_share": True})
    if draft and plan.state != "draft":
        raise Conflict("PLAN_NOT_DRAFT", plan=plan.name, state=plan.state)
    return plan, region


def was_in_force(plan: Plan) -> bool:
    """Whether a plan is, was or will be in force."""
    return plan.valid_from is not None and plan.state in ("published", "archived")


def overlap(region_prefix: str, actor_prefix: str) -> bool:
    """Whether one of two subtrees holds the other."""
    return region_prefix.startswith(actor_prefix) or actor_prefix.startswith(region_prefix)


def subtree(region: str | None) -> str | None:
    """The digits that the subtree of a region code shares: county 6, subdistrict 9, community 12; prefixes stay."""
    if region is None or len(region) != 12:
        return region
    return region[:6] if region[6:] == "000000" else region[:9] if region[9:] == "000" else region


def shown(session: Session, actor: Actor, region_code: str | None = None) -> int | None:
    """The plan to show for a region where none is chosen: in force today first, then the newest not archived."""
    prefixes = list(actor.prefixes(Role.VIEWER))
    rows = session.execute(query("plans", "shown"), {"region": region_code, "prefixes": prefixes, "day": today()})
    return next((int(row.id) for row in rows if row.public or actor.sees_households(row.prefix)), None)


def in_force_on(session: Session, actor: Actor, day: date, region_code: str | None = None) -> int | None:
    """The plan that was in force on ``day`` where the reader may look, of a region or the widest; None for none."""
    keys = {"day": day, "region": subtree(region_code), "prefixes": list(actor.prefixes(Role.VIEWER))}
    found = session.scalar(query("plans", "in_force_on"), keys)
    return None if found is None else int(found)
