"""Vector tiles of the grids in force: tile sets, their tile matrix set, tiles."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext

from gridmap.errors import NotFound
from gridmap.services import ogc as published
from gridmap.services.tiles.square import HALF_M, MAX_ZOOM
from gridmap.web.ogc import asked
from gridmap.web.ogc.collections import trail
from gridmap.web.ogc.say import MATRIX_SET, MVT, Collection, known, link, ogc, self_links, spoken
from gridmap.web.session import current_actor

_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{MATRIX_SET}"
_MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
#: Width of a pixel of the tile of zoom 0 (256 pixels), metres; of 0.28 mm on the standard's screen.
_PIXEL_M = 2 * HALF_M / 256


@ogc.get("/tileMatrixSets")
def matrix_sets() -> Response:
    """The tile matrix sets of the OGC API."""
    asked.only("f")
    one = {"id": MATRIX_SET, "uri": _URI, "links": [link("self", "matrix_set", set_name=MATRIX_SET)]}
    return spoken({"tileMatrixSets": [one], "links": self_links()}, gettext("切片方案"))


@ogc.get("/tileMatrixSets/<string:set_name>")
def matrix_set(set_name: str) -> Response:
    """The tile matrix set WebMercatorQuad."""
    asked.only("f")
    _known(set_name)
    matrices = [
        {
            "id": str(z),
            "cellSize": _PIXEL_M / (1 << z),
            "scaleDenominator": _PIXEL_M / (1 << z) / 0.00028,
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-HALF_M, HALF_M],
            "tileWidth": 256,
            "tileHeight": 256,
            "matrixWidth": 1 << z,
            "matrixHeight": 1 << z,
        }
        for z in range(MAX_ZOOM + 1)
    ]
    document = {
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": _URI,
        "crs": _MERCATOR,
        "orderedAxes": ["E", "N"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    }
    return spoken(document, MATRIX_SET)


@ogc.get("/collections/<string:collection>/tiles")
def tile_sets(collection: str) -> Response:
    """The tile sets of a collection."""
    asked.only("f")
    one = _tiled(collection)
    told = _set(one) | {"links": [link("self", "tile_set", collection=collection, set_name=MATRIX_SET), *_ways(one)]}
    return spoken({"links": self_links(), "tilesets": [told]}, gettext("矢量切片"), trail=trail(one))


@ogc.get("/collections/<string:collection>/tiles/<string:set_name>")
def tile_set(collection: str, set_name: str) -> Response:
    """The tile set of a collection, with the address of its tiles."""
    asked.only("f")
    one = _tiled(collection)
    _known(set_name)
    document = _set(one) | {"links": [*self_links(), *_ways(one)]}
    return spoken(document, gettext("矢量切片"), trail=trail(one))


@ogc.get("/collections/<string:collection>/tiles/<string:set_name>/<int:z>/<int:row>/<int:col>")
def one_tile(collection: str, set_name: str, z: int, row: int, col: int) -> Response:
    """The grids in force in one tile (Mapbox Vector Tile)."""
    asked.only("f", "datetime", formats=("mvt",))
    _tiled(collection)
    _known(set_name)
    content = published.tile(current_actor(), z, col, row, span=asked.span())
    response = Response(content, mimetype=MVT, headers={"Cache-Control": "private, no-cache"})
    response.add_etag()
    response.make_conditional(request)
    return response


def _tiled(name: str) -> Collection:
    one = known(name)
    if one.level is not None:
        raise NotFound("OGC_NO_COLLECTION", collection=f"{name}/tiles")
    return one


def _known(set_name: str) -> None:
    if set_name != MATRIX_SET:
        raise NotFound("OGC_NO_TILE_SET", name=set_name[:80])


def _set(one: Collection) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": str(one.title),
        "dataType": "vector",
        "crs": _MERCATOR,
        "tileMatrixSetURI": _URI,
        "layers": [{"id": one.name, "dataType": "vector", "geometryDimension": 2}],
    }
    return told


def _ways(one: Collection) -> list[dict[str, Any]]:
    """To the tile matrix set and, with places left for numbers, to the tiles."""
    values = {"collection": one.name, "set_name": MATRIX_SET, "z": 111, "row": 222, "col": 333}
    address = url_for("ogc.one_tile", _external=True, **values)  # type: ignore[arg-type]
    template = address.replace("/111/222/333", "/{tileMatrix}/{tileRow}/{tileCol}")
    return [
        link(_SCHEME, "matrix_set", set_name=MATRIX_SET),
        {"rel": "item", "type": MVT, "href": template, "templated": True},
    ]
