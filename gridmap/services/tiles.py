"""Vector tiles (Mapbox Vector Tile 2.1) of ground, regions and a plan's grids, cut to what the actor may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services import plans
from gridmap.services.actor import Actor, Role
from gridmap.sql import query

MAX_ZOOM = 22


@service
def ground(session: Session, actor: Actor, z: int, x: int, y: int) -> bytes:
    """Roads, water, rail, walls, and from zoom 14 the buildings."""
    return _tile(session, actor, "ground", z, x, y)


@service
def regions(session: Session, actor: Actor, z: int, x: int, y: int) -> bytes:
    """Borders of counties, subdistricts and (from zoom 11) communities."""
    return _tile(session, actor, "regions", z, x, y)


@service
def grids(session: Session, actor: Actor, plan_id: int, z: int, x: int, y: int) -> bytes:
    """The grids of a plan with status and counts; ``NotFound`` for a plan outside the actor's regions."""
    plans.visible(session, actor, plan_id)
    return _tile(session, actor, "grids", z, x, y, plan_id=plan_id)


def _tile(session: Session, actor: Actor, name: str, z: int, x: int, y: int, **params: Any) -> bytes:
    actor.require(Role.VIEWER)
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise Invalid("TILE_OUT_OF_RANGE", z=z, x=x, y=y)
    patterns = actor.patterns(Role.VIEWER)
    tile = session.execute(query("maps", name), {"z": z, "x": x, "y": y, "patterns": patterns, **params}).scalar_one()
    return bytes(tile)
