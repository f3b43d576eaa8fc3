"""What day it is where the planners are: plans begin and end on days of their calendar, wherever the server stands."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from gridmap.settings import settings


def today() -> date:
    """The present day in the zone of ``GRIDMAP_TIME_ZONE``."""
    return datetime.now(ZoneInfo(settings().time_zone)).date()
