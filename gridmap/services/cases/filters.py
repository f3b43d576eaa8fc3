"""Which cases are asked for, and the SQL condition that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from gridmap.db.models import SRID, Case, Grid, PlanUnit, Region, Unit
from gridmap.db.models.cases import SHOWN
from gridmap.errors import NotFound
from gridmap.services import heat
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree, visible
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact

#: SQL: cases that a heat store does not hold, found by an index of their own.
ASIDE = sa.text(f"NOT ({SHOWN})")


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Cases that meet all that is given.

    ``start`` and ``end`` bound when they occurred (half-open, with a time zone); ``region`` is a code or a prefix;
    ``bbox`` west, south, east, north in degrees; ``grid_id`` a grid with its micro-grids; ``closed`` whether they are
    closed. ``placed``: without cases that stand where they do only because their place was not found.
    """

    categories: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    region: str | None = None
    level: str | None = None
    source: str | None = None
    closed: bool | None = None
    text: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    plan_id: int | None = None
    grid_id: int | None = None
    placed: bool = False

    @property
    def by_columns(self) -> bool:
        """Whether nothing is asked but what a heat store knows of each case."""
        others = (self.level, self.source, self.closed, self.text, self.bbox, self.plan_id, self.grid_id)
        return all(one in (None, "") for one in others)

    @property
    def span(self) -> heat.Span:
        """The filter as a heat store takes it, where :attr:`by_columns` holds."""
        return heat.Span(self.start, self.end, self.categories, self.region)


def condition(session: Session, actor: Actor, wanted: CaseFilter) -> ColumnElement[bool]:
    """The filter in SQL, bounded by where the actor may look; sensitive categories are no part of it.

    Raises ``Forbidden`` CASES_SMALL_NUMBERS for whoever is shown releases only: every exact figure passes here.
    """
    require_exact(actor, wanted.region)
    hidden = sensitive()
    terms = [*_place(session, actor, wanted), *_kind(wanted)]
    if hidden:
        terms.append(Case.category.not_in(hidden))
    if wanted.start is not None:
        terms.append(Case.occurred_at >= wanted.start)
    if wanted.end is not None:
        terms.append(Case.occurred_at < wanted.end)
    return sa.and_(sa.true(), *terms)


def _kind(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if wanted.categories:
        terms.append(Case.category.in_(wanted.categories))
    if wanted.level is not None:
        terms.append(Case.level == wanted.level)
    if wanted.source is not None:
        terms.append(Case.source == wanted.source)
    if wanted.closed is not None:
        terms.append(Case.closed_at.is_not(None) if wanted.closed else Case.closed_at.is_(None))
    if wanted.text:
        by_place = Case.place.contains(wanted.text, autoescape=True)
        terms.append(sa.or_(by_place, Case.number.startswith(wanted.text, autoescape=True)))
    return terms


def _place(session: Session, actor: Actor, wanted: CaseFilter) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if not actor.everywhere(Role.VIEWER):
        terms.append(Case.region_id.in_(sa.select(Region.id).where(actor.visible(Region.code))))
    if wanted.region:
        within = Region.code.startswith(subtree(wanted.region), autoescape=True)
        terms.append(Case.region_id.in_(sa.select(Region.id).where(within)))
    if wanted.bbox is not None:
        terms.append(Case.point.op("&&")(sa.func.ST_MakeEnvelope(*wanted.bbox, SRID)))
    if wanted.placed and (away := heat.unplaced(session)):
        place = sa.tuple_(sa.func.ST_X(Case.point), sa.func.ST_Y(Case.point))
        terms.append(sa.or_(Case.point.is_(None), place.not_in(away)))
    if wanted.plan_id is not None:
        visible(session, actor, wanted.plan_id)
    if wanted.grid_id is not None:
        terms.append(_in_grid(session, actor, wanted.grid_id, wanted.plan_id))
    return terms


def _in_grid(session: Session, actor: Actor, grid_id: int, plan_id: int | None) -> ColumnElement[bool]:
    """Cases of the units of a grid and its micro-grids; by place where units of its plan have retired since."""
    of_plan = session.scalar(sa.select(Grid.plan_id).where(Grid.id == grid_id))
    if of_plan is None or (plan_id is not None and plan_id != of_plan):
        raise NotFound("CASE_GRID", grid=grid_id)
    visible(session, actor, of_plan)
    retired = sa.select(PlanUnit).join(Unit, Unit.id == PlanUnit.unit_id)
    if session.scalar(sa.select(retired.where(PlanUnit.plan_id == of_plan, Unit.retired_at.is_not(None)).exists())):
        return sa.func.ST_Covers(sa.select(Grid.geom).where(Grid.id == grid_id).scalar_subquery(), Case.point)
    parts = sa.select(Grid.id).where(sa.or_(Grid.id == grid_id, Grid.parent_id == grid_id))
    inside = sa.select(PlanUnit.unit_id).where(PlanUnit.plan_id == of_plan, PlanUnit.grid_id.in_(parts))
    return Case.unit_id.in_(inside)
