"""``/health``: for the proxy, systemd and whoever waits for the server; says nothing but whether it can work."""

from __future__ import annotations

from flask import Flask

from gridmap import __version__
from gridmap.db.migrate import require_current
from gridmap.web.session import public


def init_app(app: Flask) -> None:
    app.add_url_rule("/health", "health", health)


@public
def health() -> dict[str, str]:
    """200 where the database answers with this program's schema, else 503."""
    require_current()
    return {"status": "ok", "version": __version__}
