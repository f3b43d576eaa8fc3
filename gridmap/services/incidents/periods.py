"""Two periods side by side: how cases a day changed, in all, by category, community and grid, and how surely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Case, Region
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.cases import CaseFilter, by_grid
from gridmap.services.cases.filters import condition
from gridmap.services.plans.access import subtree

#: So many changes are told, the largest first.
TOLD_MAX = 200
_DAY_S = 86_400
_SHARE_FALSE = 0.05


@dataclass(frozen=True, slots=True)
class Changed:
    """Cases in both periods and the ratio of cases a day with its interval (95 %).

    ``ratio`` None where nothing was before (or nothing at all), ``high`` None where it has no bound. ``word``: "more",
    "fewer" or "same" (no more than chance may do, among all that stand in the same table).
    """

    id: int | None
    code: str | None
    name: str
    before: int
    after: int
    ratio: float | None
    low: float
    high: float | None
    word: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two spans (half-open), and what changed: over all, by category, community and grid (empty without a plan)."""

    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]
    whole: Changed
    categories: tuple[Changed, ...]
    regions: tuple[Changed, ...]
    grids: tuple[Changed, ...]


@service
def two_periods(
    session: Session,
    actor: Actor,
    wanted: CaseFilter,
    before: tuple[datetime, datetime],
    *,
    plan_id: int | None = None,
) -> Comparison:
    """The cases that are ``wanted`` (which has start and end) beside those of the span ``before``.

    Raises ``Invalid`` CASES_PERIODS for a span without length or end, ``NotFound`` PLAN_NOT_FOUND.
    """
    actor.require(Role.VIEWER)
    where = condition(session, actor, replace(wanted, start=None, end=None))
    if wanted.start is None or wanted.end is None or wanted.start >= wanted.end or before[0] >= before[1]:
        raise Invalid("CASES_PERIODS")
    after = (wanted.start, wanted.end)
    days = _days(before), _days(after)
    then, now = _counted(session, where, before), _counted(session, where, after)
    kinds = [Counter[str](), Counter[str]()]
    places = [Counter[tuple[str, str]](), Counter[tuple[str, str]]()]
    for k, rows in enumerate((then, now)):
        for category, code, name, cases in rows:
            kinds[k][category] += cases
            if code is not None:
                places[k][code, name] += cases
    whole = _told([(None, None, "", kinds[0].total(), kinds[1].total())], days)[0]
    categories = _told([(None, None, one, kinds[0][one], kinds[1][one]) for one in kinds[0] | kinds[1]], days)
    regions = _told([(None, *one, places[0][one], places[1][one]) for one in places[0] | places[1]], days)
    grids: tuple[Changed, ...] = ()
    if plan_id is not None:
        earlier = by_grid.within(session, actor, plan_id, replace(wanted, start=before[0], end=before[1]))
        later = by_grid.within(session, actor, plan_id, wanted)
        grids = _told(_pairs(earlier, later, subtree(wanted.region) or ""), days)
    return Comparison(before, after, whole, categories, regions, grids)


def _days(span: tuple[datetime, datetime]) -> float:
    return (span[1] - span[0]).total_seconds() / _DAY_S


def _counted(session: Session, where: sa.ColumnElement[bool], span: tuple[datetime, datetime]) -> Sequence[Any]:
    """Category, code and name of the region, cases."""
    return session.execute(
        sa.select(Case.category, Region.code, Region.name, sa.func.count())
        .outerjoin(Region, Region.id == Case.region_id)
        .where(where, Case.occurred_at >= span[0], Case.occurred_at < span[1])
        .group_by(Case.category, Region.code, Region.name)
    ).all()


def _pairs(
    earlier: Sequence[Mapping[str, Any]], later: Sequence[Mapping[str, Any]], within: str
) -> list[tuple[int | None, str | None, str, int, int]]:
    """Id, code, community, cases before and after of each grid that has any."""
    then = {row["grid_id"]: row["cases"] for row in earlier}
    return [
        (row["grid_id"], row["code"], row["region_name"] or "", then.get(row["grid_id"], 0), row["cases"])
        for row in later
        if (row["cases"] or then.get(row["grid_id"], 0)) and (row["region_code"] or row["code"]).startswith(within)
    ]


def _told(
    rows: Sequence[tuple[int | None, str | None, str, int, int]], days: tuple[float, float]
) -> tuple[Changed, ...]:
    """The rows with their changes; what changed surely first, then by how many cases beyond the same rate."""
    from geodata.incidents.hotspots import false_share
    from geodata.incidents.periods import compared_all

    if not rows:
        return ()
    found = compared_all([row[3] for row in rows], [row[4] for row in rows], *days)
    sure = false_share(found.p) <= _SHARE_FALSE
    told = []
    for k, (number, code, name, then, now) in enumerate(rows):
        more = now * days[0] > then * days[1]
        told.append(
            Changed(
                id=number,
                code=code,
                name=name,
                before=then,
                after=now,
                ratio=float(found.ratio[k]) if then else None,
                low=float(found.low[k]),
                high=float(found.high[k]) if then else None,
                word="same" if not sure[k] else "more" if more else "fewer",
            )
        )
    length = days[1] / days[0]
    told.sort(key=lambda one: (one.word == "same", -abs(one.after - one.before * length), one.code or one.name))
    return tuple(told[:TOLD_MAX])
