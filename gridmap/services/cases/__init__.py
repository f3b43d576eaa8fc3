"""Cases: lists, sums by time and kind, counts by grid, places for the heat map."""

from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.read import CasePage, CaseRow, by_grid, categories, page, points, totals

__all__ = ["CaseFilter", "CasePage", "CaseRow", "by_grid", "categories", "page", "points", "totals"]
