"""Cases: lists, sums by time and kind, counts by grid. No report's text, no person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from gridmap.errors import Invalid
from gridmap.services import cases, incidents
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.api.maps import parse_bbox
from gridmap.web.session import current_actor

Id = Annotated[int, Field(ge=1, le=2**62)]


class CaseQuery(Model):
    """Which cases: ``since`` belongs to the span, ``until`` does not (both with zone); ``region`` a code or prefix.

    ``grid`` is the id of a grid, whose micro-grids count with it.
    """

    since: datetime | None = None
    until: datetime | None = None
    category: list[str] | None = None
    region: str | None = Field(default=None, pattern=r"^[0-9]{1,15}$")
    grid: Id | None = None


class CaseListQuery(CaseQuery, PageQuery):
    """Which cases and which part of their list; ``text`` is a place or the beginning of a number."""

    text: str | None = Field(default=None, max_length=100)
    closed: bool | None = None


class GridCountQuery(CaseQuery):
    """Which cases, and the first of how many grids by what; ``bbox`` (west,south,east,north in degrees): in view."""

    limit: Annotated[int, Field(ge=1, le=2000)] = 50
    order: Literal["cases", "per_1000_households", "smoothed"] = "cases"
    bbox: str | None = None


class CaseOut(Model):
    """A case; ``lonlat`` null where its place is not known."""

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
    lonlat: tuple[float, float] | None


class CasePage(Page[CaseOut]):
    """Part of the cases, newest first."""


class Share(Model):
    """A name and how many cases it has."""

    name: str
    cases: int


class CaseSums(Model):
    """Sums in the configured zone; ``week`` counts by weekday (Monday first) and hour, ``months`` as 2025-03.

    ``known`` are the first and the last day of which the town knows any case: beyond them there is no data.
    """

    total: int
    located: int
    open: int
    categories: list[Share]
    months: list[Share]
    week: list[list[int]]
    known: tuple[date, date] | None


class GridCount(Model):
    """Cases in a grid, and per 1,000 households (null without households), as counted and ``smoothed``.

    ``unplaced`` of them lie on one point because their address was not found, and need not have happened here.
    """

    grid_id: int
    code: str
    name: str | None
    kind: str
    households: int
    region_code: str | None
    region_name: str | None
    cases: int
    per_1000_households: float | None
    smoothed: float | None
    unplaced: int


class GridCounts(Model):
    """Grids of a plan, the most cases first, and how many cases lie in any of them; ``mean`` rate of all together."""

    items: list[GridCount]
    grids: int
    cases: int
    mean: float | None


class SpotGrid(Model):
    """A grid of a hot spot."""

    id: int
    code: str
    region_name: str


class SpotOut(Model):
    """A hot spot. ``kind`` null without a period before; ``rate`` per 1,000 households, ``ratio`` to that of all grids;
    ``excess``: cases beyond that; ``q``: the share of false finds among spots as sure as this one."""

    grids: list[SpotGrid]
    kind: str | None
    cases: int
    before: int | None
    households: int
    rate: float | None
    ratio: float | None
    excess: float
    q: float
    categories: list[Share]
    places: list[Share]
    sentence: str


class StackOut(Model):
    """Many cases on one point; ``place`` null where none is written, else the most frequent of ``addresses`` names.

    ``unplaced``: so many names say that it is not where these cases happened; they are in no hot spot.
    """

    place: str | None
    lonlat: tuple[float, float]
    cases: int
    addresses: int
    unplaced: bool


class HotSpotsOut(Model):
    """Hot spots, the most cases beyond expectation first, then those that faded since the time ``before``.

    Places and stacks are told with ``raw`` only: for case officers and administrators.
    """

    items: list[SpotOut]
    stacks: list[StackOut]
    rate: float | None
    grids: int
    before: tuple[datetime, datetime] | None
    raw: bool


@endpoint("/cases", tag="cases", query=CaseListQuery, response=CasePage)
def list_cases(query: CaseListQuery) -> CasePage:
    """Cases, newest first."""
    found = cases.page(
        current_actor(), wanted(query, text=query.text, closed=query.closed), limit=query.limit, offset=query.offset
    )
    rows = [{name: getattr(row, name) for name in CaseOut.model_fields} for row in found.rows]
    return CasePage.of(rows, found.total, query)


@endpoint("/cases/sums", tag="cases", query=CaseQuery, response=CaseSums)
def case_sums(query: CaseQuery) -> CaseSums:
    """How many cases by category, month, weekday and hour."""
    actor = current_actor()
    sums, known = cases.totals(actor, wanted(query)), cases.known(actor)
    named = {key: [Share(name=name, cases=number) for name, number in sums[key]] for key in ("categories", "months")}
    return CaseSums(
        total=sums["total"], located=sums["located"], open=sums["open"], week=sums["week"], known=known, **named
    )


@endpoint("/plans/<int:plan_id>/cases", tag="cases", query=GridCountQuery, response=GridCounts)
def case_counts(plan_id: int, query: GridCountQuery) -> GridCounts:
    """Cases in each grid of a plan, and per 1,000 households, as counted and smoothed by empirical Bayes."""
    bounds = None if query.bbox is None else parse_bbox(query.bbox)
    found = cases.rates_by_grid(
        current_actor(), plan_id, wanted(query), bounds=bounds, order=query.order, limit=query.limit
    )
    items = [GridCount.model_validate(row) for row in found.rows]
    return GridCounts(items=items, grids=found.grids, cases=found.cases, mean=found.mean)


@endpoint("/plans/<int:plan_id>/cases.geojson", tag="cases", query=CaseQuery)
def case_areas(plan_id: int, query: CaseQuery) -> Response:
    """Cases and rates of the grids of a plan by community, with borders, as GeoJSON; at most 2,000."""
    return Response(cases.case_areas(current_actor(), plan_id, wanted(query)), mimetype="application/geo+json")


@endpoint("/plans/<int:plan_id>/hot-spots", tag="cases", query=CaseQuery, response=HotSpotsOut)
def hot_spots(plan_id: int, query: CaseQuery) -> HotSpotsOut:
    """Where cases concentrate beyond chance in the grids of a plan, compared with as long a time before."""
    found = incidents.hot_spots(current_actor(), plan_id, wanted(query))
    items = [
        SpotOut(
            grids=[SpotGrid(id=number, code=code, region_name=region) for number, code, region in one.grids],
            categories=[Share(name=name, cases=number) for name, number in one.categories],
            places=[Share(name=name, cases=number) for name, number in one.places],
            **{name: getattr(one, name) for name in _SPOT_FIELDS},
        )
        for one in found.spots
    ]
    stacks = [StackOut(**{name: getattr(one, name) for name in StackOut.model_fields}) for one in found.stacks]
    return HotSpotsOut(
        items=items, stacks=stacks, rate=found.rate, grids=found.grids, before=found.before, raw=found.raw
    )


_SPOT_FIELDS = ("kind", "cases", "before", "households", "rate", "ratio", "excess", "q", "sentence")


def wanted(
    query: CaseQuery,
    *,
    text: str | None = None,
    closed: bool | None = None,
    bbox: tuple[float, float, float, float] | None = None,
) -> cases.CaseFilter:
    """The filter of a query. ``Invalid`` (CASE_TIMES) for a span that ends before it begins or a time without zone."""
    given = [moment for moment in (query.since, query.until) if moment is not None]
    if any(moment.tzinfo is None for moment in given) or (len(given) == 2 and given[0] >= given[1]):
        raise Invalid("CASE_TIMES")
    return cases.CaseFilter(
        categories=tuple(query.category or ()),
        start=query.since,
        end=query.until,
        region=query.region,
        text=text,
        closed=closed,
        bbox=bbox,
        grid_id=query.grid,
    )
