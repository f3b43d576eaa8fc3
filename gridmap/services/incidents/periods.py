"""Two periods side by side: how cases a day changed, in all, by category, community and grid, and how surely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Case, Region
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.cases.filters import condition
from gridmap.services.cases.grids import GridTable, Ints, count_by_grid
from gridmap.services.plans.access import subtree

if TYPE_CHECKING:
    from geodata.incidents.periods import Changes

#: So many changes are told, the largest first.
TOLD_MAX = 200
_DAY_S = 86_400
Row = tuple[int | None, str | None, str, int, int]
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
        table, later = count_by_grid(session, actor, plan_id, wanted)
        _, earlier = count_by_grid(session, actor, plan_id, replace(wanted, start=before[0], end=before[1]))
        shown = table.seen_by(actor) & ((later > 0) | (earlier > 0))
        grids = _told(_pairs(table, np.flatnonzero(shown), earlier, later, subtree(wanted.region) or ""), days)
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


def _pairs(table: GridTable, chosen: Ints, earlier: Ints, later: Ints, within: str) -> list[Row]:
    """Id, code, community, cases before and after of the ``chosen`` grids in a region."""
    return [
        (int(table.id[k]), table.code[k], table.region_name[k] or "", int(earlier[k]), int(later[k]))
        for k in chosen.tolist()
        if (table.region_code[k] or table.code[k]).startswith(within)
    ]


def _told(rows: Sequence[Row], days: tuple[float, float]) -> tuple[Changed, ...]:
    """The rows with their changes; what changed surely first, then by how many cases beyond the same rate."""
    from geodata.incidents.hotspots import false_share
    from geodata.incidents.periods import compared_all

    if not rows:
        return ()
    found = compared_all([row[3] for row in rows], [row[4] for row in rows], *days)
    sure = false_share(found.p) <= _SHARE_FALSE
    length = days[1] / days[0]
    excess = np.abs(np.array([row[4] - row[3] * length for row in rows]))
    names = [row[1] or row[2] for row in rows]
    order = sorted(range(len(rows)), key=lambda k: (not sure[k], -excess[k], names[k]))[:TOLD_MAX]
    return tuple(_changed(rows[k], found, k, bool(sure[k]), days) for k in order)


def _changed(row: Row, found: Changes, k: int, sure: bool, days: tuple[float, float]) -> Changed:
    number, code, name, then, now = row
    more = now * days[0] > then * days[1]
    return Changed(
        id=number,
        code=code,
        name=name,
        before=then,
        after=now,
        ratio=float(found.ratio[k]) if then else None,
        low=float(found.low[k]),
        high=float(found.high[k]) if then else None,
        word="same" if not sure else "more" if more else "fewer",
    )
