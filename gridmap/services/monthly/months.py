"""Months of the calendar where the planners are."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from gridmap.errors import Invalid
from gridmap.services.days import today
from gridmap.settings import settings

_FIRST = date(2000, 1, 1)


def parsed(text: str) -> date:
    """The first day of the month "2026-10". Raises ``Invalid`` REPORT_MONTH."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Invalid("REPORT_MONTH", month=text[:20]) from None


def over(month: date) -> date:
    """The month itself, if it is over. Raises ``Invalid`` REPORT_MONTH, REPORT_MONTH_NOT_OVER."""
    if month.day != 1 or month < _FIRST:
        raise Invalid("REPORT_MONTH", month=month.isoformat())
    if month >= today().replace(day=1):
        raise Invalid("REPORT_MONTH_NOT_OVER", month=f"{month:%Y-%m}")
    return month


def last() -> date:
    """The last month that is over."""
    return moved(today().replace(day=1), -1)


def moved(month: date, by: int) -> date:
    """The month ``by`` months later."""
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def span(month: date) -> tuple[datetime, datetime]:
    """When the month begins and when it is over."""
    zone = ZoneInfo(settings().time_zone)
    return datetime.combine(month, time(), zone), datetime.combine(moved(month, 1), time(), zone)


def days(month: date) -> int:
    """How many days it has."""
    return (moved(month, 1) - month).days
