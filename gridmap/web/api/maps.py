"""What maps are drawn from: vector tiles, grids as GeoJSON, case density as an image.

Addresses of tiles carry the data version, so browsers may keep them: a change gives new addresses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from gridmap.errors import Invalid
from gridmap.services import heat, mapdata
from gridmap.services.tiles import tile
from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor
from gridmap.web.tiles import answer


class FeatureQuery(Model):
    """Which grids: ``bbox`` is west,south,east,north in degrees, ``region`` a code or the beginning of codes."""

    bbox: str | None = None
    region: str | None = Field(default=None, pattern=r"^[0-9]{1,15}$")
    status: list[str] | None = None
    rule: str | None = Field(default=None, pattern=r"^R[0-9]{2}$")


class HeatQuery(Model):
    """Which cases, and the image: ``since`` belongs to the span, ``until`` does not; sizes in pixels."""

    bbox: str
    width: Annotated[int, Field(ge=16, le=1024)] = 512
    height: Annotated[int, Field(ge=16, le=1024)] = 512
    bandwidth: Annotated[float, Field(ge=20, le=5000)] = 250.0
    since: datetime | None = None
    until: datetime | None = None
    category: list[str] | None = None
    region: str | None = Field(default=None, pattern=r"^[0-9]{1,15}$")


@endpoint("/tiles/ground/<int:version>/<int:z>/<int:x>/<int:y>.mvt", tag="maps")
def ground_tile(version: int, z: int, x: int, y: int) -> Response:
    """Roads, water, rail, walls and buildings as a vector tile."""
    return _tile("ground", None, version, z, x, y)


@endpoint("/tiles/regions/<int:version>/<int:z>/<int:x>/<int:y>.mvt", tag="maps")
def region_tile(version: int, z: int, x: int, y: int) -> Response:
    """Borders of regions as a vector tile."""
    return _tile("regions", None, version, z, x, y)


@endpoint("/tiles/plans/<int:plan_id>/<int:version>/<int:z>/<int:x>/<int:y>.mvt", tag="maps")
def grid_tile(plan_id: int, version: int, z: int, x: int, y: int) -> Response:
    """The grids of a plan as a vector tile."""
    return _tile("grids", plan_id, version, z, x, y)


@endpoint("/plans/<int:plan_id>/grids.geojson", tag="maps", query=FeatureQuery, errors=[413])
def grid_features(plan_id: int, query: FeatureQuery) -> Response:
    """Grids of a plan as GeoJSON, at most 2,000."""
    bounds = None if query.bbox is None else parse_bbox(query.bbox)
    text = mapdata.grid_features(
        current_actor(), plan_id, bounds=bounds, region=query.region, statuses=query.status, rule=query.rule
    )
    return Response(text, mimetype="application/geo+json")


@endpoint("/heat.png", tag="maps", query=HeatQuery)
def heat_image(query: HeatQuery) -> Response:
    """Density of cases in cases per km2, as a transparent image in Web Mercator; ``X-Cases`` counts those in view."""
    image = heat.image(
        current_actor(),
        parse_bbox(query.bbox),
        (query.width, query.height),
        bandwidth_m=query.bandwidth,
        since=query.since,
        until=query.until,
        categories=query.category,
        region=query.region,
    )
    return Response(image.png, mimetype="image/png", headers={"X-Cases": str(image.cases)})


def parse_bbox(text: str) -> mapdata.Bounds:
    """West, south, east, north in degrees; ``Invalid`` (BBOX_MALFORMED) for anything else."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Invalid("BBOX_MALFORMED", bbox=text[:80]) from error
    if not (-180 <= west < east <= 180 and -85.06 <= south < north <= 85.06):
        raise Invalid("BBOX_MALFORMED", bbox=text[:80])
    return west, south, east, north


def _tile(layer: str, plan_id: int | None, version: int, z: int, x: int, y: int) -> Response:
    actor = current_actor()
    return answer(actor, tile(actor, layer, plan_id, version, z, x, y))
