"""Reports that make themselves: on the second day of a month, one on the month before, for every region that wants it.

What is due is looked up often and cheaply by the worker. A schedule knows its next month, so that a server that was
off for weeks makes up for it, and two workers never make one report twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmap.db.engine import service, transaction
from gridmap.db.models import Region, ReportFile, ReportSchedule
from gridmap.services import audit
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.days import today
from gridmap.services.monthly import months
from gridmap.services.monthly.jobs import queue
from gridmap.services.monthly.report import may_read, region_of

#: Days after the end of a month until it is reported on: its last cases must have come in.
WAIT_DAYS = 1
#: A server that slept longer than so many months makes the latest of them only.
CATCH_UP = 12


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A region that is reported on by itself, and the next month it will be about."""

    region_code: str
    region_name: str
    locale: str
    next_month: date
    due: date
    set_at: datetime


@service
def schedules(session: Session, actor: Actor) -> tuple[Scheduled, ...]:
    """The schedules of regions whose reports the reader may open."""
    actor.require(Role.VIEWER)
    rows = session.execute(
        sa.select(ReportSchedule, Region.code, Region.name, Region.prefix)
        .join(Region, Region.id == ReportSchedule.region_id)
        .where(actor.visible(Region.code))
        .order_by(Region.code)
    )
    return tuple(
        Scheduled(row[1], row[2], row[0].locale, row[0].next_month, due(row[0].next_month), row[0].set_at)
        for row in rows
        if may_read(actor, row[3])
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A region that may be reported on."""

    code: str
    name: str
    level: str


@service
def choices(session: Session, actor: Actor) -> tuple[Choice, ...]:
    """The regions whose exact figures are all the reader's, a parent before its children."""
    actor.require(Role.VIEWER)
    rows = session.execute(
        sa.select(Region.code, Region.name, Region.level, Region.prefix)
        .where(actor.visible(Region.code))
        .order_by(Region.code)
    )
    return tuple(Choice(row.code, row.name, row.level) for row in rows if may_read(actor, row.prefix))


@service
def set_schedule(session: Session, actor: Actor, region_code: str, on: bool, *, locale: str | None = None) -> None:
    """Have every month of a region reported on from the present one on, or no longer.

    Raises ``NotFound``, ``Forbidden`` CASES_SMALL_NUMBERS.
    """
    region = region_of(session, actor, region_code)
    if on:
        language = "en" if (locale or actor.locale).startswith("en") else "zh"
        month = today().replace(day=1)
        row = insert(ReportSchedule).values(
            region_id=region.id, locale=language, next_month=month, set_by=actor.user_id
        )
        session.execute(row.on_conflict_do_update(index_elements=["region_id"], set_={"locale": language}))
    else:
        session.execute(sa.delete(ReportSchedule).where(ReportSchedule.region_id == region.id))
    audit.record(session, actor, "report.schedule", "region", region.code, region_code=region.code, on=on)


def due(month: date) -> date:
    """The day on which a month is reported on."""
    return months.moved(month, 1) + timedelta(days=WAIT_DAYS)


def make_due(day: date | None = None) -> int:
    """Queue the reports that are due on ``day`` (None: today); how many."""
    now = day or today()
    queued = 0
    with transaction() as session:
        rows = session.execute(
            sa.select(ReportSchedule, Region.code)
            .join(Region, Region.id == ReportSchedule.region_id)
            .where(ReportSchedule.next_month < now - timedelta(days=WAIT_DAYS))
            .with_for_update(of=ReportSchedule, skip_locked=True)
        ).all()
        for schedule, code in rows:
            last = months.moved((now - timedelta(days=WAIT_DAYS)).replace(day=1), -1)
            month = max(schedule.next_month, months.moved(last, 1 - CATCH_UP))
            while month <= last:
                if not _made(session, schedule, month):
                    queue(session, SYSTEM, code, month, schedule.locale, scheduled=True)
                    queued += 1
                month = months.moved(month, 1)
            schedule.next_month = max(schedule.next_month, month)
    return queued


def _made(session: Session, schedule: ReportSchedule, month: date) -> bool:
    own = (ReportFile.region_id == schedule.region_id, ReportFile.month == month, ReportFile.locale == schedule.locale)
    return bool(session.scalar(sa.select(sa.exists().where(*own))))
