"""Building the units of communities: arrange the lines, let weak faces join, divide what is too large, count.

All communities are arranged at once, so neighbours share every vertex of their common border and the result is one
valid coverage of the county. Coordinates are metres in a local metric CRS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geodata.errors import GeodataError
from geodata.units.arrange import Arrangement, arrange
from geodata.units.assign import assign
from geodata.units.model import NONE, Barriers, Buildings, Compounds, Geometries, Ints, UnitOptions, Units, geometries
from geodata.units.refine import refine
from geodata.units.topology import dissolve


def build_units(
    community: Any, barriers: Barriers, compounds: Compounds, buildings: Buildings, options: UnitOptions | None = None
) -> Units:
    """Units of one community (Polygon or MultiPolygon); see :func:`build_county`."""
    return build_county([community], barriers, compounds, buildings, options)


@np.errstate(divide="ignore", invalid="ignore")  # GEOS leaves stray floating-point flags
def build_county(
    communities: Any, barriers: Barriers, compounds: Compounds, buildings: Buildings, options: UnitOptions | None = None
) -> Units:
    """Units of all ``communities`` ((n,) Polygon or MultiPolygon, metres), one valid coverage over their borders.

    Raises ``UNITS_COMMUNITY_INVALID`` for a community that is empty or not valid. Communities should not overlap; where
    they do, the ground goes to the lower row.
    """
    options = options or UnitOptions()
    borders = geometries(communities)
    for row in np.flatnonzero(~(shapely.is_valid(borders) & (shapely.area(borders) > 0))):
        raise GeodataError(
            "UNITS_COMMUNITY_INVALID",
            row=int(row) + 1,
            row_number=int(row) + 1,
            reason=shapely.is_valid_reason(borders[row]),
        )
    arranged = arrange(borders, barriers, compounds, buildings, options)
    return _count(refine(arranged, buildings, options), borders, buildings)


def _count(found: Arrangement, given: Geometries, buildings: Buildings) -> Units:
    building_unit = assign(buildings.geometry, found.polygons)
    n = len(found.polygons)
    communities, piece = dissolve(found.polygons, found.community)
    row = np.empty(len(communities), np.int64)
    row[piece] = found.community
    noded = geometries([_collected(communities[row == k]) for k in range(len(given))])
    return Units(
        geometry=found.polygons,
        community=found.community,
        households=_sums(building_unit, buildings.households, n),
        population=_sums(building_unit, buildings.population, n),
        buildings=_sums(building_unit, np.ones(len(building_unit), np.int64), n),
        compound=_compound(found.compound, building_unit, buildings.compound),
        provenance=np.where(found.cell, "cell", "face").astype(object),
        building_unit=building_unit,
        communities=noded,
        border_moved_m2=shapely.area(shapely.symmetric_difference(noded, given)),
    )


def _collected(parts: Geometries) -> Any:
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _compound(outlined: Ints, building_unit: Ints, named: Ints) -> Ints:
    """The compound whose outline holds the unit, else the one that all its buildings name."""
    inside = building_unit != NONE
    low = np.full(len(outlined), np.iinfo(np.int64).max)
    high = np.full(len(outlined), NONE)
    np.minimum.at(low, building_unit[inside], named[inside])
    np.maximum.at(high, building_unit[inside], named[inside])
    return np.where(outlined != NONE, outlined, np.where(low == high, high, NONE))


def _sums(unit: Ints, values: Ints, n: int) -> Ints:
    return np.bincount(unit + 1, values, n + 1)[1:].astype(np.int64)
