"""Whether everything is covered, by region."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from gridmap.services import coverage
from gridmap.web.api import Model, endpoint
from gridmap.web.api.like import like
from gridmap.web.api.maps import parse_bbox
from gridmap.web.files import download
from gridmap.web.session import current_actor

Day = date


class CoverageQuery(Model):
    """A ``plan``, or the one in force on a day ``date`` (today); ``region``: whose child regions are listed."""

    plan: int | None = Field(default=None, ge=1, le=2**62)
    date: Day | None = None
    region: str | None = Field(default=None, pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")


class CoverageAreaQuery(CoverageQuery):
    """``of`` regions: the child regions; ``of`` grids: those there, in ``bbox`` (west,south,east,north) if given."""

    of: Literal["regions", "grids"] = "regions"
    bbox: str | None = None


class TrendQuery(Model):
    """The region looked at; none: all that you may see."""

    region: str | None = Field(default=None, pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")


class UncoveredQuery(CoverageQuery):
    """How many places are listed at most."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100


@like(coverage.RegionCoverage, "share_out", "crowded_share")
class RegionCoverageOut(Model):
    """A region's sums over what you may see; ``people_in_crowded`` live in grids of more than 2,000 persons."""


class CoverageOut(Model):
    """``plan_id`` null: no plan was in force that day."""

    plan_id: int | None
    rows: list[RegionCoverageOut]


class TrendStepOut(Model):
    """From ``day`` on: the plans that were in force, and their sums."""

    day: Day
    plans: list[str]
    sums: RegionCoverageOut


class TrendOut(Model):
    """The days on which another plan began, the oldest first."""

    items: list[TrendStepOut]


@like(coverage.Place)
class UncoveredPlaceOut(Model):
    """A unit in no grid, or a building in no unit; ``households`` null: not told to those who only look."""

    kind: Literal["unit", "building"]


class UncoveredOut(Model):
    """Places in no grid, most households first."""

    rows: list[UncoveredPlaceOut]
    total: int


@endpoint("/coverage", tag="regions", query=CoverageQuery, response=CoverageOut)
def get_coverage(query: CoverageQuery) -> CoverageOut:
    """Grids against the standard and what lies in no grid, for each region below the one asked."""
    found = coverage.coverage(current_actor(), plan_id=query.plan, on=query.date, region=query.region)
    return CoverageOut.model_validate(found)


@endpoint("/coverage.geojson", tag="regions", query=CoverageAreaQuery, errors=[413])
def coverage_areas(query: CoverageAreaQuery) -> Response:
    """Child regions with simplified borders and their coverage, or grids, as GeoJSON; at most 2,000."""
    bounds = None if query.bbox is None else parse_bbox(query.bbox)
    text = coverage.areas(
        current_actor(),
        plan_id=query.plan,
        on=query.date,
        region=query.region,
        bounds=bounds,
        grids=query.of == "grids",
    )
    return Response(text, mimetype="application/geo+json")


@endpoint("/coverage/trend", tag="regions", query=TrendQuery, response=TrendOut)
def coverage_trend(query: TrendQuery) -> TrendOut:
    """Coverage over the plans that were in force."""
    return TrendOut.model_validate(
        {"items": coverage.trend(current_actor(), region=query.region)}, from_attributes=True
    )


@endpoint("/coverage/uncovered", tag="regions", query=UncoveredQuery, response=UncoveredOut)
def coverage_uncovered(query: UncoveredQuery) -> UncoveredOut:
    """What lies in no grid."""
    found = coverage.uncovered(
        current_actor(), plan_id=query.plan, on=query.date, region=query.region, limit=query.limit
    )
    return UncoveredOut.model_validate(found)


@endpoint("/coverage/exports/<string:fmt>", tag="regions", query=CoverageQuery)
def export_coverage(fmt: str, query: CoverageQuery) -> Response:
    """The table of coverage as xlsx (with grids, uncovered places, trend) or csv."""
    path = coverage.export(current_actor(), fmt, plan_id=query.plan, on=query.date, region=query.region)
    return download(path, "coverage")
