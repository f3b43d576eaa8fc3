"""Where cases lie densely: counts in the squares of the map, exact and within one's own regions, and images of them."""

from gridmap.services.heat.bins import bins
from gridmap.services.heat.build import run_build, verify
from gridmap.services.heat.image import BANDWIDTHS_M, HeatImage, image
from gridmap.services.heat.ready import get_ready

__all__ = ["BANDWIDTHS_M", "HeatImage", "bins", "get_ready", "image", "run_build", "verify"]
