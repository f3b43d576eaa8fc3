"""Reports that could not be made: shown with the reason, and those of the calendar tried again a few times.

What fails in the night is a full disk or a database at its limits more often than the report itself: the pauses grow,
and after the last try it waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.engine import service, transaction
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.monthly.jobs import queue
from gridmap.services.monthly.report import may_read
from gridmap.services.monthly.schedule import CATCH_UP
from gridmap.sql import query

#: How long the calendar waits after the first, second, ... failure; after as many and one more it tries no longer.
PAUSES = (timedelta(minutes=10), timedelta(minutes=40), timedelta(hours=3), timedelta(hours=12))


@dataclass(frozen=True, slots=True)
class Failure:
    """A report that could not be made, and why. ``month`` is its first day.

    ``tries``: how often the calendar had it made; ``again_at``: when it does so again, None for never.
    """

    job_id: int
    region_code: str
    region_name: str
    month: date
    locale: str
    error_code: str
    error_zh: str
    error_en: str
    failed_at: datetime
    tries: int
    again_at: datetime | None


@service
def failures(session: Session, actor: Actor) -> tuple[Failure, ...]:
    """What failed last time, where the reader may have it made: all of the calendar's, others for a day."""
    actor.require(Role.VIEWER)
    return tuple(one for prefix, one in _failed(session, lately=True) if may_read(actor, prefix))


def retry_failed(now: datetime | None = None) -> int:
    """Queue the calendar's failed reports again whose pause is over at ``now``; how many."""
    now = now or datetime.now(tz=ZoneInfo("UTC"))
    with transaction() as session:
        due = [one for _, one in _failed(session, lately=False) if one.again_at is not None and one.again_at <= now]
        for one in due:
            queue(session, SYSTEM, one.region_code, one.month, one.locale, scheduled=True)
    return len(due)


def _failed(session: Session, *, lately: bool) -> Iterator[tuple[str, Failure]]:
    """Failed reports, each with the prefix of its region's codes."""
    for row in session.execute(query("reports", "failures"), {"months": CATCH_UP, "lately": lately}).mappings():
        values: dict[str, Any] = dict(row)
        prefix, error, scheduled, kept = (values.pop(name) for name in ("prefix", "error", "scheduled", "kept"))
        said = error or {"code": "JOB_LOST"} | {way: messages.sentence("JOB_LOST", way) for way in ("zh", "en")}
        tries = values["tries"]
        again = row["failed_at"] + PAUSES[tries - 1] if scheduled and not kept and tries <= len(PAUSES) else None
        yield (
            prefix,
            Failure(**values, error_code=said["code"], error_zh=said["zh"], error_en=said["en"], again_at=again),
        )
