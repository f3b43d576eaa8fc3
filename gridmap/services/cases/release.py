"""Making releases: closed quarters, once each, with what must be withheld so that no small count can be worked out.

The first release holds everything up to the last closed quarter, each later one a quarter, in local time. Its places
are regions and the grids of the plan in force, its columns the months (in quarters, in years), and by themselves the
categories, weekdays and blocks of four hours. Rule and proof: :mod:`geodata.privacy.suppress`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import engine, service, transaction
from gridmap.db.models import CaseRelease, CaseReleasePlace
from gridmap.jobs.app import defer
from gridmap.services import audit
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.cases.town import town
from gridmap.services.plans.small import SMALL, WITHHELD
from gridmap.services.sensitive import sensitive
from gridmap.settings import settings
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.privacy.trees import Ints

#: After cases were imported nothing is released of itself for so long: the next file may belong to the same quarters.
SETTLED = timedelta(hours=24)
YEARS_MAX = 20
#: A process asks the worker once in so long, however many look.
_ASK_EVERY_S = 60.0
_asked: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Due:
    """Spans (half-open, at local midnights) that could be released, the oldest first; ``settled``: from when on."""

    spans: tuple[tuple[datetime, datetime], ...]
    settled: datetime | None

    def now(self, moment: datetime) -> bool:
        """Whether something is to be released without being asked for."""
        return bool(self.spans) and (self.settled is None or moment >= self.settled)


def due(session: Session, moment: datetime | None = None) -> Due:
    """What has closed and is not released."""
    row = session.execute(query("release", "due"), {"sensitive": sensitive()}).one()
    zone = ZoneInfo(settings().time_zone)
    end = _quarter(moment or datetime.now(UTC), zone)
    if row.first is None:
        return Due((), None)
    begin = row.released or max(_quarter(row.first, zone), _later(end, -4 * YEARS_MAX, zone))
    spans: list[tuple[datetime, datetime]] = []
    while begin < end:
        until = end if row.released is None and not spans else _later(begin, 1, zone)
        spans.append((begin, until))
        begin = until
    return Due(tuple(spans), None if row.taken is None else row.taken + SETTLED)


def want(session: Session) -> Due:
    """The same; what is due is made by the worker."""
    found = due(session)
    key, now = str(engine().url), monotonic()
    if found.now(datetime.now(UTC)) and now - _asked.get(key, -_ASK_EVERY_S) >= _ASK_EVERY_S:
        _asked[key] = now
        defer(session, "release_cases", lock="case-release")
    return found


@service
def make(session: Session, actor: Actor, *, moment: datetime | None = None) -> tuple[int, ...]:
    """Release every closed quarter that is not yet; the numbers of the releases made. Nothing is made twice."""
    actor.require(Role.ADMINISTRATOR, "")
    session.execute(query("release", "alone"))
    made = [_release(session, *span) for span in due(session, moment).spans]
    if made:
        audit.record(session, actor, "cases.release", "cases", region_code="", releases=made)
    return tuple(made)


def run_release() -> None:
    """What the worker does: release what is due, unless cases have just been imported."""
    with transaction() as session:
        if due(session).now(datetime.now(UTC)):
            make.within(session, SYSTEM)


def _quarter(moment: datetime, zone: ZoneInfo) -> datetime:
    """Beginning of the local quarter of a moment."""
    local = moment.astimezone(zone)
    return datetime(local.year, local.month - (local.month - 1) % 3, 1, tzinfo=zone)


def _later(begin: datetime, quarters: int, zone: ZoneInfo) -> datetime:
    local = begin.astimezone(zone)
    month = local.year * 12 + local.month - 1 + 3 * quarters
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=zone)


def _release(session: Session, since: datetime, until: datetime) -> int:
    """Count, suppress and write one release."""
    from geodata.privacy.hierarchy import hierarchy
    from geodata.privacy.suppress import suppress

    zone = ZoneInfo(settings().time_zone)
    day = (until - timedelta(days=1)).astimezone(zone).date()
    plan = session.execute(query("release", "plan"), {"day": day}).one_or_none()
    span = {"since": since, "until": until}
    categories = session.scalars(query("release", "categories"), {**span, "sensitive": sensitive()}).all()
    keys = {"plan": plan.id if plan else 0, "zone": settings().time_zone, "categories": list(categories)}
    place, facet, value, cases = bulk.packed_ints(session, query("release", "counts"), {**span, **keys}, 4).T
    places = town(session, plan.id if plan else None, set((-place[place < 0]).tolist()))
    first, last = (one.astimezone(zone).year * 12 + one.astimezone(zone).month - 1 for one in (since, until))
    facets: Mapping[str, Mapping[int, tuple[str, ...]]] = {
        "time": {m: (str(m // 12), f"{m // 12}Q{m % 12 // 3 + 1}", _month(m)) for m in range(first, last)},
        "category": {n: (name,) for n, name in enumerate(categories)},
        "weekday": {n: (str(n),) for n in range(7)},
        "hours": {n: (str(n),) for n in range(6)},
    }
    cols = hierarchy(*(known.values() for known in facets.values()))
    table = np.zeros((len(places.tree), len(cols.tree)), dtype=np.int64)
    rows = _looked_up(place, places.grids | {-region: node for region, node in places.outside.items()})
    for f, known in enumerate(facets.values()):
        nodes = {n: cols.nodes[f][path] for n, path in known.items()}
        mine = np.flatnonzero(facet == f)
        column = _looked_up(value[mine], nodes)
        own = mine[column > 0]  # a lone category is the whole
        np.add.at(table, (rows[own], column[column > 0]), cases[own])
    full = places.tree.fill(cols.tree.fill(table.T).T)
    out = suppress(full, places.tree, cols.tree)
    shown = np.where(out.state == 0, out.counts, np.where(out.state == 1, SMALL, WITHHELD))
    columns = [
        {"facet": name, "key": path[-1], "node": node}
        for f, name in enumerate(facets)
        for path, node in cols.nodes[f].items()
        if path
    ]
    release = CaseRelease(
        since=since, until=until, plan_id=plan and plan.id, plan_name=plan and plan.name, columns=columns
    )
    session.add(release)
    session.flush()
    named = {"name": [row.name for row in places.rows]}
    places.write(session, CaseReleasePlace.__tablename__, shown, release_id=[release.id] * len(places.rows), **named)
    return release.id


def _month(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


def _looked_up(values: Ints, known: Mapping[int, int]) -> Ints:
    """What ``known`` says of each value; each is known."""
    keys = np.array(sorted(known), dtype=np.int64)
    found = np.array([known[key] for key in keys.tolist()], dtype=np.int64)
    return found[np.searchsorted(keys, values)]
