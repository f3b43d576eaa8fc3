"""What a request asks for: part, span of days, bounds, filters. Anything else is refused, as the standard wants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from zoneinfo import ZoneInfo

from flask import request

from gridmap.errors import Invalid
from gridmap.services.ogc import MAX_FEATURES, Bounds, Part, Span
from gridmap.web.config import app_settings
from gridmap.web.forms import row_number
from gridmap.web.ogc.say import CRS84, Collection

#: Features of a page where the request does not say.
USUAL_LIMIT = 500
_ALWAYS = ("f", "limit", "after", "before", "bbox", "bbox-crs", "crs", "datetime")
STATUSES = ("within", "under", "over", "empty", "unchecked")
KINDS = ("basic", "special", "micro")


def known_filters(one: Collection) -> tuple[str, ...]:
    """Properties that a collection may be filtered by."""
    return ("region",) if one.level else ("region", "status", "kind", "code", "plan")


def only(*names: str, formats: tuple[str, ...] = ("json", "html")) -> None:
    """Refuse parameters of other names, and other formats."""
    for name in request.args:
        if name not in names:
            raise Invalid("OGC_PARAMETER_UNKNOWN", name=name[:80], known=", ".join(names))
    if request.args.get("f", formats[0]) not in formats:
        raise wrong("f")


def only_items(one: Collection) -> None:
    """Refuse what the list of a collection's features does not know."""
    only(*_ALWAYS, *known_filters(one))
    for name in ("crs", "bbox-crs"):
        if request.args.get(name, CRS84) != CRS84:
            raise wrong(name)


def wrong(name: str) -> Invalid:
    """The value of a parameter is not one."""
    return Invalid("OGC_PARAMETER", name=name, value=request.args.get(name, "")[:80])


def part(key_is_number: bool) -> Part:
    """The part of the list; a limit beyond the most is the most."""
    text = request.args.get("limit", str(USUAL_LIMIT))
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise wrong("limit")
    keys = {}
    for name in ("after", "before"):
        key = request.args.get(name)
        if key is not None and (not (key.isascii() and key.isdigit()) or (key_is_number and len(key) > 18)):
            raise wrong(name)
        keys[name] = key
    return Part(min(int(text[:9]), MAX_FEATURES), **keys)


def bounds() -> Bounds | None:
    """West, south, east, north in degrees (heights of a box of six numbers are passed over)."""
    text = request.args.get("bbox")
    if text is None:
        return None
    try:
        numbers = [float(one) for one in text.split(",")]
    except ValueError:
        raise wrong("bbox") from None
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(isfinite(one) for one in numbers):
        raise wrong("bbox")
    west, south, east, north = numbers
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise wrong("bbox")
    return west, south, east, north


def span() -> Span | None:
    """Days of ``datetime``: an instant, a day, or two of them with ``/`` between, ``..`` for open; None: today."""
    text = request.args.get("datetime")
    if text is None:
        return None
    ends = text.split("/")
    if len(ends) > 2 or (len(ends) == 1 and ends[0] in ("", "..")):
        raise wrong("datetime")
    days = [None if one in ("", "..") else _day(one) for one in ends]
    found = Span(days[0], days[-1])
    if found.first and found.last and found.first > found.last:
        raise wrong("datetime")
    return found


def _day(text: str) -> date:
    """The day of an RFC 3339 moment on the planners' calendar, or a plain day."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise wrong("datetime")
        return moment.astimezone(ZoneInfo(app_settings().time_zone)).date()
    except (ValueError, OverflowError):
        raise wrong("datetime") from None


def filters(one: Collection) -> Mapping[str, str | int]:
    """The property filters that stand in the address."""
    found: dict[str, str | int] = {name: request.args[name] for name in known_filters(one) if name in request.args}
    region = str(found.get("region", "000000"))
    if not (region.isascii() and region.isdigit() and 6 <= len(region) <= 12):
        raise wrong("region")
    for name, values in (("status", STATUSES), ("kind", KINDS)):
        if name in found and found[name] not in values:
            raise wrong(name)
    if "plan" in found:
        try:
            found["plan"] = row_number(str(found["plan"]))
        except ValueError:
            raise wrong("plan") from None
    return found
