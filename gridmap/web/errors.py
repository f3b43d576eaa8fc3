"""Errors on the web: a table error class -> status, a page for people, ``{code, message, details}`` for programs."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from gridmap import errors
from gridmap.web.session import uses_token

log: structlog.stdlib.BoundLogger = structlog.get_logger("gridmap.web")

#: The first class that fits decides.
STATUS: tuple[tuple[type[errors.CodedError], int], ...] = (
    (errors.NotSignedIn, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.TooLarge, 413),
    (errors.TooMany, 429),
    (errors.Unavailable, 503),
    (errors.CodedError, 422),
)

#: What Werkzeug itself refuses, by status; any other is HTTP_400.
HTTP_CODES = {404: "PAGE_NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "UPLOAD_TOO_LARGE", 415: "MEDIA_TYPE"}


def init_app(app: Flask) -> None:
    app.register_error_handler(errors.CodedError, _coded)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _incident)


def status_of(error: errors.CodedError) -> int:
    """The HTTP status of a coded error."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def wants_json() -> bool:
    """Whether a program is asking: any address of the API, or one that accepts JSON rather than pages."""
    accepted = request.accept_mimetypes
    if request.path == "/ogc" or request.path.startswith("/ogc/"):
        asked = request.args.get("f")
        return asked != "html" if asked is not None else accepted["text/html"] <= accepted["application/json"]
    return request.path.startswith("/api/") or accepted["application/json"] > accepted["text/html"]


def error_body(error: errors.CodedError) -> dict[str, Any]:
    """``{code, message, details}`` in the reader's language."""
    locale = str(get_locale())
    details: dict[str, Any] = {name: _plain(value) for name, value in error.params.items()}
    if hint := error.hint(locale):
        details["hint"] = hint
    if error.row is not None:
        details["row"] = error.row
    return {"code": error.code, "message": error.sentence(locale), "details": details}


def _coded(error: errors.CodedError) -> ResponseReturnValue:
    if isinstance(error, errors.NotSignedIn) and not wants_json() and not uses_token():
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("auth.sign_in", next=back if back != "/" else None))
    return answer(error, status_of(error))


def _csrf(error: CSRFError) -> ResponseReturnValue:
    return answer(errors.Invalid("CSRF"), 400)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    code = HTTP_CODES.get(error.code, "HTTP_400")
    said = answer(errors.Invalid(code), error.code)
    if error.code == 405:
        said.headers["Allow"] = error.get_response().headers.get("Allow", "")
    return said


def _incident(error: InternalServerError) -> ResponseReturnValue:
    """The trace goes to the log (Flask writes it there); the person gets a number to quote."""
    return answer(errors.Unavailable("INCIDENT", incident=g.get("request_id", "-")), 500)


def answer(error: errors.CodedError, status: int) -> Response:
    """The error as a page or as JSON, with a status."""
    if wants_json():
        response = jsonify(error_body(error))
    else:
        locale = str(get_locale())
        page = render_template(
            "error.html", code=error.code, status=status, sentence=error.sentence(locale), hint=error.hint(locale)
        )
        response = Response(page)
    response.status_code = status
    return response


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)
