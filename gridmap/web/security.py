"""What protects a page in the browser: CSRF tokens, a strict Content-Security-Policy, headers, safe returns."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect

from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.web.config import app_settings
from gridmap.web.session import uses_token

_csrf = CSRFProtect()
_BODY_BYTES = 32 << 20
_UPLOADS = frozenset({"imports.upload", "api.send_import"})


def init_app(app: Flask) -> None:
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_HEADERS=["X-CSRFToken"])
    _csrf.init_app(app)
    app.before_request(_bound)
    app.before_request(_refuse_nul)
    app.before_request(_protect)
    app.after_request(_add_headers)
    app.add_template_global(csp_nonce)


def csp_nonce() -> str:
    """This response's nonce for ``script`` and ``style`` elements."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def safe_next(target: str | None) -> str | None:
    """``target`` where it is a path of this site, else None: nobody is sent elsewhere after signing in."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(ord(character) < 32 for character in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None


def content_security_policy(nonce: str, tile_url: str | None) -> str:
    """Nothing but this server's own, scripts and styles by nonce or file; images also from the configured tiles."""
    tiles = ""
    if tile_url:
        parts = urlsplit(tile_url.replace("{s}", "*"))
        tiles = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            f"img-src 'self' data: blob:{tiles}",
            "connect-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self' blob:",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def _bound() -> None:
    """Only a planner's upload may be large; what a stranger may send is bounded before."""
    actor: Actor | None = g.get("actor")
    uploads = request.endpoint in _UPLOADS and actor is not None and actor.may(Role.PLANNER)
    if not uploads:
        request.max_content_length = min(request.max_content_length or _BODY_BYTES, _BODY_BYTES)


def _refuse_nul() -> None:
    """PostgreSQL text cannot hold the character NUL: refuse it once, here, instead of failing anywhere."""
    told = [request.path, *(text for fields in (request.args, request.form) for _, text in fields.items(multi=True))]
    if any("\0" in text for text in told) or (request.is_json and b"\\u0000" in request.get_data()):
        raise Invalid("NUL_CHARACTER")


def _protect() -> None:
    if request.endpoint and request.endpoint != "static" and not uses_token():
        _csrf.protect()


def _add_headers(response: Response) -> Response:
    config = app_settings()
    headers = response.headers
    headers.setdefault("Content-Security-Policy", content_security_policy(csp_nonce(), config.tile_url))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if config.secure_cookies:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response
