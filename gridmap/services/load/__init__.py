"""Load under another plan: cases and households of each grid, recounted for a draft beside the plan in force."""

from gridmap.services.load.export import FORMATS, export
from gridmap.services.load.figures import Load, Named, Row, Side, Spread, Wanted, load, ordered
from gridmap.services.load.rows import by_region, many
from gridmap.services.load.words import sentences

__all__ = [
    "FORMATS",
    "Load",
    "Named",
    "Row",
    "Side",
    "Spread",
    "Wanted",
    "by_region",
    "export",
    "load",
    "many",
    "ordered",
    "sentences",
]
