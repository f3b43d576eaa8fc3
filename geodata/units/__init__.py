"""Units: the smallest pieces of ground grids are made of, built from borders, barriers, compounds and buildings."""

from geodata.units.build import build_county, build_units
from geodata.units.model import Barriers, Buildings, Compounds, UnitOptions, Units

__all__ = ["Barriers", "Buildings", "Compounds", "UnitOptions", "Units", "build_county", "build_units"]
