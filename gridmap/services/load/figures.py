"""The figures: each grid's cases and households in two plans, and how evenly they are spread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db.engine import engine, service
from gridmap.db.models import Plan, Region
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.grids import count_by_grid
from gridmap.services.compare import Comparison, Grid, compare, partners
from gridmap.services.compare.load import half
from gridmap.services.compare.pair import patterns_of
from gridmap.services.compare.table import grids_of
from gridmap.services.plans.access import visible
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact
from gridmap.services.versions import versions
from gridmap.settings import settings
from gridmap.sql import query

YEAR_DAYS = 365
_KEPT = 3
_kept: OrderedDict[Hashable, Load] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: days from ``since`` to ``until`` (both included; None: the year up to the last case), categories.

    ``limit``: cases of a grid that are too many (None: one and a half times the mean of the plan before).
    """

    since: date | None = None
    until: date | None = None
    categories: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """A grid in one of the plans; ``workers`` None where they are not known."""

    id: int
    code: str
    name: str | None
    households: int
    workers: int | None
    cases: int

    @property
    def rate(self) -> float | None:
        """Cases per 1,000 households; None without households."""
        return round(1000 * self.cases / self.households, 2) if self.households else None

    @property
    def per_worker(self) -> float | None:
        """Cases for each grid worker."""
        return round(self.cases / self.workers, 2) if self.workers else None


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a grid: ``change`` as in a comparison of plans; one side is None where it is new or gone."""

    change: str
    region_code: str | None
    region_name: str | None
    before: Side | None
    after: Side | None

    @property
    def by(self) -> int:
        """How many cases more."""
        return (self.after.cases if self.after else 0) - (self.before.cases if self.before else 0)


@dataclass(frozen=True, slots=True)
class Spread:
    """How the cases of a plan are spread over its grids; ``gini`` 0 is even, 1 all in one; ``above`` the limit.

    ``busiest`` has most cases, ``densest`` most per 1,000 households, ``strained`` most for a worker (None: unknown).
    """

    grids: int
    cases: int
    households: int
    least: int
    median: float
    most: int
    mean: float
    gini: float
    variation: float
    above: int
    busiest: Side | None
    densest: Side | None
    strained: Side | None


@dataclass(frozen=True, slots=True)
class Named:
    """A plan."""

    id: int
    name: str
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class Load:
    """``plan`` beside ``other`` (None: alone) in a region; cases of days ``since`` to ``until``, both included."""

    plan: Named
    other: Named | None
    region_code: str
    region_name: str
    since: date
    until: date
    categories: tuple[str, ...]
    limit: int
    rows: tuple[Row, ...]
    before: Spread | None
    after: Spread


@service
def load(
    session: Session, actor: Actor, plan_id: int, *, other_id: int | None = None, wanted: Wanted | None = None
) -> Load:
    """Count cases and households in the grids of a plan and of another (None: in force there, else its base).

    Raises ``NotFound``, ``Forbidden`` CASES_SMALL_NUMBERS, ``Invalid`` LOAD_SPAN, LOAD_LIMIT, and as ``compare``.
    """
    wanted = wanted or Wanted()
    plan, home = visible(session, actor, plan_id)
    if other_id is None:
        known = partners.within(session, actor, plan_id)
        best = known.get("in_force") or known.get("base")
        other_id = best.id if best else None
    if wanted.limit is not None and not 0 < wanted.limit < 1 << 31:
        raise Invalid("LOAD_LIMIT", limit=wanted.limit)
    since, until = _days(session, wanted)
    if other_id is None:
        require_exact(actor, home.code)
        compared, scope = None, home
    else:
        compared = compare.within(session, actor, other_id, plan_id)
        require_exact(actor, compared.region_code)
        scope = session.query(Region).filter_by(code=compared.region_code).one()
    state = tuple(versions(session).values())
    stands = [(plan.version, plan.checked_version, plan.name, plan.state), *([compared.a] if compared else [])]
    key = (str(engine().url), plan_id, other_id, *stands, state, actor.prefixes(Role.VIEWER), since, until, wanted)
    key = (*key, *sensitive())
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = _load(session, actor, plan, compared, scope, since, until, wanted)
    with _lock:
        _kept[key] = made
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made


def _load(
    session: Session,
    actor: Actor,
    plan: Plan,
    compared: Comparison | None,
    scope: Region,
    since: date,
    until: date,
    wanted: Wanted,
) -> Load:
    if compared is None:
        pairs, other, before = _alone(session, actor, plan.id), None, {}
    else:
        pairs = [(row.change, row.region_code, row.region_name, row.before, row.after) for row in compared.rows]
        other = Named(compared.a.id, compared.a.name, compared.a.state, compared.a.version)
    chosen = _filter(since, until, wanted.categories, scope.code)
    after = _counted(session, actor, plan.id, chosen)
    if other is not None:
        before = _counted(session, actor, other.id, chosen)
    rows = tuple(
        Row(change, code, name, _side(was, before), _side(now, after)) for change, code, name, was, now in pairs
    )
    was_all = [row.before for row in rows if row.before is not None]
    now_all = [row.after for row in rows if row.after is not None]
    cases = [one.cases for one in (was_all or now_all)]
    limit = wanted.limit or max(1, ceil(1.5 * sum(cases) / max(len(cases), 1)))
    return Load(
        Named(plan.id, plan.name, plan.state, plan.version),
        other,
        scope.code,
        scope.name,
        since,
        until,
        wanted.categories,
        limit,
        rows,
        None if other is None else spread(was_all, limit),
        spread(now_all, limit),
    )


def ordered(rows: Sequence[Row], order: str) -> list[Row]:
    """Rows by the greatest change ("by"), most cases ("cases") or per 1,000 households ("rate") after, else by code."""
    if order == "by":
        return sorted(rows, key=lambda row: -abs(row.by))
    if order in ("cases", "rate"):
        return sorted(rows, key=lambda row: -(getattr(row.after or row.before, order) or 0))
    return list(rows)


def spread(sides: Sequence[Side], limit: int) -> Spread:
    """How evenly cases lie in grids."""
    cases = np.sort(np.array([one.cases for one in sides], dtype=np.int64))
    n, total = len(cases), int(cases.sum())
    mean = total / n if n else 0.0
    rank = np.arange(1, n + 1)
    gini = float((2 * (rank * cases).sum()) / (n * total) - (n + 1) / n) if total else 0.0
    dense = [one for one in sides if one.rate is not None]
    staffed = [one for one in sides if one.per_worker is not None]
    return Spread(
        grids=n,
        cases=total,
        households=sum(one.households for one in sides),
        least=int(cases[0]) if n else 0,
        median=float(np.median(cases)) if n else 0.0,
        most=int(cases[-1]) if n else 0,
        mean=mean,
        gini=gini,
        variation=float(cases.std() / mean) if mean else 0.0,
        above=int((cases > limit).sum()),
        busiest=max(sides, key=lambda one: one.cases, default=None),
        densest=max(dense, key=lambda one: one.rate or 0, default=None),
        strained=max(staffed, key=lambda one: one.per_worker or 0, default=None),
    )


def _alone(
    session: Session, actor: Actor, plan_id: int
) -> list[tuple[str, str | None, str | None, Grid | None, Grid | None]]:
    plan, home = visible(session, actor, plan_id)
    year = session.execute(query("compare", "year"), {"sensitive": sensitive()}).one()
    one = half(session, plan, patterns_of(actor, home), year.since, year.until, cases=False)
    homes = zip(one.grids["region_code"], one.grids["region_name"], strict=True)
    return [("same", code, name, None, grid) for (code, name), grid in zip(homes, grids_of(one), strict=True)]


def _days(session: Session, wanted: Wanted) -> tuple[date, date]:
    until = wanted.until
    if until is None:
        year = session.execute(query("compare", "year"), {"sensitive": sensitive()}).one()
        last: datetime = year.until
        until = last.astimezone(ZoneInfo(settings().time_zone)).date()
    since = wanted.since or until - timedelta(days=YEAR_DAYS - 1)
    if since > until:
        raise Invalid("LOAD_SPAN", since=since.isoformat(), until=until.isoformat())
    return since, until


def _filter(since: date, until: date, categories: tuple[str, ...], region: str) -> CaseFilter:
    zone = ZoneInfo(settings().time_zone)
    start, end = datetime.combine(since, time(), zone), datetime.combine(until + timedelta(days=1), time(), zone)
    return CaseFilter(categories=categories, start=start, end=end, region=region)


def _counted(session: Session, actor: Actor, plan_id: int, chosen: CaseFilter) -> dict[int, int]:
    table, cases = count_by_grid(session, actor, plan_id, chosen)
    return dict(zip(table.id.tolist(), cases.tolist(), strict=True))


def _side(grid: Grid | None, cases: dict[int, int]) -> Side | None:
    if grid is None:
        return None
    return Side(grid.id, grid.code, grid.name, grid.households or 0, grid.workers, cases.get(grid.id, 0))
