"""Case heat: density in cases per km2 with a bandwidth in metres and a fixed legend, as an image for a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.mapdata import Bounds
from gridmap.services.plans.access import subtree
from gridmap.sql import query

BANDWIDTHS_M = (100, 250, 500, 1000)


@dataclass(frozen=True, slots=True)
class HeatImage:
    """A transparent PNG in Web Mercator that fills the asked bounds, and the number of cases inside them."""

    png: bytes
    cases: int


@service
def image(
    session: Session,
    actor: Actor,
    bounds: Bounds,
    size: tuple[int, int],
    *,
    bandwidth_m: float = 250.0,
    since: datetime | None = None,
    until: datetime | None = None,
    categories: Sequence[str] | None = None,
    region: str | None = None,
) -> HeatImage:
    """Density of the cases in ``bounds`` (west, south, east, north in degrees), ``size`` columns and rows.

    ``since`` belongs to the span, ``until`` does not; naive times are refused. ``Invalid`` (HEAT_RANGE) for a span or a
    bandwidth that makes no sense.
    """
    from geodata.density import density_grid, map_metres, png

    actor.require(Role.VIEWER)
    spans = [moment for moment in (since, until) if moment is not None]
    naive = any(moment.tzinfo is None for moment in spans)
    if naive or (len(spans) == 2 and spans[0] >= spans[1]) or not 20 <= bandwidth_m <= 5000:
        raise Invalid("HEAT_RANGE")
    west, south, east, north = bounds
    latitude = (south + north) / 2
    margin_lat = bandwidth_m / 110_000
    margin_lon = margin_lat / max(np.cos(np.radians(min(abs(latitude) + 1, 89))), 0.01)
    points = bulk.packed(
        session,
        query("maps", "case_points"),
        {
            "west": west - margin_lon,
            "south": south - margin_lat,
            "east": east + margin_lon,
            "north": north + margin_lat,
            "patterns": actor.patterns(Role.VIEWER),
            "region": subtree(region),
            "since": since,
            "until": until,
            "categories": list(categories) if categories else None,
        },
        width=2,
    )
    (xmin, ymin), (xmax, ymax) = map_metres([(west, south), (east, north)], latitude)
    cell_m = max((xmax - xmin) / size[0], (ymax - ymin) / size[1])
    surface = density_grid(map_metres(points, latitude), bandwidth_m, cell_m, (xmin, ymin, xmax, ymax))
    inside = (points[:, 0] >= west) & (points[:, 0] < east) & (points[:, 1] >= south) & (points[:, 1] < north)
    return HeatImage(png(surface), int(inside.sum()))
