"""The application factory: a list of ``init_app`` calls; each module registers itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map
from whitenoise import WhiteNoise

from gridmap import ROOT
from gridmap.settings import Settings, settings
from gridmap.web import (
    api,
    compressed,
    cors,
    errors,
    filters,
    health,
    i18n,
    logs,
    navigation,
    ogc,
    pages,
    security,
    session,
    tiles,
)

STATIC = Path(__file__).resolve().parent.parent / "static"
_YEAR_SECONDS = 365 * 24 * 3600


def create_app(config: Settings | None = None) -> Flask:
    """Make the application; it serves the database that :func:`gridmap.db.engine.connect` was given."""
    config = config or settings()
    app = Flask(
        "gridmap",
        static_folder=str(STATIC),
        static_url_path=f"/static/{static_version(STATIC)}",
        template_folder=str(ROOT / "templates"),
    )
    app.extensions["gridmap.settings"] = config
    app.url_map.converters["int"] = RowNumber
    app.config["MAX_CONTENT_LENGTH"] = config.max_upload_bytes
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for part in (compressed, logs, i18n, errors, session, security, filters, navigation, health, pages, ogc, api):
        part.init_app(app)
    _serve_static(app)
    tiles.init_app(app)
    cors.init_app(app)
    if config.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app


class RowNumber(IntegerConverter):
    """An id in an address: one that no table can hold leads nowhere (404)."""

    def __init__(self, url_map: Map, **limits: Any) -> None:
        super().__init__(url_map, **{"max": 2**63 - 1, **limits})


def static_version(folder: Path) -> str:
    """A hash of every static file: it stands in their addresses, so that they may be cached for ever.

    It is a folder in the path, not a query, so that ES modules which import each other relatively keep it.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _serve_static(app: Flask) -> None:
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(STATIC),
        prefix=app.static_url_path,
        max_age=_YEAR_SECONDS,
        immutable_file_test=lambda path, url: True,
        add_headers_function=lambda headers, path, url: headers.__setitem__("X-Content-Type-Options", "nosniff"),
    )
