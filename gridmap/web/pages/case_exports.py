"""The page of cases as a file, for the very parameters that stand in its address."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request
from flask_babel import get_locale

from gridmap.errors import Invalid
from gridmap.services import sheets
from gridmap.services.cases import CaseFilter
from gridmap.services.mapdata import Bounds
from gridmap.web.api.maps import parse_bbox
from gridmap.web.config import app_settings
from gridmap.web.files import download
from gridmap.web.forms import calendar_day, row_number
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


def case_view() -> sheets.CaseView:
    """What the address asks for: days of the calendar (the last belongs to the span) or moments with a zone."""
    args = request.args
    plan = args.get("plan")
    bandwidth = args.get("bandwidth")
    try:
        plan_id = None if not plan else row_number(plan)
        bandwidth_m = sheets.DEFAULT_BANDWIDTH_M if not bandwidth else float(bandwidth)
    except ValueError:
        raise Invalid("SHEET_PARAMETER", value=f"plan={plan}, bandwidth={bandwidth}"[:80]) from None
    region = args.get("region") or None
    if region is not None and not (region.isascii() and region.isdigit() and len(region) <= 15):
        raise Invalid("SHEET_PARAMETER", value=f"region={region}"[:80])
    counted = _box("bbox")
    wanted = CaseFilter(
        categories=tuple(one for one in args.getlist("category") if one),
        start=_moment("since", last=False),
        end=_moment("until", last=True),
        region=region,
        bbox=counted,
    )
    return sheets.CaseView(wanted, plan_id, bandwidth_m, counted or _box("view"))


def _box(name: str) -> Bounds | None:
    text = request.args.get(name)
    return parse_bbox(text) if text else None


def _moment(name: str, *, last: bool) -> datetime | None:
    text = request.args.get(name)
    if not text:
        return None
    if len(text) > 10:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Invalid("CASE_TIMES") from None
        if moment.tzinfo is None:
            raise Invalid("CASE_TIMES")
        return moment
    day = calendar_day(text)
    try:
        day += timedelta(days=1 if last else 0)
    except OverflowError:
        raise Invalid("CASE_TIMES") from None
    return datetime.combine(day, time(), ZoneInfo(app_settings().time_zone))
