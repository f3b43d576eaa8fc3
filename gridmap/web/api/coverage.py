"""Whether everything is covered, by region."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from gridmap.services import coverage
from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor

Day = date


class CoverageQuery(Model):
    """A ``plan``, or the one in force on a day ``date`` (today); ``region``: whose child regions are listed."""

    plan: int | None = Field(default=None, ge=1, le=2**62)
    date: Day | None = None
    region: str | None = Field(default=None, pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")


class RegionCoverageOut(Model):
    """A region's sums over what you may see; ``people_in_crowded`` live in grids of more than 2,000 persons."""

    code: str
    name: str
    level: str
    grids: int
    within: int
    under: int
    over: int
    empty: int
    unchecked: int
    unavoidable: int
    households: int
    population: int
    people_in_crowded: int
    estimated_households: int
    estimated_share: float
    uncovered_buildings: int
    uncovered_households: int
    oldest: date | None
    newest: date | None


class CoverageOut(Model):
    """``plan_id`` null: no plan was in force that day."""

    plan_id: int | None
    rows: list[RegionCoverageOut]


@endpoint("/coverage", tag="regions", query=CoverageQuery, response=CoverageOut)
def get_coverage(query: CoverageQuery) -> CoverageOut:
    """Grids against the standard and what lies in no grid, for each region below the one asked."""
    found = coverage.coverage(current_actor(), plan_id=query.plan, on=query.date, region=query.region)
    return CoverageOut.model_validate(found)
