"""Load under another plan: cases and households of each grid in a plan and in another."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from flask import Response
from flask_babel import get_locale
from pydantic import Field

from gridmap.services import load
from gridmap.services.plans.access import subtree
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.api.like import like
from gridmap.web.files import download
from gridmap.web.session import current_actor

Id = Annotated[int, Field(ge=1, le=2**62)]
Day = date


class LoadQuery(Model):
    """``other``: the plan beside it (none: in force there, else its base). Days are both included.

    ``most``: cases of a grid that are too many; none: one and a half times the mean of the plan before.
    """

    other: Id | None = None
    since: Day | None = None
    until: Day | None = None
    category: list[str] | None = None
    most: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None

    def wanted(self) -> load.Wanted:
        """What a service takes."""
        return load.Wanted(self.since, self.until, tuple(self.category or ()), self.most)


class LoadRowQuery(LoadQuery, PageQuery):
    """Which rows; ``order``: greatest change of cases first, most cases after, or by code."""

    order: Literal["by", "cases", "rate", "code"] = "by"


@like(load.Side, "rate", "per_worker")
class LoadSideOut(Model):
    """A grid in one of the plans."""


@like(load.Row, "by")
class LoadRowOut(Model):
    """A grid before and after; ``by``: how many cases more."""

    before: LoadSideOut | None
    after: LoadSideOut | None


class LoadRowPage(Page[LoadRowOut]):
    """Part of the rows."""


@like(load.Spread)
class SpreadOut(Model):
    """How evenly cases lie in the grids of a plan; ``above`` the limit."""

    busiest: LoadSideOut | None
    densest: LoadSideOut | None
    strained: LoadSideOut | None


@like(load.Named)
class LoadNamedOut(Model):
    """A plan."""


class LoadOut(Model):
    """Load of a plan beside another's, with what it changes in sentences."""

    plan: LoadNamedOut
    other: LoadNamedOut | None
    region_code: str
    region_name: str
    since: Day
    until: Day
    categories: list[str]
    limit: int
    before: SpreadOut | None
    after: SpreadOut
    sentences: list[str]


class LoadValuesOut(Model):
    """Id, cases and cases per 1,000 households of every grid of both plans, for maps.

    Of more than 2,000 grids: code, cases a grid and per 1,000 households of the regions right below the one compared.
    """

    before: list[list[int | float | str | None]]
    after: list[list[int | float | str | None]]


@endpoint("/plans/<int:plan_id>/load", tag="plans", query=LoadQuery, response=LoadOut)
def plan_load(plan_id: int, query: LoadQuery) -> LoadOut:
    """Cases recounted for a plan beside another: sums, spread, sentences."""
    found = load.load(current_actor(), plan_id, other_id=query.other, wanted=query.wanted())
    names = ("plan", "other", "region_code", "region_name", "since", "until", "limit", "before", "after")
    told = {name: getattr(found, name) for name in names}
    said = list(load.sentences(found, str(get_locale())))
    return LoadOut.model_validate(
        told | {"categories": list(found.categories), "sentences": said}, from_attributes=True
    )


@endpoint("/plans/<int:plan_id>/load/grids", tag="plans", query=LoadRowQuery, response=LoadRowPage)
def plan_load_grids(plan_id: int, query: LoadRowQuery) -> LoadRowPage:
    """Cases and households by grid, in both plans."""
    found = load.load(current_actor(), plan_id, other_id=query.other, wanted=query.wanted())
    rows = load.ordered(found.rows, query.order)
    return LoadRowPage.of(rows[query.offset : query.offset + query.limit], len(rows), query)


@endpoint("/plans/<int:plan_id>/load/values", tag="plans", query=LoadQuery, response=LoadValuesOut)
def plan_load_values(plan_id: int, query: LoadQuery) -> LoadValuesOut:
    """What maps of both plans colour: grids, or where these are more than 2,000 the regions they lie in."""
    found = load.load(current_actor(), plan_id, other_id=query.other, wanted=query.wanted())
    if load.many(found.rows):
        digits = min(len(subtree(found.region_code) or "") + 3, 12)
        before, after = (
            [(f"{part:0<12}", *values) for part, values in side.items()] for side in load.by_region(found.rows, digits)
        )
        return LoadValuesOut(before=before, after=after)
    sides = ([row.before for row in found.rows if row.before], [row.after for row in found.rows if row.after])
    grids, others = ([(one.id, one.cases, one.rate) for one in side] for side in sides)
    return LoadValuesOut(before=grids, after=others)


@endpoint("/plans/<int:plan_id>/load/exports/<string:fmt>", tag="plans", query=LoadQuery)
def export_load(plan_id: int, fmt: str, query: LoadQuery) -> Response:
    """All rows as xlsx (with spread and sentences) or csv."""
    path = load.export(current_actor(), plan_id, fmt, other_id=query.other, wanted=query.wanted())
    return download(path, f"load-{plan_id}")
