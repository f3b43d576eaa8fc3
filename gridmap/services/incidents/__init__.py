"""Incidents for officials: where they concentrate, what is new, and what only looks like it."""

from gridmap.services.incidents.spots import HotSpots, Spot, Stack, hot_spots

__all__ = ["HotSpots", "Spot", "Stack", "hot_spots"]
