"""Maps in notebooks and on pages of other servers may read the API with a token, where the operator names their origin.

Off unless ``GRIDMAP_CORS_ORIGINS`` is set. Only reading, only ``/api/v1/``, only with a token: cookies never come along
(no ``Access-Control-Allow-Credentials``), so nobody's session can be used from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH = "/api/v1/"
_READING = ("GET", "HEAD")
_KEPT_S = "600"


def init_app(app: Flask) -> None:
    """Put the answers to other origins around all else, if any origin is named."""
    origins = app.extensions["gridmap.settings"].cors_origins
    if origins:
        app.wsgi_app = _Cors(app.wsgi_app, frozenset(origins))  # type: ignore[method-assign]


class _Cors:
    def __init__(self, inner: WSGIApplication, origins: frozenset[str]) -> None:
        self.inner = inner
        self.origins = origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN", "")
        if origin not in self.origins or not environ.get("PATH_INFO", "").startswith(_PATH):
            return self.inner(environ, start_response)
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if environ["REQUEST_METHOD"] == "OPTIONS" and asked:
            return self._before(origin, asked, start_response)
        if environ["REQUEST_METHOD"] not in _READING or not environ.get("HTTP_AUTHORIZATION"):
            return self.inner(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            shared = [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "X-Cases, ETag")]
            return start_response(status, [*headers, *shared, ("Vary", "Origin")], *more)

        return self.inner(environ, start)

    def _before(self, origin: str, asked: str, start_response: StartResponse) -> Iterable[bytes]:
        """The browser asks whether it may ask: yes for reading with a token."""
        headers = [("Vary", "Origin"), ("Content-Length", "0")]
        if asked in _READING:
            headers += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Allow-Methods", ", ".join(_READING)),
                ("Access-Control-Allow-Headers", "Authorization, Accept"),
                ("Access-Control-Max-Age", _KEPT_S),
                ("Access-Control-Allow-Private-Network", "true"),
            ]
        start_response("204 No Content" if asked in _READING else "403 Forbidden", headers)
        return []
