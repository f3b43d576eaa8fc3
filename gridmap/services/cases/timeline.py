"""Cases along time: a histogram whose bars begin at local midnights, for the slider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Case
from gridmap.services import heat
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import ASIDE, CaseFilter, condition
from gridmap.settings import settings

Ints = NDArray[np.int64]
#: 2000-01-01 in seconds since 1970: PostgreSQL counts from there.
_Y2K_S = 946_684_800
_ALL = CaseFilter()
_DAY_S = 86_400
#: Some eleven years.
DAYS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """``counts`` (k) of the bars between ``edges`` (k + 1, with zone; half-open); both empty without a case.

    ``days``: cases of each local day from that of the first edge on, so that any window of days is summed without
    asking again; empty beyond :data:`DAYS_MAX`.
    """

    edges: tuple[datetime, ...]
    counts: tuple[int, ...]
    days: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@service
def timeline(session: Session, actor: Actor, wanted: CaseFilter = _ALL) -> Timeline:
    """Cases in at most about 120 bars of hours, days, weeks, months or years, exactly.

    Without ``wanted.start`` or ``end`` the span begins at the local midnight before the first case and ends at that
    after the last. All cases are counted once: the bars add up to the number of cases of the span.
    """
    from geodata.incidents.periods import histogram

    at, many = _moments(session, actor, wanted)
    zone = ZoneInfo(settings().time_zone)
    if not len(at) and (wanted.start is None or wanted.end is None):
        return Timeline((), (), ())
    # a part of a second counts as its beginning, on which no edge of a bar can fall
    since = _seconds(wanted.start) if wanted.start else _midnight(int(at.min()), zone)
    until = _seconds(wanted.end, up=True) if wanted.end else _midnight(int(at.max()), zone, after=True)
    at = np.maximum(at, since)  # the quarter of an hour in which the span begins
    minutes = int(_local(since, zone).utcoffset().total_seconds()) // 60  # type: ignore[union-attr]
    bars = histogram(at, since, until, minutes, many)
    edges = tuple(_local(int(edge), zone) for edge in bars.edges)
    return Timeline(edges, tuple(bars.counts.tolist()), _days(at, many, since, until, 60 * minutes))


def _days(at: Ints, many: Ints, since: int, until: int, shift: int) -> tuple[int, ...]:
    """Cases of each day (local time is ``shift`` seconds ahead) of the span ``since`` to ``until``."""
    first, last = (since + shift) // _DAY_S, (until - 1 + shift) // _DAY_S
    if last - first >= DAYS_MAX:
        return ()
    kept = (at >= since) & (at < until)
    sums = np.bincount((at[kept] + shift) // _DAY_S - first, many[kept], minlength=last - first + 1)
    return tuple(sums.astype(np.int64).tolist())


def _moments(session: Session, actor: Actor, wanted: CaseFilter) -> tuple[Ints, Ints]:
    """When cases occurred, whole seconds since 1970 (UTC), and how many: by quarter of an hour as far as a store
    knows them, the others one by one."""
    where = sa.and_(condition(session, actor, wanted), sa.func.isfinite(Case.occurred_at))
    stored = None
    if wanted.by_columns and not wanted.placed:
        stored = heat.by_quarter(session, actor, wanted.span)
    packed = sa.func.string_agg(sa.func.timestamptz_send(Case.occurred_at), sa.literal(b"", sa.LargeBinary))
    sent = session.scalar(sa.select(packed).where(where, *([] if stored is None else [ASIDE])))
    single = np.frombuffer(sent or b"", dtype=">i8").astype(np.int64) // 1_000_000 + _Y2K_S
    ones = np.ones(len(single), dtype=np.int64)
    if stored is None:
        return single, ones
    return np.concatenate([stored[0], single]), np.concatenate([stored[1], ones])


def _seconds(moment: datetime, *, up: bool = False) -> int:
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return -(-micros // 1_000_000) if up else micros // 1_000_000


def _local(seconds: int, zone: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)


def _midnight(seconds: int, zone: ZoneInfo, *, after: bool = False) -> int:
    """The local midnight at or before a moment, or the first ``after`` it."""
    day = _local(seconds, zone).date() + timedelta(days=int(after))
    return _seconds(datetime(day.year, day.month, day.day, tzinfo=zone))
