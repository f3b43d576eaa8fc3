"""Coverage: whether every building lies in a grid and every grid is in standard, by region."""

from gridmap.services.coverage.store import CROWDED_POPULATION
from gridmap.services.coverage.sums import Coverage, RegionCoverage, coverage

__all__ = ["CROWDED_POPULATION", "Coverage", "RegionCoverage", "coverage"]
