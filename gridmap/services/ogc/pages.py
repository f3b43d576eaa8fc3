"""What all collections share: a part of a list by key, and where and since when there is anything."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.sql import query

#: Features of one page at most.
MAX_FEATURES = 2000

#: West, south, east, north in degrees.
Bounds = tuple[float, float, float, float]


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


@service
def extent(session: Session, actor: Actor) -> Extent:
    """Where and since when there is something to see."""
    actor.require(Role.VIEWER)
    box = session.execute(query("ogc", "bounds"), {"patterns": actor.patterns(Role.VIEWER)}).one()
    since = session.scalar(query("ogc", "since"), {"prefixes": list(actor.prefixes(Role.VIEWER))})
    return Extent(None if box.west is None else (box.west, box.south, box.east, box.north), since)


def planned(session: Session) -> None:
    """Have this transaction's queries planned for their values: a filter that is not given costs nothing then.

    PostgreSQL otherwise settles, after five times, on one plan for whatever is asked.
    """
    session.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))


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
