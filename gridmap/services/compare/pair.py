"""Comparing two plans: where both reach and the reader may look, kept while neither changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from geodata.comparison import Flows, flows
from gridmap.db.engine import engine, service
from gridmap.db.models import Plan, Region
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.compare import table
from gridmap.services.compare.ground import Common, common
from gridmap.services.compare.load import Half, half
from gridmap.services.compare.table import Moves, Row, Sums
from gridmap.services.plans.access import overlap, subtree, visible
from gridmap.services.plans.small import require_households, veils
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact
from gridmap.services.versions import versions
from gridmap.sql import query

_KEPT = 6


@dataclass(frozen=True, slots=True)
class Named:
    """One of the two plans."""

    id: int
    name: str
    state: str
    version: int
    region_code: str
    region_name: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Plan A and plan B over ``region`` (the smaller of both); cases are those between ``since`` and ``until``.

    Those are None where exact figures of cases are not the reader's to see (:mod:`gridmap.services.sight`).
    """

    a: Named
    b: Named
    region_code: str
    region_name: str
    since: datetime | None
    until: datetime | None
    before: Sums
    after: Sums
    moves: Moves
    rows: tuple[Row, ...]
    flows: Flows
    common: Common
    half_a: Half
    half_b: Half
    #: What was drawn of it already: the map of differences by region.
    drawn: dict[str | None, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowPage:
    """One page of rows, and how many there are in all."""

    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Partner:
    """A plan to compare another with."""

    id: int
    name: str


_kept: OrderedDict[Hashable, Comparison] = OrderedDict()
_lock = threading.Lock()


@service
def compare(session: Session, actor: Actor, a_id: int, b_id: int) -> Comparison:
    """Compare plan B with plan A, where the reader may look.

    Raises ``NotFound`` PLAN_NOT_FOUND, ``Forbidden`` HOUSEHOLDS_FEW, ``Invalid`` COMPARE_SAME, COMPARE_APART.
    """
    (a, home_a), (b, home_b), scope = both(session, actor, a_id, b_id)
    patterns = patterns_of(actor, scope)
    require_households(actor, scope.prefix)
    exact = actor.sees_small(scope.prefix)
    state = versions(session)
    key = (
        str(engine().url),
        *((plan.id, plan.version, plan.checked_version, plan.name, plan.state) for plan in (a, b)),
        *(state[name] for name in ("regions", "buildings", "units", "plans", "cases")),
        *patterns,
        exact,
        *sensitive(),
    )
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = _compare(session, (a, home_a), (b, home_b), scope, patterns, exact=exact)
    with _lock:
        _kept[key] = found
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found


def both(
    session: Session, actor: Actor, a_id: int, b_id: int
) -> tuple[tuple[Plan, Region], tuple[Plan, Region], Region]:
    """Two plans with their regions, and the smaller of these. Raises what :func:`compare` raises."""
    (a, home_a), (b, home_b) = visible(session, actor, a_id), visible(session, actor, b_id)
    if a_id == b_id:
        raise Invalid("COMPARE_SAME", plan=a.name)
    scope = max(home_a, home_b, key=lambda region: len(region.prefix))
    if not overlap(home_a.prefix, home_b.prefix) or not patterns_of(actor, scope):
        raise Invalid("COMPARE_APART", a=a.name, b=b.name)
    return (a, home_a), (b, home_b), scope


def patterns_of(actor: Actor, scope: Region) -> list[str]:
    """LIKE patterns of what lies in the scope and where the actor may look."""
    mine = (prefix for prefix in actor.prefixes(Role.VIEWER) if overlap(scope.prefix, prefix))
    return sorted({f"{max(scope.prefix, prefix, key=len)}%" for prefix in mine})


def _compare(
    session: Session, a: tuple[Plan, Region], b: tuple[Plan, Region], scope: Region, patterns: list[str], *, exact: bool
) -> Comparison:
    year = session.execute(query("compare", "year"), {"sensitive": sensitive()}).one()
    half_a, half_b = (half(session, plan, patterns, year.since, year.until, cases=exact) for plan, _ in (a, b))
    ground = common(session, half_a, half_b)
    changed = flows(ground.pieces, half_a.grids["code"].tolist(), half_b.grids["code"].tolist())
    rows = table.rows(half_a, half_b, changed)
    return Comparison(
        _named(*a),
        _named(*b),
        scope.code,
        scope.name,
        year.since if exact else None,
        year.until if exact else None,
        table.sums(half_a),
        table.sums(half_b),
        table.moves(half_a, changed, ground, rows),
        rows,
        changed,
        ground,
        half_a,
        half_b,
    )


def _named(plan: Plan, region: Region) -> Named:
    return Named(plan.id, plan.name, plan.state, plan.version, region.code, region.name)


#: What a table of rows may be ordered by.
ORDERS = ("code", "moved", "households", "cases")


@service
def page(
    session: Session,
    actor: Actor,
    a_id: int,
    b_id: int,
    *,
    region: str | None = None,
    change: tuple[str, ...] = (),
    status: str | None = None,
    text: str | None = None,
    order: str = "code",
    limit: int = 50,
    offset: int = 0,
) -> RowPage:
    """Rows of a comparison; ``region`` is a code or a prefix, ``status`` that of the grid after (of a gone one before).

    Without ``change`` rows that did not change are left out. ``order``: "code", or greatest "moved" (in and out),
    "households" (difference) or "cases" (difference) first.
    """
    compared = compare.within(session, actor, a_id, b_id)
    if order == "cases":
        require_exact(actor, compared.region_code)
    found = compared.rows
    prefix, wanted = subtree(region) or "", change or table.CHANGES[:-1]
    rows = [
        row
        for row in found
        if row.change in wanted
        and (row.region_code or "").startswith(prefix)
        and (status is None or status == (row.after or row.before).status)  # type: ignore[union-attr]
        and (not text or any(text in f"{one.code} {one.name or ''}" for one in (row.before, row.after) if one))
    ]
    if order == "moved":
        rows.sort(key=lambda row: -(row.moved_in or 0) - (row.moved_out or 0))
    elif order in ("households", "cases"):
        rows.sort(key=lambda row: -abs(_of(row.after, order) - _of(row.before, order)))
    return RowPage(tuple(rows[offset : offset + limit]), len(rows))


def _of(grid: Any, name: str) -> int:
    return 0 if grid is None else int(getattr(grid, name) or 0)


@service
def partners(session: Session, actor: Actor, plan_id: int) -> dict[str, Partner]:
    """What a plan is best compared with, as far as there is such: ``in_force`` and ``base``."""
    _, home = visible(session, actor, plan_id)
    found: dict[str, Partner] = {}
    if veils(actor, home.prefix):
        return found
    key = {"plan": plan_id, "prefixes": list(actor.prefixes(Role.VIEWER))}
    for row in session.execute(query("compare", "partners"), key):
        for name in ("in_force", "base"):
            if getattr(row, name):
                found.setdefault(name, Partner(row.id, row.name))
    return found
