"""Who is asking: a session cookie or an API token. Every route needs one, unless it is declared :func:`public`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import time
from typing import Any, TypeVar

from flask import Flask, current_app, g, request, session

from gridmap.errors import NotSignedIn
from gridmap.services.accounts import Identity, actor_of, digest
from gridmap.services.actor import Actor
from gridmap.services.tokens import actor_of_token
from gridmap.translations import LOCALES

View = TypeVar("View", bound=Callable[..., Any])
_REFRESH_S = 60
#: The language chosen in this browser; it goes before the account's.
LOCALE_COOKIE = "gridmap_locale"
_STRANGERS_BYTES = 64 << 10


def init_app(app: Flask) -> None:
    config = app.extensions["gridmap.settings"]
    app.config.update(
        SECRET_KEY=config.secret_key(),
        SESSION_COOKIE_NAME="gridmap_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=config.session_minutes),
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.before_request(_identify)
    app.before_request(_require_sign_in)


def public(view: View) -> View:
    """Declare a view open to anyone."""
    view.public = True  # type: ignore[attr-defined]
    return view


def is_public(app: Flask, endpoint: str | None) -> bool:
    """Whether anyone may ask ``endpoint``; an address that leads nowhere has none."""
    return endpoint is None or endpoint == "static" or getattr(app.view_functions[endpoint], "public", False)


def current_actor() -> Actor:
    """Who is asking; ``NotSignedIn`` where nobody is."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise NotSignedIn("SIGN_IN_FIRST")
    return actor


def uses_token() -> bool:
    """Whether a program with an API token is asking (no cookie, hence no CSRF)."""
    return bool(g.get("by_token"))


def begin(identity: Identity) -> None:
    """Start a fresh session for ``identity``; nothing of an earlier one is kept."""
    session.clear()
    session.permanent = True
    session.update(user=identity.user_id, epoch=identity.epoch, seen=int(time()))


def end() -> None:
    """End this session."""
    session.clear()
    g.actor = None


def look_again() -> Actor | None:
    """Who is asking, read anew: for who is to be let in again without all this."""
    if (secret := _secret()) is not None:
        return actor_of_token(secret, request.remote_addr)
    return _of_session() if "user" in session else None


def token_hash() -> str | None:
    """The hash of the API token that came with this request, if one did."""
    secret = _secret()
    return None if secret is None else digest(secret)


def _secret() -> str | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _of_session() -> Actor | None:
    actor = actor_of(session["user"], session["epoch"], request.remote_addr)
    chosen = request.cookies.get(LOCALE_COOKIE)
    return replace(actor, locale=chosen) if actor and chosen in LOCALES else actor  # services speak as the page does


def _identify() -> None:
    g.actor, g.by_token = None, False
    if request.endpoint == "static":
        return
    secret = _secret()
    if secret is not None:
        g.by_token = True
        g.actor = actor_of_token(secret, request.remote_addr)
        if g.actor is None:
            raise NotSignedIn("TOKEN_REFUSED")
    elif "user" in session:
        g.actor = _of_session()
        if g.actor is None:
            session.clear()
            return
        if time() - session["seen"] > _REFRESH_S:  # signs the cookie anew: its age is what the idle time-out measures
            session["seen"] = int(time())


def _require_sign_in() -> None:
    if g.actor is not None:
        return
    if not is_public(current_app, request.endpoint):
        raise NotSignedIn("SIGN_IN_FIRST")
    request.max_content_length = _STRANGERS_BYTES
