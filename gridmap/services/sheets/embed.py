"""What a map that stands alone carries in itself: grids or regions, ground, heat as an image, words that explain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import Invalid, TooLarge
from gridmap.services import audit, heat, mapdata, plans, regions
from gridmap.services.actor import Actor
from gridmap.services.cases import CaseFilter
from gridmap.services.mapdata import Bounds
from gridmap.services.plans.access import shown
from gridmap.services.sheets.town import view_keys
from gridmap.services.sheets.view import DEFAULT_BANDWIDTH_M, local, region_name, span
from gridmap.services.sight import require_exact
from gridmap.sql import query

Features = Mapping[str, Any]
#: Detail that is kept: this share of the map's longer side, and so many digits of a degree (a decimetre).
_DETAIL, _DIGITS = 1 / 6000, 6
_COMMUNITIES, _LINES = 400, 4000
_HEAT_PX = 1024


@dataclass(frozen=True, slots=True)
class MapView:
    """What a map shows: grids of a plan (None: the one to show) filtered, and heat of cases (None: none)."""

    plan_id: int | None = None
    region: str | None = None
    statuses: tuple[str, ...] = ()
    rule: str | None = None
    heat: CaseFilter | None = None
    bandwidth_m: float = DEFAULT_BANDWIDTH_M
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """All of it in one language. ``areas`` are grids, or (``gridded`` False) regions where there are too many grids.

    ``heat`` is a PNG over ``around``, a little more than the first view; ``statuses`` counts the grids drawn;
    ``filters`` pairs of label and words.
    """

    place: str
    bounds: Bounds
    around: Bounds
    areas: Features
    gridded: bool
    statuses: Mapping[str, int]
    water: Features
    roads: Features
    borders: Features
    heat: bytes | None
    cases: int
    filters: tuple[tuple[str, str], ...]
    source: str
    made_at: str
    locale: str

    def word(self, name: str, **params: object) -> str:
        """A fixed phrase (``SHEET_...`` in the messages)."""
        return messages.sentence(f"SHEET_{name}", self.locale, **params)


@service
def embedded(session: Session, actor: Actor, asked: MapView, *, locale: str | None = None) -> Embedded:
    """Everything that a map of a view needs. Raises ``NotFound``, ``Forbidden`` for heat that is not the reader's."""
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    if asked.heat is not None:
        require_exact(actor, asked.heat.region)
    scene = mapdata.scene.within(session, actor, asked.region)
    name = region_name(session, actor, asked.region)
    bounds = asked.bounds or scene.bounds
    if bounds is None:
        raise Invalid("SHEET_NOTHING")
    plan_id = shown(session, actor, asked.region) if asked.plan_id is None else asked.plan_id
    plan = None if plan_id is None else plans.get.within(session, actor, plan_id)
    areas, gridded = _areas(session, actor, asked, plan_id, bounds)
    comma = ", " if language == "en" else "、"
    filters = [(_say("REGION", language), name or _say("EVERYWHERE", language))]
    if plan is not None:
        filters.append((_say("PLAN", language), f"{plan.name} v{plan.version}"))
    if asked.statuses:
        words = (messages.sentence(f"REPORT_STATUS_{one.upper()}", language) for one in asked.statuses)
        filters.append((_say("STATUSES", language), comma.join(words)))
    if asked.rule:
        filters.append((_say("RULE", language), asked.rule))
    around = _wider(bounds)
    image = _heat(session, actor, asked, around)
    if asked.heat is not None:
        kinds = comma.join(asked.heat.categories) or _say("ALL", language)
        filters += [
            (_say("TIME", language), span(asked.heat, language)),
            (_say("CATEGORIES", language), kinds),
            (_say("BANDWIDTH", language), f"{asked.bandwidth_m:,.0f} m"),
        ]
    audit.record(session, actor, "map.export", "plan", plan_id, region_code=asked.region, filters=dict(filters))
    at, by = local(datetime.now(tz=ZoneInfo("UTC"))), actor.name or actor.login
    statuses = [one["properties"].get("status") for one in areas["features"]]
    return Embedded(
        place=name or _say("EVERYWHERE", language),
        bounds=bounds,
        around=around,
        areas=areas,
        gridded=gridded,
        statuses={status: statuses.count(status) for status in dict.fromkeys(statuses) if status},
        water=_lines(session, around, "map_water"),
        roads=_lines(session, around, "map_roads"),
        borders=_borders(session, actor, bounds, asked.region),
        heat=None if image is None else image.png,
        cases=0 if image is None else image.cases,
        filters=tuple(filters),
        source=_say("SOURCE", language, at=at, by=by),
        made_at=at,
        locale=language,
    )


def _say(name: str, locale: str, **params: object) -> str:
    return messages.sentence(f"SHEET_{name}", locale, **params)


def _areas(session: Session, actor: Actor, view: MapView, plan_id: int | None, bounds: Bounds) -> tuple[Features, bool]:
    """The grids, else the regions below the one asked for."""
    if plan_id is not None:
        chosen = {"region": view.region, "statuses": view.statuses or None, "rule": view.rule, "bounds": view.bounds}
        try:
            text = mapdata.grid_features.within(session, actor, plan_id, **chosen)  # type: ignore[arg-type]
            return simplified(json.loads(text), bounds), True
        except TooLarge:
            pass
    level = {None: "county", "county": "subdistrict", "subdistrict": "community"}.get(_level(session, actor, view))
    found = regions.outlines.within(session, actor, level=level or "community", within=view.region)
    sums = {one.code: one for one in regions.tree.within(session, actor, plan_id=plan_id)}
    for one in found["features"]:
        known = sums.get(one["id"])
        one["properties"] |= {"households": known.households if known else 0, "grids": known.grids if known else 0}
    return simplified(found, bounds), False


def _level(session: Session, actor: Actor, view: MapView) -> str | None:
    if view.region is None:
        return None
    return regions.breadcrumb.within(session, actor, view.region)[-1].level


def _heat(session: Session, actor: Actor, view: MapView, bounds: Bounds) -> heat.HeatImage | None:
    wanted = view.heat
    if wanted is None:
        return None
    return heat.image.within(
        session,
        actor,
        bounds,
        (_HEAT_PX, _HEAT_PX),
        bandwidth_m=view.bandwidth_m,
        since=wanted.start,
        until=wanted.end,
        categories=wanted.categories or None,
        region=wanted.region,
    )


def _wider(bounds: Bounds) -> Bounds:
    """A tenth more on every side: the window is seldom as wide as the region, and heat ends in no straight line."""
    west, south, east, north = bounds
    across, up = (east - west) / 10, (north - south) / 10
    return (max(west - across, -180.0), max(south - up, -85.0), min(east + across, 180.0), min(north + up, 85.0))


def _lines(session: Session, bounds: Bounds, name: str) -> Features:
    """Water or main roads in view."""
    west, south, east, north = bounds
    box = {"west": west, "south": south, "east": east, "north": north}
    shapes = bulk.shapes(bulk.columns(session, query("exports", name), box)["geom"])[:_LINES]
    drawn = shapely.clip_by_rect(shapes, west, south, east, north) if len(shapes) else shapes
    return _collection(shapely.simplify(drawn, _tolerance(bounds)), [{}] * len(drawn))


def _borders(session: Session, actor: Actor, bounds: Bounds, region: str | None) -> Features:
    """Borders and names of communities, of subdistricts where there are many."""
    keys = view_keys(actor, bounds, region, _COMMUNITIES + 1)
    table = bulk.columns(session, query("sheets", "regions"), {"level": "community", **keys})
    if len(table["code"]) > _COMMUNITIES:
        table = bulk.columns(session, query("sheets", "regions"), {"level": "subdistrict", **keys})
    shapes = bulk.shapes(table["geom"])
    told = [{"name": name} for name in table["name"]]
    for one, place in zip(told, shapely.point_on_surface(shapes), strict=True):
        one["at"] = [round(place.y, _DIGITS), round(place.x, _DIGITS)]
    return _collection(_together(shapes, bounds), told)


def simplified(collection: Features, bounds: Bounds) -> Features:
    """The same areas with less detail; borders that two of them share stay shared."""
    features = collection["features"]
    if not features:
        return collection
    shapes = np.array([shapely.from_geojson(json.dumps(one["geometry"])) for one in features], dtype=object)
    drawn = _together(shapes, bounds)
    kept = _collection(drawn, [one["properties"] for one in features])
    for one, old in zip(kept["features"], features, strict=True):
        one["id"] = old.get("id")
    return kept


def _together(shapes: Any, bounds: Bounds) -> Any:
    return shapely.coverage_simplify(shapes, _tolerance(bounds)) if len(shapes) else shapes


def _tolerance(bounds: Bounds) -> float:
    return max(bounds[2] - bounds[0], bounds[3] - bounds[1]) * _DETAIL


def _collection(shapes: Any, properties: list[dict[str, Any]]) -> dict[str, Any]:
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, _DIGITS)) if len(shapes) else []
    features = [
        {"type": "Feature", "properties": told, "geometry": json.loads(shapely.to_geojson(shape))}
        for shape, told in zip(rounded, properties, strict=True)
        if not shapely.is_empty(shape)
    ]
    return {"type": "FeatureCollection", "features": features}
