"""Reading cases; 100,000 of them are summed by the database in well under 300 ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Case, Grid, PlanUnit, Region, Unit
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import CaseFilter, condition
from gridmap.services.cases.sight import require_exact, require_raw
from gridmap.services.plans.access import visible
from gridmap.settings import settings

_WKB_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("lon", "<f8"), ("lat", "<f8")])
ALL = CaseFilter()


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
    count = sa.func.count()
    rows = session.execute(
        sa.select(Case.category, count).where(where).group_by(Case.category).order_by(count.desc(), Case.category)
    )
    return tuple((row[0], row[1]) for row in rows)


@service
def totals(session: Session, actor: Actor, wanted: CaseFilter = ALL) -> dict[str, Any]:
    """Sums in local time.

    ``total``, ``located``, ``open``; ``categories`` [(name, count)]; ``months`` [("2025-03", count)]; ``week`` (7, 24)
    counts by weekday (Monday first) and hour.
    """
    require_exact(actor, wanted.region)
    # moments travel packed, eight bytes each: grouping them by hour in SQL takes four times as long
    packed = sa.func.string_agg(sa.func.timestamptz_send(Case.occurred_at), sa.literal(b"", sa.LargeBinary))
    count = sa.func.count()
    rows = session.execute(
        sa.select(Case.category, count, sa.func.count(Case.point), count - sa.func.count(Case.closed_at), packed)
        .where(condition(session, actor, wanted))
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
    visible(session, actor, plan_id)
    where = condition(session, actor, wanted)
    counts = _by_place(session, plan_id, where) if _outdated(session, plan_id) else _by_unit(session, plan_id, where)
    rows = session.execute(
        sa.select(
            Grid.id, Grid.code, Grid.name, Grid.kind, Grid.households, Region.code.label("region_code"), Region.name
        )
        .outerjoin(Region, Region.id == Grid.region_id)
        .where(Grid.plan_id == plan_id, Grid.kind != "micro", actor.visible(sa.func.coalesce(Region.code, "")))
    )
    found: list[dict[str, Any]] = []
    for grid_id, code, name, kind, households, region_code, region_name in rows:
        cases = counts.get(grid_id, 0)
        rate = round(1000 * cases / households, 2) if households else None
        found.append(
            {
                "grid_id": grid_id,
                "code": code,
                "name": name,
                "kind": kind,
                "households": households,
                "region_code": region_code,
                "region_name": region_name,
                "cases": cases,
                "per_1000_households": rate,
            }
        )
    found.sort(key=lambda row: (-row["cases"], row["code"]))
    return tuple(found[:limit])


def _outdated(session: Session, plan_id: int) -> bool:
    retired = sa.select(PlanUnit).join(Unit, Unit.id == PlanUnit.unit_id)
    return bool(
        session.scalar(sa.select(retired.where(PlanUnit.plan_id == plan_id, Unit.retired_at.is_not(None)).exists()))
    )


def _by_unit(session: Session, plan_id: int, where: Any) -> dict[int, int]:
    top = sa.case((Grid.kind == "micro", sa.func.coalesce(Grid.parent_id, Grid.id)), else_=Grid.id)
    per_unit = sa.select(Case.unit_id, sa.func.count().label("n")).where(where).group_by(Case.unit_id).subquery()
    rows = session.execute(
        sa.select(top, sa.cast(sa.func.sum(per_unit.c.n), sa.BigInteger))
        .select_from(per_unit)
        .join(PlanUnit, sa.and_(PlanUnit.unit_id == per_unit.c.unit_id, PlanUnit.plan_id == plan_id))
        .join(Grid, Grid.id == PlanUnit.grid_id)
        .group_by(top)
    )
    return {row[0]: row[1] for row in rows}


def _by_place(session: Session, plan_id: int, where: Any) -> dict[int, int]:
    from geodata.locate import locate

    grids = bulk.columns(
        session,
        sa.select(Grid.id, sa.func.ST_AsBinary(Grid.geom).label("geom")).where(
            Grid.plan_id == plan_id, Grid.kind != "micro", Grid.geom.is_not(None)
        ),
    )
    at = locate(_lonlat(session, where), bulk.shapes(grids["geom"]))
    found, count = np.unique(at[at >= 0], return_counts=True)
    return dict(zip(grids["id"][found].tolist(), count.tolist(), strict=True))


@service
def points(session: Session, actor: Actor, wanted: CaseFilter = ALL) -> NDArray[np.float64]:
    """Places (n, 2) lon, lat of the located cases, for whoever may see single cases; audited."""
    require_raw(session, actor, wanted, "points")
    return located(session, actor, wanted)


def located(session: Session, actor: Actor, wanted: CaseFilter) -> NDArray[np.float64]:
    """The same for statistics, which show none of them: the caller has seen to the right to exact sums."""
    return _lonlat(session, condition(session, actor, wanted))


def _lonlat(session: Session, where: Any) -> NDArray[np.float64]:
    # one value instead of a row a case: a quarter of a second less for 100,000 points
    joined = sa.func.string_agg(sa.func.ST_AsBinary(Case.point, "NDR"), sa.literal(b"", sa.LargeBinary))
    packed = session.scalar(sa.select(joined).where(where, Case.point.is_not(None)))
    table = np.frombuffer(packed or b"", dtype=_WKB_POINT)
    return np.column_stack([table["lon"], table["lat"]])
