"""How this API speaks: links with whole addresses, JSON or a small page, the collections there are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from gridmap.errors import NotFound
from gridmap.services.ogc import LEVELS

ogc = Blueprint("ogc", __name__, url_prefix="/ogc")

JSON, GEOJSON, HTML = "application/json", "application/geo+json", "text/html"
MVT = "application/vnd.mapbox-vector-tile"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
MATRIX_SET = "WebMercatorQuad"

Link = dict[str, str]


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection; ``level`` of regions, None for grids. Titles are in the reader's language when spoken."""

    name: str
    level: str | None
    title: Any
    description: Any


_COUNTED = lazy_gettext(
    "区划边界与生效方案的覆盖统计：网格数、达标情况、未覆盖、超 2000 人网格人口、估算占比、数据日期。"
)
COLLECTIONS: Mapping[str, Collection] = {
    one.name: one
    for one in (
        Collection(
            "grids",
            None,
            lazy_gettext("生效的网格"),
            lazy_gettext("今天生效的网格；用 datetime 查看任何一天。微网格只在 kind=micro 时给出。"),
        ),
        Collection("coverage-county", "county", lazy_gettext("区县覆盖"), _COUNTED),
        Collection("coverage-subdistrict", "subdistrict", lazy_gettext("街道（乡镇）覆盖"), _COUNTED),
        Collection("coverage-community", "community", lazy_gettext("社区（村）覆盖"), _COUNTED),
    )
}
assert {one.level for one in COLLECTIONS.values() if one.level} == set(LEVELS)


def known(name: str) -> Collection:
    """The collection of that name. Raises ``NotFound`` OGC_NO_COLLECTION."""
    if name not in COLLECTIONS:
        raise NotFound("OGC_NO_COLLECTION", collection=name[:80])
    return COLLECTIONS[name]


def link(rel: str, endpoint: str, kind: str = JSON, title: Any = "", **values: Any) -> Link:
    """A link with its whole address; ``values`` beyond the path become the query."""
    told = {"rel": rel, "type": kind, "href": url_for(f"ogc.{endpoint}", _external=True, **values)}
    return told | ({"title": str(title)} if title else {})


def self_links(kind: str = JSON) -> list[Link]:
    """The answer itself and its twin as a page, or the other way round."""
    values: dict[str, Any] = {**(request.view_args or {}), **request.args.to_dict(flat=False)}
    endpoint = str(request.endpoint).removeprefix("ogc.")
    shown, html = wants_html(), {**values, "f": "html"}
    plain = {**values, "f": "json"}
    return [
        link("self" if not shown else "alternate", endpoint, kind, "JSON", **plain),
        link("self" if shown else "alternate", endpoint, HTML, "HTML", **html),
    ]


def wants_html() -> bool:
    """Whether a person looks: ``f=html``, or a browser, which names HTML before JSON."""
    asked = request.args.get("f")
    if asked is not None:
        return asked == "html"
    accepted = request.accept_mimetypes
    return "text/html" in accepted.values() and accepted["text/html"] > accepted["application/json"]


def spoken(document: Mapping[str, Any], title: Any, kind: str = JSON, **page: Any) -> Response:
    """The document as JSON, or the page made of it; ``page`` are further values of the template."""
    if wants_html():
        return Response(shown(document, title, **page), mimetype=HTML)
    return Response(json.dumps(document, ensure_ascii=False), content_type=kind)


def shown(document: Mapping[str, Any], title: Any, **page: Any) -> str:
    """A small page: description, collections, table of features, links."""
    trail: Sequence[tuple[str, str]] = page.pop("trail", ())
    if request.endpoint != "ogc.index":
        trail = [(gettext("开放接口"), url_for("ogc.index", f="html")), *trail]
    return render_template("ogc/show.html", document=document, title=str(title), trail=list(trail), **page)
