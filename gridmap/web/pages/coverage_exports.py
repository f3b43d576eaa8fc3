"""The page of coverage as PDF and PNG, for the parameters that stand in its address."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request
from flask_babel import get_locale

from gridmap.errors import Invalid
from gridmap.services import sheets
from gridmap.web.files import download
from gridmap.web.forms import calendar_day, row_number
from gridmap.web.session import current_actor

pages = Blueprint("coverage_exports", __name__, url_prefix="/coverage")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("/export.pdf", endpoint="pdf", defaults={"fmt": "pdf"})
@pages.get("/export.png", endpoint="png", defaults={"fmt": "png"})
def export(fmt: str) -> Response:
    """The map of coverage by status with its sums; the PDF has the table too."""
    args = request.args
    plan, day, region = args.get("plan"), args.get("date"), args.get("region") or None
    try:
        plan_id = row_number(plan) if plan else None
    except ValueError:
        raise Invalid("SHEET_PARAMETER", value=f"plan={plan}"[:80]) from None
    if region is not None and not (region.isascii() and region.isdigit() and len(region) == 12):
        raise Invalid("SHEET_PARAMETER", value=f"region={region}"[:80])
    view = sheets.CoverView(plan_id, calendar_day(day) if day else None, region)
    path = sheets.COVER_FORMATS[fmt](current_actor(), view, locale=str(get_locale()))
    return download(path, f"coverage-{fmt}")
