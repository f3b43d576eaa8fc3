"""Which plans are in force on which days: on a day one over a place, several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from gridmap.services.actor import Actor, Role
from gridmap.services.days import today
from gridmap.services.plans.access import overlap
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included; None is open."""

    first: date | None
    last: date | None

    @property
    def day(self) -> date:
        """The last day, or today where it is open."""
        return self.last or today()


@dataclass(frozen=True, slots=True)
class InForce:
    """A plan that was, is or will be in force."""

    id: int
    name: str
    prefix: str
    valid_from: date
    valid_to: date | None


def in_force(session: Session, actor: Actor, span: Span | None = None) -> tuple[InForce, ...]:
    """The general plans in force on some day of ``span`` (None: today); on each day one over a place, the widest."""
    span = span or Span(today(), today())
    keys = {"first": span.first, "last": span.last, "prefixes": list(actor.prefixes(Role.VIEWER))}
    known = [InForce(*row) for row in session.execute(query("plans", "in_force_days"), keys)]
    found = {plan.id: plan for day in turns(span, known) for plan in on_day(day, known)}
    return tuple(found.values())


def on_day(day: date, known: Sequence[InForce]) -> list[InForce]:
    """Those of ``known`` (widest first) that are in force on a day, none where a wider one is."""
    there: list[InForce] = []
    for plan in known:
        valid = plan.valid_from <= day and (plan.valid_to is None or day < plan.valid_to)
        if valid and not any(overlap(plan.prefix, one.prefix) for one in there):
            there.append(plan)
    return there


def turns(span: Span, known: Sequence[InForce]) -> list[date]:
    """The days of a span on which something changes, the first among them."""
    known_days = {day for plan in known for day in (plan.valid_from, plan.valid_to) if day is not None}
    inside = {
        day for day in known_days if (span.first is None or span.first <= day) and (not span.last or day <= span.last)
    }
    return sorted(inside | ({span.first} if span.first else set()))
