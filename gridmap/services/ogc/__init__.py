"""The published grids and coverage as other departments' programs ask for them (OGC API Features and Tiles)."""

from gridmap.services.ogc.coverage import LEVELS, area, areas
from gridmap.services.ogc.grids import grid, grids, tile
from gridmap.services.ogc.pages import MAX_FEATURES, Bounds, Extent, FeaturePage, Part, extent
from gridmap.services.plans.force import Span

__all__ = [
    "LEVELS",
    "MAX_FEATURES",
    "Bounds",
    "Extent",
    "FeaturePage",
    "Part",
    "Span",
    "area",
    "areas",
    "extent",
    "grid",
    "grids",
    "tile",
]
