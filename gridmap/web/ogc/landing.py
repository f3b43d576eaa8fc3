"""Landing page, conformance, and the OpenAPI document."""

from __future__ import annotations

import json

from flask import Response, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gridmap.web.ogc.asked import only
from gridmap.web.ogc.document import openapi
from gridmap.web.ogc.say import HTML, OPENAPI, link, ogc, self_links, spoken, wants_html

_FEATURES, _TILES = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf",
)
_FEATURES_3 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
CONFORMANCE = (
    *(f"{_FEATURES}/{name}" for name in ("core", "oas30", "geojson", "html")),
    *(f"{_FEATURES_3}/{name}" for name in ("queryables", "queryables-query-parameters")),
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    *(f"{_TILES}/{name}" for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")),
)


@ogc.get("")
def index() -> Response:
    """Landing page of the OGC API: where everything is."""
    only("f")
    description = gettext("已发布的网格与覆盖统计，供其他部门用 QGIS、ogr2ogr 等直接读取；只含您有权查看的区划。")
    links = [
        *self_links(),
        link("service-desc", "api", OPENAPI, "OpenAPI 3.0"),
        {"rel": "service-doc", "type": HTML, "href": url_for("ogc.api", f="html", _external=True), "title": "HTML"},
        link("conformance", "conformance", title=gettext("符合的标准")),
        link("data", "collections_", title=gettext("集合")),
        link("http://www.opengis.net/def/rel/ogc/1.0/data", "collections_", title=gettext("集合")),
        link("http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", "matrix_sets", title=gettext("切片方案")),
    ]
    title = gettext("网格与覆盖开放接口")
    return spoken({"title": title, "description": description, "links": links}, title, landing=True)


@ogc.get("/conformance")
def conformance() -> Response:
    """Which parts of the standards the OGC API keeps to."""
    only("f")
    return spoken({"conformsTo": CONFORMANCE, "links": self_links()}, gettext("符合的标准"))


@ogc.get("/api")
def api() -> ResponseReturnValue:
    """The OpenAPI 3.0 document of the OGC API."""
    only("f")
    document = openapi()
    if wants_html():
        return spoken({**document, "links": self_links(OPENAPI)}, gettext("接口说明"), operations=document["paths"])
    return Response(json.dumps(document, ensure_ascii=False), content_type=OPENAPI)
