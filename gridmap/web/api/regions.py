"""Regions: the tree, what lives in each, and their borders."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from gridmap.services import regions
from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor

Level = Literal["county", "subdistrict", "community"]
PlanId = Field(default=None, ge=1, le=2**62)


class RegionQuery(Model):
    """The plan whose grids are counted; the one shown where none is named."""

    plan: int | None = PlanId


class RegionOut(Model):
    """A region and the sums of its communities; ``bbox`` west, south, east, north in degrees."""

    code: str
    name: str
    level: Level
    settlement: Literal["urban", "rural"] | None
    urban_rural_code: str | None
    parent_code: str | None
    area_m2: float
    source: str | None
    data_date: date | None
    bbox: tuple[float, float, float, float]
    communities: int
    units: int
    households: int | None
    population: int | None
    buildings: int
    estimated_households: int | None
    estimated_share: float
    missing_households: int
    oldest_data: date | None
    grids: int
    statuses: dict[str, int]


class RegionsOut(Model):
    """Regions in order of code: a parent stands before its children."""

    items: list[RegionOut]


class OutlineQuery(Model):
    """Which borders: of a ``level``, ``within`` a region's code or prefix."""

    level: Level | None = None
    within: str | None = Field(default=None, pattern=r"^[0-9]{1,15}$")


class OutlinesOut(Model):
    """A GeoJSON FeatureCollection in EPSG:4490 (lon, lat)."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


@endpoint("/regions", tag="regions", query=RegionQuery, response=RegionsOut)
def list_regions(query: RegionQuery) -> RegionsOut:
    """The regions you may see."""
    found = regions.tree(current_actor(), plan_id=query.plan)
    return RegionsOut(items=[_region(one) for one in found])


@endpoint("/regions/<string:code>", tag="regions", query=RegionQuery, response=RegionOut)
def get_region(code: str, query: RegionQuery) -> RegionOut:
    """One region."""
    return _region(regions.get(current_actor(), code, plan_id=query.plan))


@endpoint("/regions.geojson", tag="regions", query=OutlineQuery, response=OutlinesOut)
def region_outlines(query: OutlineQuery) -> OutlinesOut:
    """Borders of regions with code, name, level and settlement."""
    return OutlinesOut.model_validate(regions.outlines(current_actor(), level=query.level, within=query.within))


def _region(one: regions.RegionInfo) -> RegionOut:
    return RegionOut.model_validate({name: getattr(one, name) for name in RegionOut.model_fields})
