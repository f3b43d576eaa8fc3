"""Coverage: whether every building lies in a grid and every grid is in standard, by region."""

from gridmap.services.coverage.areas import areas
from gridmap.services.coverage.export import export
from gridmap.services.coverage.store import CROWDED_POPULATION
from gridmap.services.coverage.sums import Coverage, RegionCoverage, coverage
from gridmap.services.coverage.trend import Step, trend
from gridmap.services.coverage.uncovered import Place, Places, uncovered

__all__ = [
    "CROWDED_POPULATION",
    "Coverage",
    "Place",
    "Places",
    "RegionCoverage",
    "Step",
    "areas",
    "coverage",
    "export",
    "trend",
    "uncovered",
]
