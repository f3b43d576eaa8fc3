"""What the map fetches: grids as GeoJSON, and the bounds of what there is to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Region
from gridmap.errors import TooLarge
from gridmap.services import plans
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree
from gridmap.services.plans.small import veils
from gridmap.services.versions import versions
from gridmap.sql import query

#: More polygons than this are drawn from tiles, never sent at once.
MAX_FEATURES = 2000

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a map opens: bounds (west, south, east, north in degrees; None without regions), and the data versions."""

    bounds: Bounds | None
    versions: dict[str, int]


@service
def scene(session: Session, actor: Actor, region: str | None = None) -> Scene:
    """The bounds of a region, or of all that the reader may see."""
    actor.require(Role.VIEWER)
    box = sa.func.ST_Extent(Region.geom)
    sides = (sa.func.ST_XMin(box), sa.func.ST_YMin(box), sa.func.ST_XMax(box), sa.func.ST_YMax(box))
    statement = sa.select(*sides).where(actor.visible(Region.code))
    if region:
        statement = statement.where(Region.code == region)
    west, south, east, north = session.execute(statement).one()
    bounds = None if west is None else (float(west), float(south), float(east), float(north))
    return Scene(bounds, versions(session))


@service
def grid_features(
    session: Session,
    actor: Actor,
    plan_id: int,
    *,
    bounds: Bounds | None = None,
    region: str | None = None,
    statuses: Sequence[str] | None = None,
    rule: str | None = None,
) -> str:
    """Grids of a plan as a GeoJSON FeatureCollection (text; lon/lat, EPSG:4490), with a point for the label.

    ``region`` is a code or a prefix. ``TooLarge`` (TOO_MANY_GRIDS) beyond :data:`MAX_FEATURES`.
    """
    _, home = plans.visible(session, actor, plan_id)
    west, south, east, north = bounds or (None, None, None, None)
    row = session.execute(
        query("maps", "grid_features"),
        {
            "plan_id": plan_id,
            "patterns": actor.patterns(Role.VIEWER),
            "region": subtree(region),
            "statuses": list(statuses) if statuses else None,
            "rule": rule,
            "max": MAX_FEATURES,
            "veiled": veils(actor, home.prefix),
            **{"west": west, "south": south, "east": east, "north": north},
        },
    ).one()
    if row.collection is None:
        raise TooLarge("TOO_MANY_GRIDS", max=MAX_FEATURES)
    return str(row.collection)
