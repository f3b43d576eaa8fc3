"""What all collections share: a part of a list by key, a span of days, the plans in force on them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.days import today
from gridmap.services.plans.access import overlap
from gridmap.sql import query

#: Features of one page at most.
MAX_FEATURES = 2000

#: West, south, east, north in degrees.
Bounds = tuple[float, float, float, float]


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
class Part:
    """Which part of a list: at most ``limit`` after a key, or before one."""

    limit: int = MAX_FEATURES
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """GeoJSON features (texts), how many fit in all, and the keys of the neighbouring pages (None: there is none)."""

    features: tuple[str, ...]
    matched: int
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Extent:
    """What there is for the reader: bounds (None without regions) and the first day of a plan in force."""

    bounds: Bounds | None
    since: date | None


@dataclass(frozen=True, slots=True)
class InForce:
    """A plan that was, is or will be in force."""

    id: int
    name: str
    prefix: str
    valid_from: date
    valid_to: date | None


@service
def extent(session: Session, actor: Actor) -> Extent:
    """Where and since when there is something to see."""
    actor.require(Role.VIEWER)
    box = session.execute(query("ogc", "bounds"), {"patterns": actor.patterns(Role.VIEWER)}).one()
    since = session.scalar(query("ogc", "since"), {"prefixes": list(actor.prefixes(Role.VIEWER))})
    return Extent(None if box.west is None else (box.west, box.south, box.east, box.north), since)


def in_force(session: Session, actor: Actor, span: Span | None) -> tuple[InForce, ...]:
    """The general plans in force on some day of ``span`` (None: today); on each day one over a place, the widest."""
    span = span or Span(today(), today())
    keys = {"first": span.first, "last": span.last, "prefixes": list(actor.prefixes(Role.VIEWER))}
    known = [InForce(*row) for row in session.execute(query("ogc", "in_force"), keys)]
    found: dict[int, InForce] = {}
    for day in _days(span, known):
        there: list[InForce] = []
        for plan in known:
            valid = plan.valid_from <= day and (plan.valid_to is None or day < plan.valid_to)
            if valid and not any(overlap(plan.prefix, one.prefix) for one in there):
                there.append(plan)
        found |= {plan.id: plan for plan in there}
    return tuple(found.values())


def _days(span: Span, known: Sequence[InForce]) -> list[date]:
    """The days of a span on which something changes, the first among them."""
    turns = {day for plan in known for day in (plan.valid_from, plan.valid_to) if day is not None}
    inside = {day for day in turns if (span.first is None or span.first <= day) and (not span.last or day <= span.last)}
    return sorted(inside | ({span.first} if span.first else set()))


def cut(keys: Any, part: Part, key: Any) -> tuple[slice, str | None, str | None]:
    """The part of ordered ``keys``, with the keys that lead to the pages before and after; ``key`` reads one."""
    if part.before is not None:
        end = bisect_left(keys, key(part.before))
        start = max(0, end - part.limit)
    else:
        start = 0 if part.after is None else bisect_right(keys, key(part.after))
        end = min(len(keys), start + part.limit)
    return (
        slice(start, end),
        str(keys[start]) if 0 < start < len(keys) else None,
        str(keys[end - 1]) if 0 < end < len(keys) else None,
    )


def box(bounds: Bounds | None) -> dict[str, float | None]:
    """Bounds as the parameters of a query."""
    return dict(zip(("west", "south", "east", "north"), bounds or (None,) * 4, strict=True))
