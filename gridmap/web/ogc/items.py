"""Features: a page of them, or one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from gridmap.errors import NotFound
from gridmap.services import ogc as published
from gridmap.web.ogc import asked
from gridmap.web.ogc.collections import trail
from gridmap.web.ogc.say import (
    CRS84,
    GEOJSON,
    HTML,
    Collection,
    Link,
    known,
    link,
    ogc,
    self_links,
    shown,
    wants_html,
)
from gridmap.web.session import current_actor

_SHOWN = 100


@ogc.get("/collections/<string:collection>/items")
def items_(collection: str) -> Response:
    """A page of features of a collection, as GeoJSON or HTML."""
    one = known(collection)
    asked.only_items(one)
    part, span, bounds = asked.part(one.level is None), asked.span(), asked.bounds()
    if wants_html():
        part = published.Part(min(part.limit, _SHOWN), part.after, part.before)
    actor, filters = current_actor(), asked.filters(one)
    if one.level is None:
        found = published.grids(actor, part=part, span=span, bounds=bounds, filters=filters)
    else:
        region = filters.get("region")
        told = None if region is None else str(region)
        found = published.areas(actor, one.level, part=part, span=span, bounds=bounds, region=told)
    head = {
        "type": "FeatureCollection",
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberMatched": found.matched,
        "numberReturned": len(found.features),
        "links": [*self_links(GEOJSON), *_ways(one, found)],
    }
    if wants_html():
        features = [json.loads(text) for text in found.features]
        return Response(
            shown(head, one.title, features=features, collection=collection, trail=trail(one)), mimetype=HTML
        )
    body = f'{json.dumps(head, ensure_ascii=False)[:-1]}, "features": [{",".join(found.features)}]}}'
    return _geojson(body)


@ogc.get("/collections/<string:collection>/items/<string:feature>")
def item(collection: str, feature: str) -> Response:
    """One feature of a collection."""
    one = known(collection)
    asked.only("f", "datetime", "crs")
    if not (feature.isascii() and feature.isdigit() and len(feature) <= 18):
        raise NotFound("OGC_NO_FEATURE", feature=feature[:80])
    actor = current_actor()
    if one.level is None:
        text = published.grid(actor, int(feature))
    else:
        text = published.area(actor, one.level, feature, span=asked.span())
    document = json.loads(text)
    document["links"] = [
        *self_links(GEOJSON),
        link("collection", "one_collection", title=one.title, collection=collection),
    ]
    if wants_html():
        title = document["properties"]["name"] or document["properties"]["code"]
        return Response(
            shown(document, title, features=[document], collection=collection, trail=trail(one)), mimetype=HTML
        )
    return _geojson(json.dumps(document, ensure_ascii=False))


def _ways(one: Collection, found: published.FeaturePage) -> list[Link]:
    """To the pages before and after, and to the collection."""
    kept: dict[str, Any] = {key: value for key, value in request.args.items() if key not in ("after", "before")}
    kind = HTML if wants_html() else GEOJSON
    links = []
    if found.next is not None:
        links.append(link("next", "items_", kind, collection=one.name, **kept, after=found.next))
    if found.previous is not None:
        links.append(link("prev", "items_", kind, collection=one.name, **kept, before=found.previous))
    return [*links, link("collection", "one_collection", title=one.title, collection=one.name)]


def _geojson(body: str) -> Response:
    response = Response(body, content_type=GEOJSON)
    response.headers["Content-Crs"] = f"<{CRS84}>"
    return response
