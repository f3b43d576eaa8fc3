"""The short way to a tile, in front of Flask: for whoever was let in a moment ago.

Each second the first request of a credential goes the whole way (sign-in, session, log); the view then keeps a pass
under the very header that was sent. The statement that a tile takes anyway tells whether the account, its roles, its
sessions and the token still are as they were: who is closed, signed out everywhere or loses a role gets no tile more.
Only what ends by the clock (an idle session, a token's last day) ends up to :data:`TRUST_S` late. What this way cannot
answer goes the whole way too: errors, other methods, other addresses. The log tells how many went this way.
"""

from __future__ import annotations

import atexit
import gzip
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from flask import Flask, Response, request

from gridmap.db import engine
from gridmap.errors import CodedError
from gridmap.services.actor import Actor
from gridmap.services.tiles import Pass, Tile, issue, tile_with
from gridmap.web.session import look_again, token_hash

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
_log: structlog.stdlib.BoundLogger = structlog.get_logger("gridmap.web")
_LEAST_BYTES, _PACKED_MAX = 4_096, 256
_packed: dict[tuple[str, int], bytes] = {}


@dataclass(slots=True)
class _Guest:
    """Somebody with a pass, since when, and the number of tiles they got with it (the next of the counter)."""

    since: float
    held: Pass
    tiles: Iterator[int] = field(default_factory=count)


#: (database, Authorization, Cookie) -> who: one dict a process, read without the lock.
_known: dict[tuple[sa.Engine, str, str], _Guest] = {}
_telling = threading.Lock()
_timer: threading.Timer | None = None


def answer(actor: Actor, found: Tile) -> Response:
    """The answer of a view, which also gives the credential of this request a pass for a moment."""
    held = issue(actor, token_hash(), look_again)
    if held is not None:
        credential = _credential(request.environ)
        with _telling:
            before = _known.get(credential)
            _known[credential] = _Guest(monotonic(), held)
        if before is not None:
            _tell(before)
        _tell_later()
    headers, etag, content = _sent(request.environ, found)
    response = Response(content, mimetype=_MVT, headers=[("Cache-Control", _keeping(found)), *headers])
    response.set_etag(etag)
    response.make_conditional(request)
    return response


def _tell(guest: _Guest) -> None:
    """A line of the log for the tiles that somebody got the short way."""
    if tiles := next(guest.tiles):
        _log.info("tiles", login=guest.held.actor.login, tiles=tiles, ms=round((monotonic() - guest.since) * 1000))


def _tell_later() -> None:
    """Tell what is over by then, and forget it."""
    global _timer
    with _telling:
        if _timer is None:
            _timer = threading.Timer(2 * TRUST_S, _tell_past)
            _timer.daemon = True
            _timer.start()


def _tell_past() -> None:
    global _timer
    with _telling:
        _timer = None
    _forget(monotonic() - TRUST_S)
    if _known:
        _tell_later()


def _forget(before: float) -> None:
    """Tell and forget who has had a pass since ``before``."""
    with _telling:
        past = {credential: guest for credential, guest in _known.items() if guest.since <= before}
        for credential in past:
            del _known[credential]
    for guest in past.values():
        _tell(guest)


atexit.register(_forget, float("inf"))


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
        guest = _known.get(_credential(environ))
        if guest is None or monotonic() - guest.since >= TRUST_S:
            return None
        layer, plan, version, z, x, y = asked.groups()
        where = (layer or "grids", int(plan) if plan else None, int(version), int(z), int(x), int(y))
        try:
            found = tile_with(guest.held, *where)
        except CodedError:  # Flask says it in the reader's language
            return None
        if found is not None:
            next(guest.tiles)
        return found


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
