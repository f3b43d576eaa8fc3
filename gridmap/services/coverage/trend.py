"""How coverage went over the plans that were in force: a step for each day on which another one began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.coverage.store import table
from gridmap.services.coverage.sums import RegionCoverage, parts, together
from gridmap.services.days import today
from gridmap.services.plans.access import overlap, subtree
from gridmap.services.plans.force import Span, in_force, on_day, turns

#: The last steps that are told.
MOST = 24


@dataclass(frozen=True, slots=True)
class Step:
    """From ``day`` on: the plans in force and their sums over the region asked for (None: over what the reader sees).

    Grids are as the plan left them. Units in no grid are the plan's own; buildings in no unit are those of today.
    """

    day: date
    plans: tuple[str, ...]
    sums: RegionCoverage


@service
def trend(session: Session, actor: Actor, *, region: str | None = None) -> tuple[Step, ...]:
    """The steps up to today, the oldest first, where the reader may look."""
    actor.require(Role.VIEWER)
    prefix = subtree(region) or ""
    span = Span(None, today())
    known = [plan for plan in in_force(session, actor, span) if overlap(plan.prefix, prefix)]
    known.sort(key=lambda plan: (len(plan.prefix), -plan.valid_from.toordinal(), -plan.id))
    steps: list[tuple[date, list[int], tuple[str, ...]]] = []
    for day in turns(span, known):
        there = on_day(day, known)
        ids = sorted(plan.id for plan in there)
        if ids and (not steps or steps[-1][1] != ids):
            steps.append((day, ids, tuple(plan.name for plan in there)))
    found = []
    for day, ids, names in steps[-MOST:]:
        sums = parts(table(session, ids), actor.prefixes(Role.VIEWER), prefix, max(len(prefix), 6))
        total = together(sums, veiled=not actor.sees_households(prefix))
        if total is not None:
            found.append(Step(day, names, total))
    return tuple(found)
