"""Cases counted in square cells of the web map, millions of them, from memory-mapped columns: docs/heat.md."""

from geodata.heat.columns import Cases
from geodata.heat.frame import Bins, Choice, Wanted, bins_of
from geodata.heat.layout import build
from geodata.heat.slots import QUARTER_S, Slots, calendar, quarters
from geodata.heat.store import Store, StoreError
from geodata.heat.tail import Tail

__all__ = [
    "QUARTER_S",
    "Bins",
    "Cases",
    "Choice",
    "Slots",
    "Store",
    "StoreError",
    "Tail",
    "Wanted",
    "bins_of",
    "build",
    "calendar",
    "quarters",
]
