"""Collections, and what each may be filtered by."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_babel import gettext

from gridmap.services import ogc as published
from gridmap.web.ogc.asked import KINDS, STATUSES, known_filters, only
from gridmap.web.ogc.say import (
    COLLECTIONS,
    CRS84,
    GEOJSON,
    HTML,
    SCHEMA,
    Collection,
    Link,
    known,
    link,
    ogc,
    self_links,
    spoken,
)
from gridmap.web.session import current_actor

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"


@ogc.get("/collections")
def collections_() -> Response:
    """The collections of the OGC API."""
    only("f")
    extent = published.extent(current_actor())
    told = [_told(one, extent, _links(one)) for one in COLLECTIONS.values()]
    return spoken({"links": self_links(), "collections": told}, gettext("集合"))


@ogc.get("/collections/<string:collection>")
def one_collection(collection: str) -> Response:
    """One collection of the OGC API."""
    only("f")
    one = known(collection)
    links = [*self_links(), *_links(one)]
    document = _told(one, published.extent(current_actor()), links)
    return spoken(document, one.title, trail=trail())


@ogc.get("/collections/<string:collection>/queryables")
def queryables(collection: str) -> Response:
    """What the features of a collection may be filtered by, as JSON Schema."""
    only("f")
    one = known(collection)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": link("self", "queryables", collection=collection)["href"],
        "type": "object",
        "title": str(one.title),
        "properties": {key: _schema(key) for key in known_filters(one)},
        "additionalProperties": False,
    }
    return spoken(document, gettext("可用的筛选"), SCHEMA, trail=trail(one))


def trail(*through: Collection) -> list[tuple[str, str]]:
    """The way from the landing page to below a collection."""
    steps = [(gettext("集合"), link("up", "collections_", f="html")["href"])]
    return steps + [
        (str(one.title), link("up", "one_collection", collection=one.name, f="html")["href"]) for one in through
    ]


def _schema(name: str) -> dict[str, Any]:
    told: dict[str, dict[str, Any]] = {
        "region": {
            "title": gettext("区划代码"),
            "description": gettext("6、9 或 12 位区划代码；含其下级。"),
            "type": "string",
            "pattern": "^[0-9]{6,12}$",
        },
        "status": {"title": gettext("达标情况"), "type": "string", "enum": list(STATUSES)},
        "kind": {"title": gettext("网格类型"), "type": "string", "enum": list(KINDS)},
        "code": {"title": gettext("网格编码"), "type": "string"},
        "plan": {"title": gettext("方案编号"), "type": "integer"},
    }
    return told[name]


def _links(one: Collection) -> list[Link]:
    links = [
        link("items", "items_", GEOJSON, "GeoJSON", collection=one.name),
        link("items", "items_", HTML, "HTML", collection=one.name, f="html"),
        link(QUERYABLES, "queryables", SCHEMA, gettext("可用的筛选"), collection=one.name),
    ]
    if one.level is None:
        links.append(link(TILESETS, "tile_sets", title=gettext("矢量切片"), collection=one.name))
    return links


def _told(one: Collection, extent: published.Extent, links: list[Link]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": one.name,
        "title": str(one.title),
        "description": str(one.description),
        "itemType": "feature",
        "crs": [CRS84],
        "links": links,
    }
    where: dict[str, Any] = {}
    if extent.bounds is not None:
        where["spatial"] = {"bbox": [list(extent.bounds)], "crs": CRS84}
    if extent.since is not None:
        where["temporal"] = {
            "interval": [[f"{extent.since.isoformat()}T00:00:00Z", None]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    return told | ({"extent": where} if where else {})
