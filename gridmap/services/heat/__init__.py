"""Where cases lie densely: counts in the squares of the map, exact and within one's own regions, and images of them."""

from gridmap.services.heat.bins import bins
from gridmap.services.heat.build import run_build, verify
from gridmap.services.heat.image import BANDWIDTHS_M, HeatImage, image
from gridmap.services.heat.keeper import known_stacks, state, unplaced
from gridmap.services.heat.ready import get_ready
from gridmap.services.heat.sums import Span, by_calendar, by_category, by_quarter, by_region, by_unit

__all__ = [
    "BANDWIDTHS_M",
    "HeatImage",
    "Span",
    "bins",
    "by_calendar",
    "by_category",
    "by_quarter",
    "by_region",
    "by_unit",
    "get_ready",
    "image",
    "known_stacks",
    "run_build",
    "state",
    "unplaced",
    "verify",
]
