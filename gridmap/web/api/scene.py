"""What a map outside the application needs to begin: where it opens, and the addresses that its layers take."""

from __future__ import annotations

from flask import current_app, url_for

from gridmap.errors import Invalid
from gridmap.services import mapdata, plans
from gridmap.web.api import Model, endpoint
from gridmap.web.pages.town_map import backdrop, grid_addresses
from gridmap.web.session import current_actor


class ScenePlan(Model):
    """A plan, its grids as GeoJSON (at most 2,000 at once) and as vector tiles of its present version."""

    id: int
    name: str
    state: str
    grids: str
    tiles: str


class SceneOut(Model):
    """Paths on this server. ``bounds``: west, south, east, north in degrees; the plan in force comes first.

    ``heat`` and ``timeline`` are null for whoever does not see exact figures.
    """

    static: str
    bounds: tuple[float, float, float, float]
    ground: str
    regions: str
    heat: str | None
    timeline: str | None
    plans: list[ScenePlan]


@endpoint("/scene", tag="maps", response=SceneOut)
def scene() -> SceneOut:
    """What maps in notebooks begin with."""
    actor = current_actor()
    found = mapdata.scene(actor)
    if found.bounds is None:
        raise Invalid("SHEET_NOTHING")
    exact = actor.sees_small()
    shown = plans.to_show(actor)
    live = (one for one in plans.names(actor) if one.state != "archived")
    known = sorted(live, key=lambda one: one.id != shown)
    listed = []
    for one in known:
        grids, tiles = grid_addresses(found, one)
        listed.append(ScenePlan(id=one.id, name=one.name, state=one.state, grids=grids, tiles=tiles))
    return SceneOut(
        static=current_app.static_url_path or "/static",
        bounds=found.bounds,
        **backdrop(found),
        heat=url_for("api.heat_image") if exact else None,
        timeline=url_for("api.case_timeline") if exact else None,
        plans=listed,
    )
