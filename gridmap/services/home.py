"""What needs attention: the plan in force, the state of the data, imports that wait, cases of late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services import cases, imports
from gridmap.services.actor import Actor, Role
from gridmap.services.kept import Kept
from gridmap.services.plans.access import shown
from gridmap.services.plans.read import PlanSummary, get
from gridmap.services.plans.small import rounded
from gridmap.services.sensitive import sensitive
from gridmap.services.versions import state_of_all
from gridmap.settings import settings
from gridmap.sql import query

#: More people than this in a rural grid is the known fault of today's grids.
RURAL_POPULATION = 2000
CASE_DAYS = 30
OLD_MONTHS = 12
_LISTED = 6
_kept: Kept[DataState] = Kept(64)
_WAITING = ("uploaded", "staged", "failed")


@dataclass(frozen=True, slots=True)
class Listed:
    """The first rows of a list, and how many there are in all."""

    rows: tuple[Mapping[str, Any], ...]
    total: int


@dataclass(frozen=True, slots=True)
class DataState:
    """What is known of the households: sums over living units; ``old`` are those counted over a year ago.

    Who is told no small counts gets shares (0 to 1), rounded, instead of ``estimated`` and ``old``.
    """

    units: int
    households: int | None
    estimated: int | None
    missing: int
    buildings: int
    old: int | None
    estimated_share: float
    old_share: float
    oldest: date | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The home page. ``plan`` None: there is none; ``present`` says which kinds of data there are at all.

    ``cases`` are those of the last 30 local days that the data reaches and of the 30 before; ``since`` and ``until``
    the first and last day of the former. None for whoever is shown released figures only.
    """

    present: Mapping[str, bool]
    plan: PlanSummary | None
    worst: Listed
    large_rural: Listed
    data: DataState
    waiting: tuple[imports.BatchView, ...]
    cases: tuple[int, int] | None
    since: date
    until: date


@service
def overview(session: Session, actor: Actor, *, now: datetime | None = None) -> Overview:
    """All of it in the reader's regions, for the plan in force."""
    actor.require(Role.VIEWER)
    plan_id = shown(session, actor)
    key: dict[str, Any] = {"prefixes": list(actor.prefixes(Role.VIEWER)), "plan": plan_id, "limit": _LISTED}
    zone = ZoneInfo(settings().time_zone)
    moment = now or datetime.now(UTC)
    today = moment.astimezone(zone).date()
    hidden, exact, few = sensitive(), actor.sees_small(), not actor.sees_households()
    key["veiled"] = few
    newest = session.scalar(query("home", "newest_case"), {"now": moment, "sensitive": hidden}) if exact else None
    last = newest.astimezone(zone).date() if newest else today
    days = [last + timedelta(days=shift) for shift in (1 - 2 * CASE_DAYS, 1 - CASE_DAYS, 1)]
    start, middle, end = (datetime.combine(day, time(), zone) for day in days)

    def late(since: datetime, until: datetime) -> int:
        return cases.how_many.within(session, actor, cases.CaseFilter(start=since, end=until))

    cutoff = today - timedelta(days=round(OLD_MONTHS * 365.25 / 12))
    return Overview(
        present=dict(session.execute(query("home", "present")).mappings().one()),
        plan=None if plan_id is None else get.within(session, actor, plan_id),
        worst=_listed(session, "worst", key),
        large_rural=_listed(session, "large_rural", key | {"limit_population": RURAL_POPULATION}),
        data=_kept.get(
            (*state_of_all(session), actor.grants, cutoff), lambda: _data(session, key | {"cutoff": cutoff}, veiled=few)
        ),
        waiting=_waiting(session, actor),
        cases=(late(middle, end), late(start, middle)) if exact else None,
        since=days[1],
        until=last,
    )


def _data(session: Session, key: Mapping[str, Any], *, veiled: bool) -> DataState:
    row = dict(session.execute(query("home", "data"), key).mappings().one())
    shut = row.pop("shut")
    estimated, old = (row[name] / row["households"] if row["households"] else 0.0 for name in ("estimated", "old"))
    if veiled:
        row |= {"estimated": None, "old": None} | ({"households": None} if shut else {})
        estimated, old = rounded(estimated), rounded(old)
    return DataState(**row, estimated_share=estimated, old_share=old)


def _listed(session: Session, name: str, key: Mapping[str, Any]) -> Listed:
    rows = tuple(dict(row) for row in session.execute(query("home", name), key).mappings())
    return Listed(rows, rows[0]["total"] if rows else 0)


def _waiting(session: Session, actor: Actor) -> tuple[imports.BatchView, ...]:
    """Imports that wait for a person's decision."""
    if not actor.may(Role.PLANNER):
        return ()
    return tuple(batch for batch in imports.latest.within(session, actor, limit=50) if batch.state in _WAITING)
