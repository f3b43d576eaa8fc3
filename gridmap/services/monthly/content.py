"""What a monthly report says: figures of a region's month beside the month before and the same month a year ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.models import Case, Region
from gridmap.services import cases, coverage, incidents, plans, regions
from gridmap.services.actor import Actor
from gridmap.services.cases import CaseFilter
from gridmap.services.cases.filters import condition
from gridmap.services.monthly import months
from gridmap.services.plans.access import in_force_on, subtree
from gridmap.services.sheets.view import local

#: Months of the small histogram, this one last.
HISTORY = 13


@dataclass(frozen=True, slots=True)
class Counted:
    """Cases of the month, the month before, and the same month a year ago."""

    now: int
    before: int
    year_ago: int


@dataclass(frozen=True, slots=True)
class CommunityMonth:
    """A community's month: cases and how its grids stand (None without a plan); ``rate`` per 1,000 households."""

    code: str
    name: str
    bbox: tuple[float, float, float, float]
    cases: Counted
    households: int | None
    rate: float | None
    grids: int
    within: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """The content of a report in one language. ``cover`` None where no plan was in force at the end of the month."""

    region_code: str
    region_name: str
    bbox: tuple[float, float, float, float]
    month: date
    wanted: CaseFilter
    total: Counted
    open: int
    located: int
    categories: tuple[tuple[str, Counted], ...]
    history: tuple[tuple[str, int], ...]
    week: list[list[int]]
    plan: plans.PlanSummary | None
    cover: coverage.Coverage | None
    spots: incidents.HotSpots | None
    communities: tuple[CommunityMonth, ...]
    newest: datetime | None
    made_at: str
    made_by: str
    locale: str

    def word(self, name: str, **params: object) -> str:
        """A fixed phrase (``MONTHLY_...`` in the messages)."""
        return messages.sentence(f"MONTHLY_{name}", self.locale, **params)

    @property
    def comma(self) -> str:
        """What stands between the members of a list."""
        return ", " if self.locale == "en" else "、"

    @property
    def title(self) -> str:
        """The month in words."""
        return self.word("MONTH_OF", year=self.month.year, month=self.month.month)

    @property
    def newest_day(self) -> str:
        """The last day that a case is known of."""
        return "—" if self.newest is None else local(self.newest)


def read(session: Session, actor: Actor, region: Region, month: date) -> Month:
    """The figures of a region's month; the actor's rights are those of the caller's."""
    code, language = region.code, "en" if actor.locale.startswith("en") else "zh"
    wanted = CaseFilter(start=months.span(month)[0], end=months.span(month)[1], region=code)
    spans = [months.span(months.moved(month, by)) for by in (0, -1, -12)]
    sums = [cases.totals.within(session, actor, CaseFilter(start=start, end=end, region=code)) for start, end in spans]
    first = months.span(months.moved(month, 1 - HISTORY))[0]
    history = cases.totals.within(session, actor, CaseFilter(start=first, end=wanted.end, region=code))
    plan_id = in_force_on(session, actor, months.moved(month, 1) - timedelta(days=1), code)
    plan = None if plan_id is None else plans.get.within(session, actor, plan_id)
    info = regions.get.within(session, actor, code, plan_id=plan_id)
    newest = session.scalar(sa.select(sa.func.max(Case.occurred_at)).where(condition(session, actor, _all(code))))
    crumbs = regions.breadcrumb.within(session, actor, code)
    return Month(
        region_code=code,
        region_name="".join(one.name for one in crumbs[-2:]),
        bbox=info.bbox,
        month=month,
        wanted=wanted,
        total=Counted(*(one["total"] for one in sums)),
        open=sums[0]["open"],
        located=sums[0]["located"],
        categories=_categories(sums),
        history=_history(history["months"], month),
        week=sums[0]["week"],
        plan=plan,
        cover=None if plan_id is None else coverage.coverage.within(session, actor, plan_id=plan_id, region=code),
        spots=None if plan_id is None else incidents.hot_spots.within(session, actor, plan_id, wanted),
        communities=_communities(session, actor, code, plan_id, spans),
        newest=newest,
        made_at=local(datetime.now(tz=ZoneInfo("UTC"))),
        made_by=actor.name or actor.login,
        locale=language,
    )


def _all(code: str) -> CaseFilter:
    return CaseFilter(region=code)


def _categories(sums: list[dict[str, Any]]) -> tuple[tuple[str, Counted], ...]:
    now, before, year = (dict(one["categories"]) for one in sums)
    names = sorted(now.keys() | before.keys() | year.keys(), key=lambda name: (-now.get(name, 0), name))
    return tuple((name, Counted(now.get(name, 0), before.get(name, 0), year.get(name, 0))) for name in names)


def _history(found: list[tuple[str, int]], month: date) -> tuple[tuple[str, int], ...]:
    known: Mapping[str, int] = dict(found)
    names = [f"{months.moved(month, by):%Y-%m}" for by in range(1 - HISTORY, 1)]
    return tuple((name, known.get(name, 0)) for name in names)


def _communities(
    session: Session, actor: Actor, code: str, plan_id: int | None, spans: list[tuple[datetime, datetime]]
) -> tuple[CommunityMonth, ...]:
    """The communities of a region, those with the most cases first."""
    within = sa.and_(Case.occurred_at >= min(one[0] for one in spans), Case.occurred_at < spans[0][1])
    counted = [
        sa.func.count().filter(Case.occurred_at >= start, Case.occurred_at < end).label(f"n{k}")
        for k, (start, end) in enumerate(spans)
    ]
    rows = session.execute(
        sa.select(Region.code, *counted)
        .join(Region, Region.id == Case.region_id)
        .where(condition(session, actor, _all(code)), within)
        .group_by(Region.code)
    )
    known = {row[0]: Counted(row[1], row[2], row[3]) for row in rows}
    found = []
    for one in regions.tree.within(session, actor, plan_id=plan_id):
        if one.level != "community" or not one.code.startswith(subtree(code) or ""):
            continue
        own = known.get(one.code, Counted(0, 0, 0))
        rate = 1000 * own.now / one.households if one.households else None
        within_band = None if plan_id is None else one.statuses["within"]
        found.append(CommunityMonth(one.code, one.name, one.bbox, own, one.households, rate, one.grids, within_band))
    return tuple(sorted(found, key=lambda one: (-one.cases.now, one.code)))
