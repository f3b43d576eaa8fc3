"""Who else has a plan open, and what they did since: what each open tab asks every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.operations import log
from gridmap.services.operations.inverse import REVERSIBLE
from gridmap.services.operations.log import Entry
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Pulse:
    """The plan's version, operations of other tabs since (oldest first), who is there, and the version of comments."""

    version: int
    since: list[Entry]
    present: list[dict[str, Any]]
    comments: int


@service
def pulse(session: Session, actor: Actor, plan_id: int, client: UUID, since: int, grid: int | None) -> Pulse:
    """Say that the tab ``client`` is there and works on ``grid``; what is new. Raises ``NotFound``, ``Forbidden``."""
    plan, region = visible(session, actor, plan_id)
    actor.require(Role.VIEWER, region.code)
    require_households(actor, region.prefix)
    key = {"plan": plan_id}
    found = [
        row for row in log.rows(session, plan_id, after=since) if row.kind in REVERSIBLE and row.client != str(client)
    ]
    profile = standards.from_dict(plan.profile)
    entries = log.entries(session, actor, plan, region.code, list(reversed(found)), profile)
    comments = int(session.scalar(query("operations", "comments_version"), key) or 0)
    session.execute(query("operations", "forget"), key)
    session.execute(query("operations", "seen"), key | {"client": client, "user": actor.user_id, "grid": grid})
    present = [
        {"client": str(row.client), "name": row.name, "grid": row.grid, "mine": row.user_id == actor.user_id}
        for row in session.execute(query("operations", "present"), key)
    ]
    return Pulse(plan.version, entries, present, comments)
