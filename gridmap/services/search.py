"""One search for everything on the map: communities, grids, compounds, addresses."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import shown, visible
from gridmap.services.plans.read import escaped
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. ``kind``: region, grid, compound or building; ``id`` its number there.

    ``bbox`` is west, south, east, north in degrees (a point twice for a building), None where it has no place.
    """

    kind: str
    id: int
    label: str
    detail: str | None
    region_code: str | None
    region_name: str | None
    plan_id: int | None
    bbox: tuple[float, float, float, float] | None


@service
def find(session: Session, actor: Actor, text: str, *, plan_id: int | None = None, limit: int = 20) -> tuple[Hit, ...]:
    """What is called ``text``, or holds it in its name, code or address: exact matches first, then beginnings.

    Grids are those of ``plan_id``, else of the plan shown. At most ``limit`` hits, all where the actor may look.
    """
    actor.require(Role.VIEWER)
    wanted = " ".join(text.split())
    if not wanted:
        return ()
    if plan_id is None:
        plan_id = shown(session, actor)
    else:
        visible(session, actor, plan_id)
    values = {"text": wanted, "like": f"%{escaped(wanted)}%", "start": f"{escaped(wanted)}%", "limit": limit}
    values |= {"plan": plan_id, "prefixes": list(actor.prefixes(Role.VIEWER))}
    found = []
    for row in session.execute(query("search", "find"), values).mappings():
        hit = dict(row)
        box = hit.pop("west"), hit.pop("south"), hit.pop("east"), hit.pop("north")
        found.append(Hit(**hit, bbox=None if box[0] is None else box))
    return tuple(found)
