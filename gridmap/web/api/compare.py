"""Two plans beside each other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from gridmap.services import compare
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.api.maps import parse_bbox
from gridmap.web.files import download
from gridmap.web.session import current_actor

Id = Annotated[int, Field(ge=1, le=2**62)]
Change = Literal["changed", "new", "gone", "renamed", "same"]
Status = Literal["under", "within", "over", "empty", "unchecked"]
RegionPrefix = Field(default=None, pattern=r"^[0-9]{1,15}$")


class PairQuery(Model):
    """The two plans: ``a`` before, ``b`` after."""

    a: Id
    b: Id


class RowQuery(PageQuery):
    """Which rows; without ``change`` those that did not change are left out. ``region`` is a code or its beginning."""

    a: Id
    b: Id
    change: list[Change] | None = None
    region: str | None = RegionPrefix
    status: Status | None = None
    text: str | None = Field(default=None, max_length=100)
    order: Literal["code", "moved", "households", "cases"] = "code"


class AreaQuery(PairQuery):
    """Which areas: ``bbox`` is west,south,east,north in degrees, ``region`` a code or the beginning of codes."""

    bbox: str | None = None
    region: str | None = RegionPrefix


class NamedOut(Model):
    """One of the plans."""

    id: int
    name: str
    state: str
    version: int
    region_code: str
    region_name: str


class SumsOut(Model):
    """A plan's sums on the ground compared; ``errors`` and ``warnings`` null where no check speaks of it as it is."""

    grids: int
    households: int
    population: int
    statuses: dict[str, int]
    errors: int | None
    warnings: int | None
    unassigned_units: int
    unassigned_households: int
    workers: int
    compactness: float | None
    cases: int | None


class MovesOut(Model):
    """What changed hands, in households: between grids, from none (``assigned``), to none (``unassigned``).

    ``changes`` counts grids; ``overlaid`` households were placed by geometry, ``only_a`` and ``only_b`` could not be
    compared.
    """

    moved: int
    moved_population: int
    assigned: int
    unassigned: int
    share: float
    changes: dict[str, int]
    workers_affected: int
    overlaid: int
    only_a: int
    only_b: int


class ComparisonOut(Model):
    """Plan B compared with plan A on the ground of the smaller one; cases between ``since`` and ``until``.

    Cases and their span are null for whoever is shown released figures only.
    """

    a: NamedOut
    b: NamedOut
    region_code: str
    region_name: str
    since: datetime | None
    until: datetime | None
    before: SumsOut
    after: SumsOut
    moves: MovesOut


class SideOut(Model):
    """A grid in one of the plans."""

    id: int
    code: str
    name: str | None
    kind: str
    status: str
    households: int
    population: int
    area_m2: float
    workers: int | None
    cases: int | None


class RowOut(Model):
    """What became of a grid; ``before`` null: new, ``after`` null: gone. ``moved_in``, ``moved_out`` in households."""

    change: Change
    region_code: str | None
    region_name: str | None
    before: SideOut | None
    after: SideOut | None
    moved_in: int
    moved_out: int


class RowPage(Page[RowOut]):
    """Part of the rows."""


@endpoint("/plans/compare", tag="plans", query=PairQuery, response=ComparisonOut)
def compare_plans(query: PairQuery) -> ComparisonOut:
    """Two plans in sums: before, after, what changed hands."""
    return ComparisonOut.model_validate(compare.compare(current_actor(), query.a, query.b))


@endpoint("/plans/compare/grids", tag="plans", query=RowQuery, response=RowPage)
def compare_grids(query: RowQuery) -> RowPage:
    """Two plans by grid: which became which, before and after."""
    found = compare.page(
        current_actor(),
        query.a,
        query.b,
        region=query.region,
        change=tuple(query.change or ()),
        status=query.status,
        text=query.text,
        order=query.order,
        limit=query.limit,
        offset=query.offset,
    )
    return RowPage.of(found.rows, found.total, query)


@endpoint("/plans/compare/difference.geojson", tag="plans", query=AreaQuery, errors=[413])
def compare_areas(query: AreaQuery) -> Response:
    """The ground that changed hands as GeoJSON, at most 2,000 areas."""
    bounds = None if query.bbox is None else parse_bbox(query.bbox)
    text = compare.difference(current_actor(), query.a, query.b, bounds=bounds, region=query.region)
    return Response(text, mimetype="application/geo+json")


@endpoint("/plans/compare/exports/<string:fmt>", tag="plans", query=PairQuery)
def export_comparison(fmt: str, query: PairQuery) -> Response:
    """All rows of a comparison as xlsx (with the sums) or csv."""
    path = compare.export(current_actor(), query.a, query.b, fmt)
    return download(path, f"compare-{query.a}-{query.b}")
