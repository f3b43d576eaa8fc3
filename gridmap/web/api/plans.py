"""Plans, their grids, and what the last check found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from gridmap.services import checks, plans, search
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.i18n import in_language
from gridmap.web.session import current_actor

Box = tuple[float, float, float, float]
Status = Literal["under", "within", "over", "empty", "unchecked"]
RegionPrefix = Field(default=None, pattern=r"^[0-9]{1,15}$")


class PlanOut(Model):
    """A plan and its totals inside your regions; ``current_check``: the last check speaks of it as it is."""

    id: int
    name: str
    region_code: str
    region_name: str
    department: str | None
    profile_name: str
    state: str
    version: int
    current_check: bool
    checked_at: datetime | None
    valid_from: date | None
    valid_to: date | None
    grids: int
    households: int | None
    population: int | None
    estimated_households: int | None
    estimated_share: float
    missing_households: int
    unassigned_households: int | None
    unassigned_units: int
    statuses: dict[str, int]
    errors: int
    warnings: int
    unavoidable: int


class PlansOut(Model):
    """The plans you may see."""

    items: list[PlanOut]


class GridQuery(PageQuery):
    """Which grids: ``region`` is a code or the beginning of codes, ``rule`` one that found something."""

    region: str | None = RegionPrefix
    status: list[Status] | None = None
    rule: str | None = Field(default=None, pattern=r"^R[0-9]{2}$")
    text: str | None = Field(default=None, max_length=100)
    order: Literal["code", "households", "errors"] = "code"


class GridOut(Model):
    """A grid with its counts, the bounds of its class and how much was found; ``bbox`` west, south, east, north."""

    id: int
    code: str
    name: str | None
    kind: str
    parent_id: int | None
    workers: int | None
    area_m2: float
    households: int | None
    population: int | None
    buildings: int
    units: int
    estimated_households: int | None
    estimated_share: float | None
    missing_households: int | None
    status: str
    region_code: str | None
    region_name: str | None
    households_min: int | None
    households_max: int | None
    bbox: Box | None
    errors: int
    warnings: int
    rules: list[str]
    households_text: str


class GridPage(Page[GridOut]):
    """Part of a plan's grids."""


class FindingOut(Model):
    """A finding of a rule: the sentence in your language, and the place of the fault as GeoJSON."""

    id: int
    rule: str
    severity: str
    code: str
    value: float | None
    limit: float | None
    unavoidable: bool
    checked: bool
    sentence: str
    hint: str
    grid_id: int | None
    grid_code: str | None
    grid_name: str | None
    region_code: str | None
    region_name: str | None
    bbox: Box | None
    geometry: dict[str, Any] | None = None


class GridDetailOut(GridOut):
    """A grid and what was found about it."""

    results: list[FindingOut]


class FindingQuery(PageQuery):
    """Which findings."""

    rule: str | None = Field(default=None, pattern=r"^R[0-9]{2}$")
    severity: Literal["E", "W", "I"] | None = None
    region: str | None = RegionPrefix
    grid: int | None = Field(default=None, ge=1, le=2**62)
    unavoidable: bool | None = None


class FindingPage(Page[FindingOut]):
    """Part of what the last check found."""


class PlaceOut(Model):
    """The place of a finding as GeoJSON; null where it has none."""

    geometry: dict[str, Any] | None


class MisfitQuery(PageQuery):
    """Which places where the drawn grids did not fit."""

    kind: str | None = Field(default=None, pattern=r"^[a-z_]{1,40}$")


class MisfitOut(Model):
    """A place where a drawn grid did not fit the units; ``name`` of a building where it has one."""

    id: int
    kind: str
    grid_id: int | None
    grid_code: str | None
    grid_name: str | None
    other_code: str | None
    area_m2: float | None
    households: int | None
    name: str | None
    region_code: str | None
    geometry: dict[str, Any] | None


class MisfitPage(Page[MisfitOut]):
    """Part of the places where the drawn grids did not fit."""


class SearchQuery(Model):
    """What to look for, and in which plan."""

    text: str = Field(min_length=1, max_length=100)
    plan: int | None = Field(default=None, ge=1, le=2**62)
    limit: int = Field(default=12, ge=1, le=50)


class HitOut(Model):
    """Something found; ``bbox`` west, south, east, north in degrees."""

    kind: str
    id: int
    label: str
    detail: str | None
    region_name: str | None
    bbox: Box | None


class HitsOut(Model):
    """What was found, best first."""

    items: list[HitOut]


@endpoint("/plans", tag="plans", response=PlansOut)
def list_plans() -> PlansOut:
    """The plans you may see any part of."""
    return PlansOut.model_validate({"items": plans.list_plans(current_actor())}, from_attributes=True)


@endpoint("/plans/<int:plan_id>", tag="plans", response=PlanOut)
def get_plan(plan_id: int) -> PlanOut:
    """One plan."""
    return PlanOut.model_validate(plans.get(current_actor(), plan_id), from_attributes=True)


@endpoint("/plans/<int:plan_id>/grids", tag="plans", query=GridQuery, response=GridPage)
def list_grids(plan_id: int, query: GridQuery) -> GridPage:
    """Grids of a plan."""
    page = plans.grids(
        current_actor(),
        plan_id,
        region=query.region,
        statuses=query.status,
        rule=query.rule,
        text=query.text,
        order=query.order,
        limit=query.limit,
        offset=query.offset,
    )
    return GridPage.of(page.rows, page.total, query)


@endpoint("/plans/<int:plan_id>/grids/<int:grid_id>", tag="plans", response=GridDetailOut)
def get_grid(plan_id: int, grid_id: int) -> GridDetailOut:
    """One grid with the findings about it and their places."""
    actor = current_actor()
    grid = plans.grid(actor, plan_id, grid_id)
    found = checks.results(actor, plan_id, grid_id=grid_id, limit=200).rows
    results = []
    for row in found:
        place = checks.fault_geometry(actor, plan_id, row.id) if row.bbox else None
        results.append(_finding(row, place))
    values = GridOut.model_validate(grid, from_attributes=True).model_dump()
    return GridDetailOut(**values, results=results)


@endpoint("/plans/<int:plan_id>/findings", tag="plans", query=FindingQuery, response=FindingPage)
def list_findings(plan_id: int, query: FindingQuery) -> FindingPage:
    """What the last check of a plan found, gravest first."""
    page = checks.results(
        current_actor(),
        plan_id,
        rule=query.rule,
        severity=query.severity,
        region=query.region,
        grid_id=query.grid,
        unavoidable=query.unavoidable,
        limit=query.limit,
        offset=query.offset,
    )
    return FindingPage.of([_finding(row) for row in page.rows], page.total, query)


@endpoint("/plans/<int:plan_id>/findings/<int:finding_id>/place", tag="plans", response=PlaceOut)
def finding_place(plan_id: int, finding_id: int) -> PlaceOut:
    """Where a finding is."""
    return PlaceOut(geometry=checks.fault_geometry(current_actor(), plan_id, finding_id))


@endpoint("/plans/<int:plan_id>/misfits", tag="plans", query=MisfitQuery, response=MisfitPage)
def list_misfits(plan_id: int, query: MisfitQuery) -> MisfitPage:
    """Where the grids that a plan was made from did not fit the units."""
    found = plans.misfits(current_actor(), plan_id, kind=query.kind, limit=query.limit, offset=query.offset)
    return MisfitPage.of([_misfit(row) for row in found["rows"]], found["total"], query)


@endpoint("/search", tag="maps", query=SearchQuery, response=HitsOut)
def find(query: SearchQuery) -> HitsOut:
    """Grids, communities, compounds and buildings by name, code or address."""
    found = search.find(current_actor(), query.text, plan_id=query.plan, limit=query.limit)
    return HitsOut.model_validate({"items": found}, from_attributes=True)


def _misfit(row: Mapping[str, Any]) -> MisfitOut:
    told = {"name": row["params"].get("name"), "region_code": row["params"].get("region_code")}
    known = {name: row[name] for name in MisfitOut.model_fields if name in row}
    return MisfitOut(**known, **told, geometry=row["geojson"])


def _finding(row: checks.ResultRow, geometry: dict[str, Any] | None = None) -> FindingOut:
    values = {
        name: getattr(row, name) for name in FindingOut.model_fields if name not in ("sentence", "hint", "geometry")
    }
    return FindingOut(**values, sentence=in_language(row, "sentence"), hint=in_language(row, "hint"), geometry=geometry)
