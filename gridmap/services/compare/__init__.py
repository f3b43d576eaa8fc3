"""Any two plans compared: on the ground they share, by grid, in sums, as a map of differences, and as a file."""

from gridmap.services.compare.difference import difference
from gridmap.services.compare.export import FORMATS, export
from gridmap.services.compare.pair import Comparison, Partner, RowPage, compare, page, partners
from gridmap.services.compare.table import CHANGES, Grid, Moves, Row, Sums

__all__ = [
    "CHANGES",
    "FORMATS",
    "Comparison",
    "Grid",
    "Moves",
    "Partner",
    "Row",
    "RowPage",
    "Sums",
    "compare",
    "difference",
    "export",
    "page",
    "partners",
]
