"""Incidents for officials: where they concentrate, what is new, and what changed."""

from gridmap.services.incidents.periods import Changed, Comparison, two_periods
from gridmap.services.incidents.spots import HotSpots, Spot, Stack, hot_spots

__all__ = ["Changed", "Comparison", "HotSpots", "Spot", "Stack", "hot_spots", "two_periods"]
