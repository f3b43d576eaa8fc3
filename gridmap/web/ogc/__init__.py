"""OGC API under ``/ogc``: published grids and coverage for QGIS, ``ogr2ogr`` and other departments' programs.

Features 1.0 (core, GeoJSON, HTML, OpenAPI 3.0) and Tiles 1.0; docs/ogc.md. A program gets JSON unless it accepts HTML
before it. Faults are coded JSON as in the rest of the API, but of status 400 where the standard wants that.
"""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

from gridmap.errors import Invalid
from gridmap.web.errors import answer
from gridmap.web.ogc import collections, items, landing, tiling
from gridmap.web.ogc.say import ogc

__all__ = ["collections", "init_app", "items", "landing", "tiling"]


def init_app(app: Flask) -> None:
    app.register_blueprint(ogc)


@ogc.errorhandler(Invalid)
def _invalid(error: Invalid) -> ResponseReturnValue:
    return answer(error, 400)
