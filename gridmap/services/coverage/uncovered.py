"""What lies in no grid: units of the plan without one, and buildings in no unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.coverage.sums import coverage
from gridmap.services.plans.access import subtree
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Place:
    """A unit in no grid or a building in no unit (``kind``), with a point inside (degrees).

    ``households`` None: a unit's or a building's are not told to those who only look.
    """

    kind: str
    id: int
    name: str
    region_code: str
    region_name: str
    buildings: int
    households: int | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Places:
    """The places with most households, and how many there are in all."""

    rows: tuple[Place, ...]
    total: int


@service
def uncovered(
    session: Session,
    actor: Actor,
    *,
    plan_id: int | None = None,
    on: date | None = None,
    region: str | None = None,
    limit: int = 100,
) -> Places:
    """What is in no grid of the plan (as :func:`coverage` chooses it); where none is in force, nothing is told."""
    found = coverage.within(session, actor, plan_id=plan_id, on=on, region=region)
    if found.plan_id is None:
        return Places((), 0)
    few = not actor.sees_households(subtree(region) or "")
    values = {"plan": found.plan_id, "region": subtree(region) or "", "patterns": actor.patterns(Role.VIEWER)}
    rows = [dict(row) for row in session.execute(query("coverage", "uncovered"), values | {"limit": limit}).mappings()]
    total = rows[0]["total"] if rows else 0
    for row in rows:
        del row["total"]
        if few:
            row["households"] = None
    return Places(tuple(Place(**row) for row in rows), total)
