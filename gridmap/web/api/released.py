"""Released figures of cases: what everybody who looks at a region may see, small numbers withheld."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gridmap.errors import Invalid
from gridmap.services.cases import released
from gridmap.services.cases.sensitive_counts import SensitiveCount, sensitive_counts
from gridmap.services.incidents.released_spots import ReleasedSpot, released_spots
from gridmap.web.api import Model, endpoint
from gridmap.web.api.like import like
from gridmap.web.session import current_actor

Month = Annotated[str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")]
RegionPrefix = Annotated[str | None, Field(pattern=r"^[0-9]{1,15}$")]


class ReleasedQuery(Model):
    """Which figures: months ``since`` to ``until`` (both included), ``category`` only of whole releases."""

    level: Literal["all", "county", "subdistrict", "community", "grid"] = "grid"
    since: Month = None
    until: Month = None
    category: list[str] | None = None
    region: RegionPrefix = None
    limit: Annotated[int, Field(ge=1, le=2000)] = 500
    offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class ProfileQuery(Model):
    """Which place: a grid by its id, else a region by its code, else all."""

    region: str | None = Field(default=None, pattern=r"^[0-9]{12}$")
    grid: int | None = Field(default=None, ge=1, le=2**62)


@like(released.Figure)
class ReleasedFigureOut(Model):
    """Cases of a place; null where they are not shown, ``text`` says how: a number, "<5" or "—"."""


class FiguresOut(Model):
    """Places, the most cases first; ``since`` and ``until`` are months, ``plan_id`` that of the grids."""

    items: list[ReleasedFigureOut]
    total: int
    plan_id: int | None
    since: str | None
    until: str | None


class ReleaseOut(Model):
    """A release: made once, of a closed period (half-open)."""

    since: datetime
    until: datetime
    months: list[str]
    plan_id: int | None
    plan_name: str | None


class PeriodsOut(Model):
    """What is released. ``due``: something has closed and is being made, or will be from ``settled`` on.

    ``grids``: how many the newest release has.
    """

    releases: list[ReleaseOut]
    months: list[str]
    categories: list[str]
    due: bool
    settled: datetime | None
    grids: int


@like(released.Cell)
class CellOut(Model):
    """One bar of a chart."""


@like(released.Profile)
class ReleasedProfileOut(Model):
    """One place by month, category, weekday (0 is Monday) and block of four hours (0 begins at midnight)."""

    whole: CellOut
    months: list[CellOut]
    categories: list[CellOut]
    weekdays: list[CellOut]
    hours: list[CellOut]


@endpoint("/cases/released", tag="cases", query=ReleasedQuery, response=FiguresOut)
def released_figures(query: ReleasedQuery) -> FiguresOut:
    """Cases by place, of closed periods; small numbers and what would give them away are withheld."""
    found = released.figures(
        current_actor(),
        level=query.level,
        since=query.since,
        until=query.until,
        categories=query.category or (),
        region=query.region,
        limit=query.limit,
        offset=query.offset,
    )
    return FiguresOut(
        items=[ReleasedFigureOut.model_validate(row) for row in found.rows],
        **{name: getattr(found, name) for name in ("total", "plan_id", "since", "until")},
    )


@endpoint("/cases/released/periods", tag="cases", response=PeriodsOut)
def released_periods() -> PeriodsOut:
    """What is released, and what is to come."""
    return PeriodsOut.model_validate(released.periods(current_actor()))


@endpoint("/cases/released/profile", tag="cases", query=ProfileQuery, response=ReleasedProfileOut)
def released_profile(query: ProfileQuery) -> ReleasedProfileOut:
    """One place along months, categories, weekdays and hours, each by itself."""
    return ReleasedProfileOut.model_validate(released.profile(current_actor(), region=query.region, grid_id=query.grid))


class SensitiveQuery(Model):
    """Which cases: ``since`` belongs to the span, ``until`` does not (both with zone)."""

    since: datetime | None = None
    until: datetime | None = None
    region: RegionPrefix = None


@like(SensitiveCount)
class SensitiveOut(Model):
    """Cases of a sensitive category in a grid."""


class SensitiveList(Model):
    """Sensitive cases by grid, the most first."""

    items: list[SensitiveOut]


@endpoint("/plans/<int:plan_id>/sensitive-cases", tag="cases", query=SensitiveQuery, response=SensitiveList)
def sensitive_cases(plan_id: int, query: SensitiveQuery) -> SensitiveList:
    """Cases of sensitive categories by grid, for case officers and administrators; nothing else is told of them."""
    if any(moment is not None and moment.tzinfo is None for moment in (query.since, query.until)):
        raise Invalid("CASE_TIMES")
    found = sensitive_counts(current_actor(), plan_id, start=query.since, end=query.until, region=query.region)
    return SensitiveList(items=[SensitiveOut.model_validate(one) for one in found])


class ReleasedSpotQuery(Model):
    """Which months (both included) of which region."""

    since: Month = None
    until: Month = None
    region: RegionPrefix = None


@like(ReleasedSpot)
class ReleasedSpotOut(Model):
    """A hot spot of released figures: ``cases`` that are shown of its grids, all of them where ``whole``."""


class ReleasedSpotList(Model):
    """Hot spots, the most cases beyond expectation first."""

    items: list[ReleasedSpotOut]


@endpoint("/cases/released/hot-spots", tag="cases", query=ReleasedSpotQuery, response=ReleasedSpotList)
def released_hot_spots(query: ReleasedSpotQuery) -> ReleasedSpotList:
    """Where released cases concentrate beyond chance; computed from what is published and nothing else."""
    found = released_spots(current_actor(), since=query.since, until=query.until, region=query.region)
    return ReleasedSpotList(items=[ReleasedSpotOut.model_validate(one) for one in found])
