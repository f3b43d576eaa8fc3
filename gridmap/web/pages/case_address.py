"""The address of the page of cases as what it asks for: the same words that gridmap/static/js/cases/state.js writes."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request

from gridmap.errors import Invalid
from gridmap.services import cases, sheets
from gridmap.services.cases import CaseFilter
from gridmap.services.days import today
from gridmap.services.mapdata import Bounds
from gridmap.web.api.maps import parse_bbox
from gridmap.web.config import app_settings
from gridmap.web.forms import calendar_day, row_number
from gridmap.web.session import current_actor

#: The map of a desk in pixels: an address knows the middle of the view and its zoom, not how large the window was.
_DESK = (900, 520)
_TILE = 256
_Span = tuple[datetime, datetime]


def case_view() -> sheets.CaseView:
    """The view that the address asks for. Days are of the calendar, the last belongs to the span; moments have a zone.

    Raises ``Invalid`` for what makes no sense.
    """
    args = request.args
    region = args.get("region") or None
    if region is not None and not (region.isascii() and region.isdigit() and len(region) <= 15):
        raise _senseless("region")
    since, until = _span()
    counted = _box("bbox")
    wanted = CaseFilter(
        categories=tuple(one for one in args.getlist("category") if one),
        start=since,
        end=until,
        region=region,
        bbox=counted,
    )
    plan, grid = (_number(name, row_number) for name in ("plan", "grid"))
    bandwidth = _number("bandwidth", float)
    return sheets.CaseView(
        wanted,
        None if plan is None else int(plan),
        sheets.DEFAULT_BANDWIDTH_M if bandwidth is None else bandwidth,
        counted or _box("view") or _looked_at(),
        None if grid is None or plan is None else int(grid),
        _before(since, until),
    )


def _senseless(name: str) -> Invalid:
    return Invalid("SHEET_PARAMETER", value=f"{name}={request.args.get(name, '')}"[:80])


def _number(name: str, kind: type[float] | type[int] | object) -> float | None:
    text = request.args.get(name)
    if not text:
        return None
    try:
        found = float(row_number(text)) if kind is row_number else float(text)
    except ValueError:
        raise _senseless(name) from None
    if not math.isfinite(found):
        raise _senseless(name)
    return found


def _span() -> tuple[datetime | None, datetime | None]:
    """The span; a preset of so many days counts back from where the data ends, as the page does, today at the latest.

    So it does whatever days stand beside it: they are of the day on which the address was written.
    """
    days = _number("days", float)
    if days is not None and 0 < days <= 3660:
        known = cases.known(current_actor())
        last = min(today(), known[1]) if known else today()
        return _begin(last - timedelta(days=int(days) - 1)), _begin(last + timedelta(days=1))
    if days == 0:
        return None, None
    return _moment("since", last=False), _moment("until", last=True)


def _before(since: datetime | None, until: datetime | None) -> _Span | None:
    """The span that the page compares with, None where it compares with none."""
    how = request.args.get("compare")
    if not how or since is None or until is None or since >= until:
        return None
    zone = ZoneInfo(app_settings().time_zone)
    if how == "own":
        own = _moment("before_since", last=False), _moment("before_until", last=True)
        return None if own[0] is None or own[1] is None or own[0] >= own[1] else (own[0], own[1])
    first, after = since.astimezone(zone).date(), until.astimezone(zone).date()
    try:
        if how == "year":
            return _begin(_year_before(first)), _begin(_year_before(after - timedelta(days=1)) + timedelta(days=1))
        return _begin(first - (after - first)), _begin(first)
    except (OverflowError, ValueError):
        raise Invalid("CASE_TIMES") from None


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _moment(name: str, *, last: bool) -> datetime | None:
    text = request.args.get(name)
    if not text:
        return None
    if len(text) <= 10:
        try:
            return _begin(calendar_day(text) + timedelta(days=1 if last else 0))
        except OverflowError:
            raise Invalid("CASE_TIMES") from None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("CASE_TIMES") from None
    if moment.tzinfo is None:
        raise Invalid("CASE_TIMES")
    return moment


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(app_settings().time_zone))


def _box(name: str) -> Bounds | None:
    text = request.args.get(name)
    return parse_bbox(text) if text else None


def _looked_at() -> Bounds | None:
    """The view of a desk around the middle that the address names, at its zoom."""
    lat, lon, zoom = (_number(name, float) for name in ("lat", "lon", "zoom"))
    if lat is None or lon is None or zoom is None or not (abs(lat) <= 85 and abs(lon) <= 180 and 0 <= zoom <= 22):
        return None
    world = _TILE * 2**zoom
    up = math.asinh(math.tan(math.radians(lat)))
    half, tall = 180 * _DESK[0] / world, math.pi * _DESK[1] / world
    south, north = (math.degrees(math.atan(math.sinh(up + way * tall))) for way in (-1, 1))
    return max(lon - half, -180.0), max(south, -85.0), min(lon + half, 180.0), min(north, 85.0)
