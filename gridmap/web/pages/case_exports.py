"""The page of cases as a file, for the very parameters that stand in its address."""

from __future__ import annotations

from flask import Blueprint, Flask, Response
from flask_babel import get_locale

from gridmap.services import sheets
from gridmap.web.files import download
from gridmap.web.pages.case_address import case_view
from gridmap.web.session import current_actor
from gridmap.web.standalone import map_file

pages = Blueprint("case_exports", __name__, url_prefix="/cases")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("/export.pdf", endpoint="pdf", defaults={"fmt": "pdf"})
@pages.get("/export.png", endpoint="png", defaults={"fmt": "png"})
@pages.get("/export.xlsx", endpoint="xlsx", defaults={"fmt": "xlsx"})
def export(fmt: str) -> Response:
    """The view as PDF, PNG or XLSX. ``Invalid`` for a parameter that says nothing."""
    locale = str(get_locale())
    path = sheets.FORMATS[fmt](current_actor(), case_view(), locale=locale)
    return download(path, f"incidents-{fmt}")


@pages.get("/export.html", endpoint="html")
def standalone() -> Response:
    """The heat of the view over the grids as a map that opens without a network."""
    view = case_view()
    shown = sheets.MapView(view.plan_id, view.wanted.region, (), None, view.wanted, view.bandwidth_m, view.bounds)
    return download(map_file(current_actor(), shown, locale=str(get_locale())), "incidents-map")
