"""The JSON API under ``/api/v1``: how it behaves, and how an endpoint is written.

**Convention.** Programs send ``Authorization: Bearer <token>``; pages use the session cookie and, for anything but
GET, the header ``X-CSRFToken``. Every error, whatever its status, is ``{code, message, details}``
(:class:`ErrorBody`): 401 not signed in, 403 role does not reach, 404 nothing there or not in your regions, 409 changed
meanwhile, 413 too large, 422 refused with the reason, 429 too many attempts, 503 database missing. Lists are pages:
``?limit=50&offset=0`` in, ``{items, total, limit, offset}`` out. Times are ISO 8601 with zone, geometry is GeoJSON in
EPSG:4490 (lon, lat).

**An endpoint** is a function that takes what it declares and returns a model; it calls one service::

    @endpoint("/regions", tag="regions", query=RegionQuery, response=RegionPage)
    def regions(query: RegionQuery) -> RegionPage:
        \"\"\"The regions you may see.\"\"\"
        items, total = list_regions(current_actor(), query.level, limit=query.limit, offset=query.offset)
        return RegionPage.of(items, total, query)

with ``class RegionQuery(PageQuery)`` adding its filters and ``class RegionPage(Page[RegionOut])``. A body is declared
with ``json=Model`` and arrives as the argument ``json`` (a multipart one with ``form=Model``, read from the request);
path converters give the path's arguments; ``method="POST", status=201`` as needed; answers other than JSON (tiles,
files) return a ``flask.Response`` and declare ``response=None``. Add the module's name to ``MODULES``. ``tests/api``
then covers it: OpenAPI, anonymous access, schemathesis.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from json import dumps
from typing import Annotated, Any, Generic, Self, TypeVar

from flask import Blueprint, Flask, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from spectree import Response as Responses
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData
from spectree.plugins.flask_plugin import FlaskPlugin

from gridmap import __version__
from gridmap.errors import Invalid

MODULES = (
    "session",
    "users",
    "tokens",
    "audit",
    "standards",
    "plans",
    "maps",
    "cases",
    "released",
    "incidents",
    "views",
    "imports",
    "regions",
    "coverage",
    "exports",
    "jobs",
    "redraw",
    "studio",
    "operations",
    "assist",
    "compare",
    "load",
    "comments",
    "workflow",
    "reports",
    "scene",
    "document",
)

Item = TypeVar("Item")
View = TypeVar("View", bound=Callable[..., Any])


class Model(BaseModel):
    """Base of request and response bodies: unknown fields are refused, services' dataclasses are read by attribute."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class ErrorBody(Model):
    """What every error looks like."""

    code: str = Field(description="A stable name of the fault", examples=["NOT_FOUND"])
    message: str = Field(description="The fault in one sentence, in the reader's language")
    details: dict[str, Any] = Field(description="The numbers of the sentence, and often a hint")


class PageQuery(Model):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class Page(Model, Generic[Item]):
    """Part of a list, and how long it is in all."""

    items: list[Item]
    total: int
    limit: int
    offset: int

    @classmethod
    def of(cls, items: Sequence[object], total: int, query: PageQuery) -> Self:
        """The page of ``items`` that ``query`` asked for; dataclasses become the page's item model."""
        return cls.model_validate(
            {"items": items, "total": total, "limit": query.limit, "offset": query.offset}, from_attributes=True
        )


class _Plugin(FlaskPlugin):
    """Spectree's Flask plugin without its pages (they load scripts from elsewhere), and strict about the body."""

    def register_route(self, app: Any) -> None:
        self.spectree.app = app

    def request_validation(
        self, request: Request, query: Any, json: Any, form: Any, headers: Any, cookies: Any
    ) -> None:
        if json is not None and not (isinstance(body := _body(request), dict) and _writable(request, body)):
            raise Invalid("BODY_NOT_JSON")
        super().request_validation(request, query, json, form, headers, cookies)  # type: ignore[no-untyped-call]


def _body(request: Request) -> object:
    """The JSON of a request, None for what is none or nested beyond all sense."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _writable(request: Request, body: object) -> bool:
    """Whether every text of ``body`` has a UTF-8 form; halves of characters (lone surrogates) have none."""
    if b"\\ud" not in request.get_data().lower():
        return True
    try:
        dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(request: Request, response: Any, error: Exception | None, *_: Any) -> None:
    """A body or query that does not fit its model, as our own error."""
    if not isinstance(error, ValidationError):
        return
    problems = [
        {"field": ".".join(str(step) for step in problem["loc"]), "message": problem["msg"]}
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    raise Invalid("REQUEST_INVALID", fields=problems)


api = Blueprint("api", __name__, url_prefix="/api/v1")
spec = SpecTree(
    backend=_Plugin,
    mode="strict",
    title="gridmap",
    version=__version__,
    openapi_version="3.1.0",
    before=_refuse,
    validation_error_model=ErrorBody,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda parent, child: child,
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
    security={"token": []},
)


def endpoint(
    rule: str,
    *,
    tag: str,
    method: str = "GET",
    query: type[BaseModel] | None = None,
    json: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    response: type[BaseModel] | None = None,
    status: int = 200,
    errors: Sequence[int] = (),
) -> Callable[[View], View]:
    """Register a view at ``rule`` below ``/api/v1`` with what it takes and gives; ``errors`` adds to the usual ones."""
    usual = {401, 403, 404, 422, 503, *errors}
    models: dict[str, Any] = {f"HTTP_{code}": ErrorBody for code in sorted(usual)}
    models[f"HTTP_{status}"] = response

    def declare(view: View) -> View:
        validated = spec.validate(query=query, json=json, form=form, resp=Responses(**models), tags=[tag])(view)
        api.add_url_rule(rule, view.__name__, validated, methods=[method])
        return view

    return declare


def init_app(app: Flask) -> None:
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    app.register_blueprint(api)
    spec.register(app)
