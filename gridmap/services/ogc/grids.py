"""Grids in force, as features and as vector tiles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service, transaction
from gridmap.db.reader import read
from gridmap.errors import Invalid, NotFound
from gridmap.services import tiles
from gridmap.services.actor import Actor, Role
from gridmap.services.ogc.pages import Bounds, FeaturePage, Part, box, cut, planned
from gridmap.services.plans.access import subtree
from gridmap.services.plans.force import Span, in_force
from gridmap.services.tiles.square import MAX_ZOOM, square
from gridmap.services.tiles.state import state_of
from gridmap.sql import plain, query

#: What grids may be chosen by, besides place and time.
FILTERS = ("region", "status", "kind", "code", "plan")


@service
def grids(
    session: Session,
    actor: Actor,
    *,
    part: Part | None = None,
    span: Span | None = None,
    bounds: Bounds | None = None,
    filters: Mapping[str, str | int] | None = None,
) -> FeaturePage:
    """Grids of the plans in force (today, or some day of ``span``) in order of id; ``filters`` as :data:`FILTERS`."""
    actor.require(Role.VIEWER)
    return _page(session, actor, part or Part(), span, bounds, filters or {})


@service
def grid(session: Session, actor: Actor, grid_id: int) -> str:
    """A grid of a plan that is, was or will be in force, as a GeoJSON feature. Raises ``NotFound`` OGC_NO_FEATURE."""
    actor.require(Role.VIEWER)
    for kind in (None, "micro"):
        chosen: dict[str, str | int] = {"id": grid_id, **({"kind": kind} if kind else {})}
        found = _page(session, actor, Part(1), Span(None, None), None, chosen)
        if found.features:
            return found.features[0]
    raise NotFound("OGC_NO_FEATURE", feature=str(grid_id))


def _page(
    session: Session,
    actor: Actor,
    part: Part,
    span: Span | None,
    bounds: Bounds | None,
    filters: Mapping[str, str | int],
) -> FeaturePage:
    planned(session)
    region = filters.get("region")
    values = {
        **dict.fromkeys(("id", *FILTERS)),
        **filters,
        **box(bounds),
        "region": None if region is None else subtree(str(region)),
        "plans": [plan.id for plan in in_force(session, actor, span)],
        "patterns": actor.patterns(Role.VIEWER),
    }
    ids = np.sort(bulk.packed_ints(session, query("ogc", "grid_ids"), values, 1)[:, 0])
    chosen, before, after = cut(ids, part, int)
    rows = session.scalars(query("ogc", "grids"), {"ids": ids[chosen].tolist()})
    return FeaturePage(tuple(rows), len(ids), before, after)


def tile(actor: Actor, z: int, x: int, y: int, *, span: Span | None = None) -> bytes:
    """The grids in force as a Mapbox Vector Tile. Raises ``Invalid`` TILE_OUT_OF_RANGE.

    Not ``@service``: where one plan is in force it is the tile of that plan, kept as all of them.
    """
    actor.require(Role.VIEWER)
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise Invalid("TILE_OUT_OF_RANGE", z=z, x=x, y=y)
    with transaction() as session:
        plans = [plan.id for plan in in_force(session, actor, span)]
    if not plans:
        return b""
    if len(plans) == 1:
        return tiles.tile(actor, "grids", plans[0], state_of("grids", plans[0]).version, z, x, y).content
    values = {"plans": plans, "patterns": actor.patterns(Role.VIEWER), **square(z, x, y)}
    [(made,)] = read(plain("ogc", "tile"), values)
    return bytes(made)
