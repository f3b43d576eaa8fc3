"""Cases along time, of two periods, and one by one."""

from __future__ import annotations

from datetime import datetime

from gridmap.errors import Invalid
from gridmap.services import cases, incidents
from gridmap.web.api import Model, endpoint
from gridmap.web.api.cases import CaseQuery, Id, wanted
from gridmap.web.api.like import like
from gridmap.web.api.maps import parse_bbox
from gridmap.web.session import current_actor


class ComparisonQuery(CaseQuery):
    """Which cases, of since to until and of ``before_since`` to ``before_until`` (half-open); ``plan`` adds grids."""

    before_since: datetime | None = None
    before_until: datetime | None = None
    plan: Id | None = None


class PointQuery(CaseQuery):
    """Which cases: ``bbox`` is west,south,east,north in degrees."""

    bbox: str


class TimelineOut(Model):
    """Bars of cases: the k-th from ``edges[k]`` (belongs to it) to ``edges[k + 1]`` (does not).

    ``days``: cases of each local day from that of the first edge on; empty where there are more than 4,000 days.
    """

    edges: list[datetime]
    counts: list[int]
    days: list[int]
    total: int


@like(incidents.Changed)
class ChangedOut(Model):
    """Cases of both periods; ``ratio`` of cases a day with its 95 % interval, null where it has no bound.

    ``word``: "more", "fewer", or "same" where chance may do it.
    """


class PeriodsComparedOut(Model):
    """Two periods compared: over all, by category, community and grid; sure changes first, then the largest."""

    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]
    whole: ChangedOut
    categories: list[ChangedOut]
    regions: list[ChangedOut]
    grids: list[ChangedOut]


@like(cases.CasePoint)
class PointOut(Model):
    """A case on the map."""


class PointList(Model):
    """Cases of a view, the newest first."""

    items: list[PointOut]


@endpoint("/cases/timeline", tag="cases", query=CaseQuery, response=TimelineOut)
def case_timeline(query: CaseQuery) -> TimelineOut:
    """Cases along time, in bars that begin at local midnights."""
    found = cases.timeline(current_actor(), wanted(query))
    return TimelineOut(edges=list(found.edges), counts=list(found.counts), days=list(found.days), total=found.total)


@endpoint("/cases/compared", tag="cases", query=ComparisonQuery, response=PeriodsComparedOut)
def compare_periods(query: ComparisonQuery) -> PeriodsComparedOut:
    """What changed between two periods, and how surely."""
    chosen, span = wanted(query), (query.before_since, query.before_until)
    if span[0] is None or span[1] is None:
        raise Invalid("CASES_PERIODS")
    if span[0].tzinfo is None or span[1].tzinfo is None:
        raise Invalid("CASE_TIMES")
    found = incidents.two_periods(current_actor(), chosen, (span[0], span[1]), plan_id=query.plan)
    return PeriodsComparedOut.model_validate(found)


@endpoint("/cases/points", tag="cases", query=PointQuery, response=PointList, errors=[413])
def case_points(query: PointQuery) -> PointList:
    """Single cases of a view, at most 2,000."""
    found = cases.in_view(current_actor(), wanted(query, bbox=parse_bbox(query.bbox)))
    return PointList(items=[PointOut.model_validate(one) for one in found])
