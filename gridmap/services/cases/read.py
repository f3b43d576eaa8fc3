"""Reading cases; 100,000 of them are summed by the database in well under 300 ms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from gridmap.db.engine import engine, service
from gridmap.db.models import Case, Grid, PlanUnit, Region
from gridmap.services import heat
from gridmap.services.actor import Actor, Role
from gridmap.services.cases.filters import ASIDE, CaseFilter, condition
from gridmap.services.cases.grids import count_by_grid
from gridmap.services.kept import Kept
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact, require_raw
from gridmap.settings import settings
from gridmap.sql import query

ALL = CaseFilter()
_kept: Kept[dict[str, int] | None] = Kept(256)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case; ``lonlat`` None where its place is not known, ``grid_*`` of the plan asked for."""

    id: int
    number: str | None
    category: str
    level: str | None
    source: str | None
    occurred_at: datetime
    reported_at: datetime | None
    closed_at: datetime | None
    place: str | None
    region_code: str | None
    region_name: str | None
    grid_id: int | None
    grid_code: str | None
    lonlat: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of cases, newest first, and how many there are in all."""

    rows: tuple[CaseRow, ...]
    total: int


@service
def page(session: Session, actor: Actor, wanted: CaseFilter = ALL, *, limit: int = 50, offset: int = 0) -> CasePage:
    """Cases, newest first; with ``wanted.plan_id`` each names its grid. For whoever may see single cases; audited."""
    require_raw(session, actor, wanted, "list", limit=limit, offset=offset)
    where = condition(session, actor, wanted)
    total = session.scalar(sa.select(sa.func.count()).select_from(Case).where(where)) or 0
    # the page is cut before the joins: they then cost nothing
    chosen = (
        sa.select(Case.id).where(where).order_by(Case.occurred_at.desc(), Case.id.desc()).limit(limit).offset(offset)
    )
    held = sa.and_(PlanUnit.unit_id == Case.unit_id, PlanUnit.plan_id == wanted.plan_id)
    rows = session.execute(
        sa.select(
            *(getattr(Case, name) for name in _FIELDS),
            Region.code.label("region_code"),
            Region.name.label("region_name"),
            Grid.id.label("grid_id"),
            Grid.code.label("grid_code"),
            sa.func.ST_X(Case.point).label("lon"),
            sa.func.ST_Y(Case.point).label("lat"),
        )
        .outerjoin(Region, Region.id == Case.region_id)
        .outerjoin(PlanUnit, held)
        .outerjoin(Grid, Grid.id == PlanUnit.grid_id)
        .where(Case.id.in_(chosen))
        .order_by(Case.occurred_at.desc(), Case.id.desc())
    ).mappings()
    return CasePage(tuple(_row(dict(row)) for row in rows), total)


_FIELDS = ("id", "number", "category", "level", "source", "occurred_at", "reported_at", "closed_at", "place")


def _row(values: dict[str, Any]) -> CaseRow:
    lon, lat = values.pop("lon"), values.pop("lat")
    return CaseRow(**values, lonlat=None if lon is None else (lon, lat))


@service
def categories(session: Session, actor: Actor, region: str | None = None) -> tuple[tuple[str, int], ...]:
    """Categories (of a region) and the number of their cases, the most frequent first."""
    require_exact(actor, region)
    where = condition(session, actor, CaseFilter(region=region))
    state, stored = heat.state(session), None
    if state is not None:  # every page of cases asks: counted once for a state of the store
        key = (str(engine().url), state, region, actor.prefixes(Role.VIEWER), *sensitive())
        stored = _kept.get(key, lambda: heat.by_category(session, actor, heat.Span(region=region)))
    rest = [] if stored is None else [ASIDE]
    rows = session.execute(sa.select(Case.category, sa.func.count()).where(where, *rest).group_by(Case.category))
    found = Counter({row[0]: row[1] for row in rows})
    if stored is not None:
        found.update(stored)
    return _ranked(found)


@service
def totals(session: Session, actor: Actor, wanted: CaseFilter = ALL) -> dict[str, Any]:
    """Sums in local time.

    ``total``, ``located``, ``open``; ``categories`` [(name, count)]; ``months`` [("2025-03", count)]; ``week`` (7, 24)
    counts by weekday (Monday first) and hour. From the heat store where it can answer.
    """
    require_exact(actor, wanted.region)
    where = condition(session, actor, wanted)
    stored = None
    if wanted.by_columns and not wanted.placed:
        stored = heat.by_calendar(session, actor, wanted.span)
    if stored is None:
        return _summed(session, where)
    tables, names = stored
    # what a store does not hold, and what it does not know of a case, is for SQL, which finds it by indices of its own
    sums = _summed(session, sa.and_(where, ASIDE))
    held = {name: int(table.sum()) for name, table in tables.items()}
    both = sum(tables.values(), np.zeros((len(names), 7 * 24), dtype=np.int64))
    months = Counter(dict(sums["months"])) + Counter(dict(zip(names, both.sum(axis=1).tolist(), strict=True)))
    kinds = Counter(dict(sums["categories"])) + Counter(held)
    opened = session.scalar(sa.select(sa.func.count()).where(where, Case.closed_at.is_(None)))  # by an index of its own
    return {
        "total": sums["total"] + sum(held.values()),
        "located": sums["located"] + sum(held.values()),
        "open": opened or 0,
        "categories": list(_ranked(kinds)),
        "months": sorted(months.items()),
        "week": (np.array(sums["week"]) + both.sum(axis=0).reshape(7, 24)).tolist(),
    }


@service
def known(session: Session, actor: Actor) -> tuple[date, date] | None:
    """First and last local day of which the town knows any case, none of the future; None without one.

    Beyond them there is no data, which is not the same as no cases. Sensitive categories do not count.
    """
    actor.require(Role.VIEWER)
    row = session.execute(query("cases", "known"), {"sensitive": sensitive()}).one()
    if row.first is None:
        return None
    zone = ZoneInfo(settings().time_zone)
    return row.first.astimezone(zone).date(), row.last.astimezone(zone).date()


@service
def how_many(session: Session, actor: Actor, wanted: CaseFilter = ALL) -> int:
    """Number of cases."""
    where = condition(session, actor, wanted)
    stored = None
    if wanted.by_columns and not wanted.placed:
        stored = heat.by_quarter(session, actor, wanted.span)
    rest = session.scalar(sa.select(sa.func.count()).where(where, *([] if stored is None else [ASIDE]))) or 0
    return rest if stored is None else rest + int(stored[1].sum())


def _ranked(found: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _summed(session: Session, where: ColumnElement[bool]) -> dict[str, Any]:
    """The sums of the cases that meet a condition, by SQL."""
    # moments travel packed, eight bytes each: grouping them by hour in SQL takes four times as long
    packed = sa.func.string_agg(sa.func.timestamptz_send(Case.occurred_at), sa.literal(b"", sa.LargeBinary))
    count = sa.func.count()
    rows = session.execute(
        sa.select(Case.category, count, sa.func.count(Case.point), count - sa.func.count(Case.closed_at), packed)
        .where(where)
        .group_by(Case.category)
        .order_by(count.desc(), Case.category)
    ).all()
    moments = np.frombuffer(b"".join(row[4] for row in rows), dtype=">i8").astype(np.int64)
    months, week = _calendar(moments)
    return {
        "total": sum(row[1] for row in rows),
        "located": sum(row[2] for row in rows),
        "open": sum(row[3] for row in rows),
        "categories": [(row[0], row[1]) for row in rows],
        "months": months,
        "week": week,
    }


def _calendar(moments: NDArray[np.int64]) -> tuple[list[tuple[str, int]], list[list[int]]]:
    """Counts by month and by weekday and hour, local time, of microseconds since 2000 (UTC)."""
    import pandas as pd

    utc = pd.DatetimeIndex(np.datetime64("2000-01-01", "us") + moments.astype("timedelta64[us]"), tz="UTC")
    local = utc.tz_convert(settings().time_zone)
    month, number = np.unique(np.asarray(local.year) * 12 + np.asarray(local.month) - 1, return_counts=True)
    months = [(f"{m // 12}-{m % 12 + 1:02d}", n) for m, n in zip(month.tolist(), number.tolist(), strict=True)]
    hours = np.bincount(np.asarray(local.day_of_week) * 24 + np.asarray(local.hour), minlength=168)
    return months, hours.reshape(7, 24).tolist()


@service
def by_grid(
    session: Session, actor: Actor, plan_id: int, wanted: CaseFilter = ALL, *, limit: int | None = None
) -> tuple[Mapping[str, Any], ...]:
    """Cases in each grid of a plan and per 1,000 households (None without households), the most first.

    Where units of the plan have retired since, cases are located in its grids by their place.
    """
    require_exact(actor, wanted.region)
    table, cases = count_by_grid(session, actor, plan_id, wanted)
    seen = table.by_code[table.seen_by(actor)[table.by_code]]
    chosen = seen[np.argsort(-cases[seen], kind="stable")][:limit]
    homes = table.households[chosen]
    rates = [round(1000 * n / h, 2) if h else None for n, h in zip(cases[chosen].tolist(), homes.tolist(), strict=True)]
    columns = {
        "grid_id": table.id[chosen].tolist(),
        "code": table.code[chosen],
        "name": table.name[chosen],
        "kind": table.kind[chosen],
        "households": homes.tolist(),
        "region_code": table.region_code[chosen],
        "region_name": table.region_name[chosen],
        "cases": cases[chosen].tolist(),
        "per_1000_households": rates,
    }
    return tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
