"""The ground of a view on paper: water, roads, borders of grids and communities, names, and case heat among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.services import heat
from gridmap.services.actor import Actor, Role
from gridmap.services.mapdata import MAX_FEATURES, Bounds
from gridmap.services.plans.access import subtree
from gridmap.services.sheets.drawing import Drawing, Picture, Shapes, Words
from gridmap.services.sheets.fonts import length
from gridmap.services.sheets.frame import Frame
from gridmap.sql import query

if TYPE_CHECKING:
    from gridmap.services.cases import CaseFilter

GROUND, WATER, ROAD, GRID, BORDER = "#fbfbf8", "#bcd9ea", "#b9ab94", "#7b8794", "#43376b"
HEAT_OPACITY = 0.85
_HEAT_PX_MM, _HEAT_PX = 5, 1024
_SIMPLIFY_MM = 0.08
#: More communities than this in view are not drawn one by one: their subdistricts are.
_COMMUNITIES = 400
#: In a view narrower than this every street is drawn.
_STREETS_M, _STREETS = 6000.0, 5000
_NAMES = 120


def draw_heat(
    session: Session,
    actor: Actor,
    drawing: Drawing,
    frame: Frame,
    wanted: CaseFilter,
    bandwidth_m: float,
    *,
    most_px: int = _HEAT_PX,
) -> int:
    """Lay the density of the cases that are ``wanted`` over the frame; how many of them lie in it."""
    size = tuple(min(most_px, max(32, round(side * _HEAT_PX_MM))) for side in (frame.width, frame.height))
    image = heat.image.within(
        session,
        actor,
        frame.bounds,
        (size[0], size[1]),
        bandwidth_m=bandwidth_m,
        since=wanted.start,
        until=wanted.end,
        categories=wanted.categories or None,
        region=wanted.region,
    )
    drawing.add(Picture(image.png, frame.x, frame.y, frame.width, frame.height, HEAT_OPACITY))
    return image.cases


def draw_ground(session: Session, drawing: Drawing, frame: Frame) -> None:
    """Water and roads; they belong to everybody's map."""
    west, south, east, north = frame.bounds
    box: dict[str, Any] = {"west": west, "south": south, "east": east, "north": north}
    drawing.box(frame.x, frame.y, frame.width, frame.height, fill=GROUND)
    water = bulk.columns(session, query("exports", "map_water"), box)["geom"]
    if frame.width / frame.mm_per_m < _STREETS_M:
        roads = bulk.columns(session, query("sheets", "streets"), box | {"most": _STREETS})["geom"]
    else:
        roads = bulk.columns(session, query("exports", "map_roads"), box)["geom"]
    drawing.add(Shapes(_placed(frame, water), fill=WATER))
    drawing.add(Shapes(_placed(frame, roads), stroke=ROAD, line=0.3))


def draw_grids(
    session: Session,
    actor: Actor,
    drawing: Drawing,
    frame: Frame,
    plan_id: int,
    region: str | None,
    *,
    filled: bool = False,
) -> bool:
    """Borders of the grids in view (``filled``: their status too); False where there are too many to draw."""
    table = bulk.columns(
        session, query("sheets", "grids"), {"plan": plan_id, **view_keys(actor, frame.bounds, region, MAX_FEATURES + 1)}
    )
    if len(table["id"]) > MAX_FEATURES:
        return False
    shapes = bulk.shapes(table["geom"])
    if filled:
        for status in dict.fromkeys(table["status"]):
            drawing.add(Shapes(_placed(frame, shapes[table["status"] == status]), status=str(status)))
    drawing.add(Shapes(_placed(frame, shapes), stroke=GRID, line=0.15))
    return True


def draw_regions(
    session: Session, actor: Actor, drawing: Drawing, frame: Frame, region: str | None, *, names: bool = True
) -> None:
    """Borders and names of communities; of subdistricts where there are too many of them."""
    keys = view_keys(actor, frame.bounds, region, _COMMUNITIES + 1)
    table = bulk.columns(session, query("sheets", "regions"), {"level": "community", **keys})
    if len(table["code"]) > _COMMUNITIES:
        table = bulk.columns(session, query("sheets", "regions"), {"level": "subdistrict", **keys})
    drawn = _placed(frame, bulk.shapes(table["geom"]))
    drawing.add(Shapes(drawn, stroke=BORDER, line=0.45, dash=(2.0, 0.9)))
    if names:
        drawing.add(*_names(drawn, [str(name) for name in table["name"]]))


def view_keys(actor: Actor, bounds: Bounds, region: str | None, most: int) -> dict[str, Any]:
    """What the queries of ``sheets.sql`` ask for: a view of what the reader may see, at most so many."""
    west, south, east, north = bounds
    box = {"west": west, "south": south, "east": east, "north": north}
    return {**box, "prefixes": list(actor.prefixes(Role.VIEWER)), "region": subtree(region), "most": most}


def _placed(frame: Frame, geometry: Any) -> Any:
    shapes = bulk.shapes(geometry) if len(geometry) and isinstance(geometry[0], bytes) else geometry
    if not len(shapes):
        return []
    drawn = shapely.simplify(frame.paper(shapes), _SIMPLIFY_MM)
    return drawn


def _names(shapes: Any, names: Sequence[str], size: float = 2.9) -> list[Words]:
    """Each name in the middle of its shape, where it has room and covers no other; the largest shapes first."""
    found: list[Words] = []
    taken: list[tuple[float, float, float, float]] = []
    for k in np.argsort(-shapely.area(shapes)).tolist():
        if shapely.is_empty(shapes[k]) or len(found) == _NAMES:
            continue
        place = shapely.point_on_surface(shapes[k])
        wide = length(names[k], size) / 2 + 0.6
        box = (place.x - wide, place.y - size, place.x + wide, place.y + size * 0.4)
        west, _, east, _ = shapes[k].bounds
        clash = any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)
        if clash or east - west < wide:
            continue
        taken.append(box)
        found.append(Words(place.x, place.y, names[k], size=size, anchor="middle", colour=BORDER, halo=True))
    return found
