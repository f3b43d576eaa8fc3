"""Pages for people: one module a section, each with ``init_app(app)`` and a blueprint named like its section.

The blueprint's ``index`` is what the navigation opens (``plans.index``). A view parses, calls one service, renders::

    pages = Blueprint("regions", __name__, url_prefix="/regions")

    def init_app(app: Flask) -> None:
        app.register_blueprint(pages)

    @pages.get("/")
    def index() -> str:
        return render_template("regions/index.html", regions=list_regions(current_actor()))

Everyone must be signed in for every view; services decide what they may see. Forms are :class:`gridmap.web.forms.Form`;
a service's coded error is either left to :mod:`gridmap.web.errors` or shown with ``form.fail(error)``.
"""

from __future__ import annotations

from flask import Flask

from gridmap.web.pages import (
    audit,
    auth,
    case_exports,
    cases,
    compare,
    coverage,
    coverage_exports,
    help,
    home,
    imports,
    load,
    map,
    plans,
    redraw,
    regions,
    reports,
    standards,
    studio,
    users,
    workflow,
)

#: The sections, in no particular order; a new module of pages is one more name here.
SECTIONS = (
    *(auth, home, imports, map, studio, compare, load, workflow, redraw, plans, regions, cases),
    *(users, audit, help, standards, coverage, case_exports, coverage_exports, reports),
)


def init_app(app: Flask) -> None:
    for section in SECTIONS:
        section.init_app(app)
