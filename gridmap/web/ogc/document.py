"""The OpenAPI 3.0 document of ``/ogc``, in which clients look up the parameters and the greatest page."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext

from gridmap import __version__
from gridmap.services.ogc import MAX_FEATURES
from gridmap.web.ogc.asked import KINDS, STATUSES, USUAL_LIMIT, known_filters
from gridmap.web.ogc.say import COLLECTIONS, GEOJSON, HTML, JSON, MATRIX_SET, MVT, OPENAPI


def openapi() -> dict[str, Any]:
    """The document with the addresses of this server."""
    paths: dict[str, Any] = {
        "/": _get("landing", gettext("入口"), JSON, HTML),
        "/conformance": _get("conformance", gettext("符合的标准"), JSON, HTML),
        "/api": _get("api", gettext("接口说明"), OPENAPI, HTML),
        "/collections": _get("collections", gettext("集合"), JSON, HTML),
        "/tileMatrixSets": _get("tileMatrixSets", gettext("切片方案"), JSON, HTML),
        f"/tileMatrixSets/{MATRIX_SET}": _get("tileMatrixSet", MATRIX_SET, JSON, HTML),
    }
    for one in COLLECTIONS.values():
        at, title = f"/collections/{one.name}", str(one.title)
        paths[at] = _get(f"{one.name}.collection", title, JSON, HTML)
        paths[f"{at}/queryables"] = _get(f"{one.name}.queryables", title, JSON, HTML)
        names = ("f", "limit", "after", "before", "bbox", "datetime", *known_filters(one))
        paths[f"{at}/items"] = _get(f"{one.name}.items", title, GEOJSON, HTML, names=names)
        paths[f"{at}/items/{{featureId}}"] = _get(
            f"{one.name}.item", title, GEOJSON, HTML, names=("featureId", "f", "datetime")
        )
    tiles = "/collections/grids/tiles"
    paths[tiles] = _get("grids.tilesets", gettext("矢量切片"), JSON, HTML)
    paths[f"{tiles}/{MATRIX_SET}"] = _get("grids.tileset", gettext("矢量切片"), JSON, HTML)
    names = ("tileMatrix", "tileRow", "tileCol", "datetime")
    paths[f"{tiles}/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"] = _get(
        "grids.tile", gettext("矢量切片"), MVT, names=names
    )
    return {
        "openapi": "3.0.3",
        "info": {"title": gettext("网格与覆盖开放接口"), "version": __version__},
        "servers": [{"url": url_for("ogc.index", _external=True)}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "parameters": _parameters(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"error": _ERROR},
        },
    }


def _get(name: str, summary: str, *kinds: str, names: tuple[str, ...] = ("f",)) -> dict[str, Any]:
    fault = {
        "description": "code, message, details",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/error"}}},
    }
    content = {kind: {"schema": {"type": "string" if kind in (HTML, MVT) else "object"}} for kind in kinds}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": [name.partition(".")[0]],
            "parameters": [{"$ref": f"#/components/parameters/{one}"} for one in names],
            "responses": {
                "200": {"description": summary, "content": content},
                **dict.fromkeys(("400", "401", "403", "404"), fault),
            },
        }
    }


_ERROR = {
    "type": "object",
    "required": ["code", "message", "details"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "object"}},
}


def _parameters() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    digits = {"type": "string", "pattern": "^[0-9]{1,18}$"}
    box: dict[str, Any] = {
        "type": "array",
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
        "items": {"type": "number"},
    }
    whole = {"type": "integer", "minimum": 0}
    query: dict[str, dict[str, Any]] = {
        "f": {"type": "string", "enum": ["json", "html"]},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_FEATURES, "default": USUAL_LIMIT},
        "after": digits,
        "before": digits,
        "bbox": box,
        "datetime": text,
        "region": {"type": "string", "pattern": "^[0-9]{6,12}$"},
        "status": {"type": "string", "enum": list(STATUSES)},
        "kind": {"type": "string", "enum": list(KINDS)},
        "code": text,
        "plan": {"type": "integer", "minimum": 1},
    }
    path: dict[str, dict[str, Any]] = {"featureId": digits, "tileMatrix": whole, "tileRow": whole, "tileCol": whole}
    found: dict[str, Any] = {}
    for name, schema in query.items():
        told: dict[str, Any] = {"name": name, "in": "query", "required": False, "schema": schema}
        found[name] = told | ({"style": "form", "explode": False} if name == "bbox" else {})
    for name, schema in path.items():
        found[name] = {"name": name, "in": "path", "required": True, "schema": schema}
    return found
