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
from gridmap.services.compare import partners
from gridmap.services.compare.pair import both, patterns_of
from gridmap.services.load.rows import Floats, Ints, Row, Rows, Side, Sides, ordered
from gridmap.services.plans.access import visible
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact
from gridmap.services.versions import versions
from gridmap.settings import settings
from gridmap.sql import query

__all__ = ["Load", "Named", "Row", "Rows", "Side", "Sides", "Spread", "Wanted", "load", "ordered", "spread"]
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
    rows: Rows
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
    plan, scope = visible(session, actor, plan_id)
    if other_id is None:
        known = partners.within(session, actor, plan_id)
        best = known.get("in_force") or known.get("base")
        other_id = best.id if best else None
    if wanted.limit is not None and not 0 < wanted.limit < 1 << 31:
        raise Invalid("LOAD_LIMIT", limit=wanted.limit)
    since, until = _days(session, wanted)
    other = None
    if other_id is not None:
        (other, _), _, scope = both(session, actor, other_id, plan_id)
    require_exact(actor, scope.code)
    state = tuple(versions(session).values())
    stands = [(one.version, one.checked_version, one.name, one.state) for one in (plan, other) if one is not None]
    key = (str(engine().url), plan_id, other_id, *stands, state, actor.prefixes(Role.VIEWER), since, until, wanted)
    key = (*key, *sensitive())
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = _load(session, actor, plan, other, scope, since, until, wanted)
    with _lock:
        _kept[key] = made
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made


def _load(
    session: Session,
    actor: Actor,
    plan: Plan,
    other: Plan | None,
    scope: Region,
    since: date,
    until: date,
    wanted: Wanted,
) -> Load:
    from gridmap.services.load.ground import Seen, alone, paired

    prefixes = tuple(one[:-1] for one in patterns_of(actor, scope))
    chosen = _filter(since, until, wanted.categories, scope.code)
    now = Seen(session, actor, plan, prefixes, chosen)
    was = None if other is None else Seen(session, actor, other, prefixes, chosen)
    rows = alone(now) if was is None else paired(session, was, now)
    # in the order of the rows, which decides between equals
    afters = rows.after.taken(rows.now[rows.now >= 0])
    befores = rows.before.taken(rows.was[rows.was >= 0])
    cases = (befores if len(befores) else afters).cases
    limit = wanted.limit or max(1, ceil(1.5 * int(cases.sum()) / max(len(cases), 1)))
    return Load(
        _named(plan),
        None if other is None else _named(other),
        scope.code,
        scope.name,
        since,
        until,
        wanted.categories,
        limit,
        rows,
        None if was is None else spread(befores, limit),
        spread(afters, limit),
    )


def _named(plan: Plan) -> Named:
    return Named(plan.id, plan.name, plan.state, plan.version)


def spread(sides: Sides | Sequence[Side], limit: int) -> Spread:
    """How evenly cases lie in grids."""
    told = sides if isinstance(sides, Sides) else Sides.of(sides)
    cases = np.sort(told.cases)
    n, total = len(cases), int(cases.sum())
    mean = total / n if n else 0.0
    rank = np.arange(1, n + 1)
    gini = float((2 * (rank * cases).sum()) / (n * total) - (n + 1) / n) if total else 0.0

    def most(values: Floats | Ints) -> Side | None:
        """The first of those that have the most; None where none has any value."""
        return told.at(int(values.argmax())) if len(values) and values.max() >= 0 else None

    return Spread(
        grids=n,
        cases=total,
        households=int(told.households.sum()),
        least=int(cases[0]) if n else 0,
        median=float(np.median(cases)) if n else 0.0,
        most=int(cases[-1]) if n else 0,
        mean=mean,
        gini=gini,
        variation=float(cases.std() / mean) if mean else 0.0,
        above=int((cases > limit).sum()),
        busiest=most(told.cases),
        densest=most(told.rate),
        strained=most(told.per_worker),
    )


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
