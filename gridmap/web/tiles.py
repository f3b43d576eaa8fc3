"""The short way to a tile, in front of Flask: for whoever was let in a moment ago.

Each second the first request of a credential goes the whole way (sign-in, session, log); the view then remembers who
it was for :data:`TRUST_S`, under the very header that was sent. What this way cannot answer goes the whole way too:
errors, other methods, other addresses. So who is signed out, closed or loses a role gets tiles for a second at most.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import Flask, Response, request

from gridmap.db import engine
from gridmap.errors import CodedError
from gridmap.services.actor import Actor
from gridmap.services.tiles import Tile, tile

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TRUST_S = 1.0
_MVT = "application/vnd.mapbox-vector-tile"
_ADDRESS = re.compile(
    r"/api/v1/tiles/(?:(ground|regions)|plans/(\d{1,18}))/(\d{1,18})/(\d{1,2})/(\d{1,8})/(\d{1,8})\.mvt", re.ASCII
)
_FIXED = [
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_LEAST_BYTES, _PACKED_MAX = 4_096, 256
_packed: dict[tuple[str, int], bytes] = {}
#: (database, Authorization, Cookie) -> (since when, who): one dict a process, read without a lock.
_known: dict[tuple[sa.Engine, str, str], tuple[float, Actor]] = {}


def answer(actor: Actor, found: Tile) -> Response:
    """The answer of a view, which also lets the credential of this request in for a moment."""
    if len(_known) > 10_000:
        _known.clear()
    _known[_credential(request.environ)] = (monotonic(), actor)
    headers, etag, content = _sent(request.environ, found)
    response = Response(content, mimetype=_MVT, headers=[("Cache-Control", _keeping(found)), *headers])
    response.set_etag(etag)
    response.make_conditional(request)
    return response


def init_app(app: Flask) -> None:
    """Put the short way in front of ``app``."""
    secure = app.config["SESSION_COOKIE_SECURE"]
    fixed = [*_FIXED, ("Strict-Transport-Security", "max-age=31536000")] if secure else _FIXED
    app.wsgi_app = _Short(app.wsgi_app, fixed)  # type: ignore[method-assign, assignment]


class _Short:
    def __init__(self, whole: WSGIApplication, fixed: list[tuple[str, str]]) -> None:
        self.whole, self.fixed = whole, fixed

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        found = self._found(environ)
        if found is None:
            return self.whole(environ, start)
        encoded, etag, content = _sent(environ, found)
        headers = [("Cache-Control", _keeping(found)), ("ETag", f'"{etag}"'), *encoded, *self.fixed]
        if f'"{etag}"' in environ.get("HTTP_IF_NONE_MATCH", ""):
            start("304 NOT MODIFIED", headers)
            return []
        start("200 OK", [("Content-Type", _MVT), ("Content-Length", str(len(content))), *headers])
        return [content]

    def _found(self, environ: WSGIEnvironment) -> Tile | None:
        """The tile, or None where the whole way has to be gone."""
        if environ["REQUEST_METHOD"] != "GET" or not (asked := _ADDRESS.fullmatch(environ["PATH_INFO"])):
            return None
        known = _known.get(_credential(environ))
        if known is None or monotonic() - known[0] >= TRUST_S:
            return None
        layer, plan, version, z, x, y = asked.groups()
        try:
            return tile(known[1], layer or "grids", int(plan) if plan else None, int(version), int(z), int(x), int(y))
        except CodedError:  # Flask says it in the reader's language
            return None


def _sent(environ: WSGIEnvironment, found: Tile) -> tuple[list[tuple[str, str]], str, bytes]:
    """Headers, ETag and content as the reader takes them: a tile full of buildings has a sixth of its bytes as gzip."""
    if len(found.content) < _LEAST_BYTES or "gzip" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
        return [("Vary", "Accept-Encoding")], found.etag, found.content
    name = (found.etag, hash(found.content))
    packed = _packed.get(name)
    if packed is None:
        packed = gzip.compress(found.content, 1, mtime=0)
        if len(_packed) >= _PACKED_MAX:
            _packed.clear()
        _packed[name] = packed
    return [("Vary", "Accept-Encoding"), ("Content-Encoding", "gzip")], f"{found.etag}-gzip", packed


def _credential(environ: WSGIEnvironment) -> tuple[sa.Engine, str, str]:
    return engine.engine(), environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_COOKIE", "")


def _keeping(found: Tile) -> str:
    """A browser keeps what its address names; under an old address it asks again."""
    return "private, max-age=86400, immutable" if found.present else "private, no-cache"
