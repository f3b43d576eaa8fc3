"""Cases: lists, sums by time and kind, counts and rates by grid and community; single cases of a view."""

from gridmap.services.cases.areas import case_areas
from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.places import POINTS_MAX, CasePoint, in_view
from gridmap.services.cases.rates import GridRates, rates_by_grid
from gridmap.services.cases.read import CasePage, CaseRow, by_grid, categories, how_many, known, page, totals
from gridmap.services.cases.timeline import Timeline, timeline

__all__ = [
    "POINTS_MAX",
    "CaseFilter",
    "CasePage",
    "CasePoint",
    "CaseRow",
    "GridRates",
    "Timeline",
    "by_grid",
    "case_areas",
    "categories",
    "how_many",
    "in_view",
    "known",
    "page",
    "rates_by_grid",
    "timeline",
    "totals",
]
