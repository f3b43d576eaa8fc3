"""Building the units of communities: arrange the lines, let weak faces join, divide what is too large, count.

All communities are arranged at once, so neighbours share every vertex of their common border and the result is one
valid coverage of the county. Coordinates are metres in a local metric CRS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geodata.errors import GeodataError
from geodata.locate import locate
from geodata.units.assign import assign, shares
from geodata.units.cells import divide, share_waters
from geodata.units.linework import collect, connectors, outside
from geodata.units.merge import Neighbours, components, join_weak
from geodata.units.model import (
    NONE,
    Barriers,
    Buildings,
    Compounds,
    Flags,
    Geometries,
    Ints,
    UnitOptions,
    Units,
    geometries,
)
from geodata.units.topology import border_segments, dissolve, faces, node, rings, sum_pairs

_AREAL = (3, 6)


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
    arrangement = _arrange(borders, barriers, compounds, buildings, options)
    arrangement = _refine(arrangement, buildings, options)
    return _count(arrangement, borders, buildings)


@dataclass(frozen=True, slots=True)
class _Arrangement:
    """A coverage in the making: polygons with community and compound; which are water still to be shared out among
    their banks; which Voronoi cut."""

    polygons: Geometries
    community: Ints
    compound: Ints
    water: Flags
    cell: Flags


def _arrange(
    communities: Geometries, barriers: Barriers, compounds: Compounds, buildings: Buildings, options: UnitOptions
) -> _Arrangement:
    """Faces of borders, barriers and compounds, weak ones joined to their neighbours."""
    work = collect(communities, barriers, compounds, options)
    noded = node(np.concatenate([work.borders, work.lines]), options.precision_m)
    closing = connectors(noded, options.dangle_m)
    if len(closing):
        noded = node(np.concatenate([noded, closing]), options.precision_m)
    polygons = faces(noded)
    community = _containing(polygons, communities)
    polygons, community = polygons[community != NONE], community[community != NONE]
    at = _containing(polygons, compounds.geometry)
    compound = np.append(compounds.id, NONE)[at]
    occupied = _occupied(assign(buildings.geometry, polygons), len(polygons))
    area_m2 = shapely.area(polygons)
    narrow = 2 * area_m2 < options.sliver_width_m * shapely.length(polygons)
    sliver = (area_m2 < options.sliver_area_m2) | narrow
    neighbours = _neighbours(polygons, community, work.major, options.precision_m)
    water = _containing(polygons, work.waters) != NONE
    weak = ~water & (~occupied | (sliver & (compound == NONE)))
    root = join_weak(weak, area_m2, neighbours.among(~water))
    units, unit_of = dissolve(polygons, root)
    of_unit = np.empty(len(units), np.int64)
    of_unit[unit_of] = root
    whole = np.zeros(len(units), dtype=bool)
    return _Arrangement(units, community[of_unit], compound[of_unit], water[of_unit], whole)


def _refine(before: _Arrangement, buildings: Buildings, options: UnitOptions) -> _Arrangement:
    """Divide units with too many households, share out waters, lead borders round the footprints they would cut."""
    home = assign(buildings.geometry, before.polygons)
    group, ridges, divided = _divide(before, buildings, home, options)
    shared = share_waters(before.polygons, before.community, before.water, buildings.geometry, home, group)
    ridges = np.concatenate([ridges, shared])
    cores = _cores(before, buildings.geometry, home, ridges, options)
    if not len(ridges) and not len(cores) and not before.water.any():
        return before
    borders = rings(dissolve(before.polygons, before.community)[0])
    edges = node(rings(before.polygons), options.precision_m)
    lines = outside(np.concatenate([edges, ridges]), cores)
    polygons = faces(node(np.concatenate([borders, lines, rings(cores)]), options.precision_m))
    inside = shapely.point_on_surface(polygons)
    origin = locate(shapely.get_coordinates(inside), before.polygons)
    polygons, origin = polygons[origin != NONE], origin[origin != NONE]
    community = before.community[origin]

    # what a face is part of: (unit before, group), said by the buildings in it, else by where it lies
    face_of = assign(buildings.geometry, polygons)
    placed = np.flatnonzero((face_of != NONE) & (home != NONE))
    placed = placed[community[face_of[placed]] == before.community[home[placed]]]
    part = np.where(divided[origin] | before.water[origin], NONE, origin * (group.max(initial=0) + 1))
    origin = origin.copy()
    origin[face_of[placed]] = home[placed]
    label = home * (group.max(initial=0) + 1) + group
    part[face_of[placed]] = np.where(before.water[home], NONE, label)[placed]

    occupied = _occupied(face_of, len(polygons))
    neighbours = _neighbours(polygons, community, geometries([]), options.precision_m)
    same = (part[neighbours.i] == part[neighbours.j]) & (part[neighbours.i] != NONE)
    piece = components(len(polygons), neighbours.i[same], neighbours.j[same])
    polygons, where = dissolve(polygons, piece)
    first = np.unique(where, return_index=True)[1]
    stands = np.bincount(where, occupied & ~before.water[origin]) > 0
    root = join_weak(~stands, shapely.area(polygons), _within_origin(where, first, neighbours, origin))
    units, unit_of = dissolve(polygons, root)
    of_unit = np.empty(len(units), np.int64)
    of_unit[unit_of] = first[root]
    source = origin[of_unit]
    dry = np.zeros(len(units), dtype=bool)
    return _Arrangement(units, before.community[source], before.compound[source], dry, divided[source])


def _divide(
    before: _Arrangement, buildings: Buildings, home: Ints, options: UnitOptions
) -> tuple[Ints, Geometries, Flags]:
    """Group of each building in its unit, the lines between groups, and which units were divided."""
    n = len(before.polygons)
    households = np.bincount(home + 1, buildings.households, n + 1)[1:]
    alone = np.bincount(before.community[~before.water], minlength=n)[before.community] == 1
    limit = np.where(alone, min(options.cell_households, options.max_households), options.max_households)
    divided = (households > limit) & (before.compound == NONE) & ~before.water
    group = np.zeros(len(home), np.int64)
    lines: list[Geometries] = []
    order = np.argsort(home, kind="stable")
    for unit in np.flatnonzero(divided):
        rows = order[slice(*np.searchsorted(home[order], [unit, unit + 1]))]
        group[rows], ridges = divide(
            before.polygons[unit],
            buildings.geometry[rows],
            buildings.households[rows],
            buildings.compound[rows],
            options.cell_households,
        )
        divided[unit] = len(ridges) > 0
        lines.append(ridges)
    return group, geometries(np.concatenate(lines) if lines else []), divided


def _cores(
    before: _Arrangement, footprints: Geometries, home: Ints, ridges: Geometries, options: UnitOptions
) -> Geometries:
    """Footprints that borders inside a community cut, overlapping ones united."""
    rows = np.flatnonzero(np.isin(shapely.get_type_id(footprints), _AREAL) & (home != NONE))
    if not len(rows):
        return geometries([])
    row, unit, area_m2 = shares(footprints[rows], before.polygons)
    abroad = (unit != home[rows[row]]) & (before.community[unit] == before.community[home[rows[row]]])
    cut = np.bincount(row, area_m2 * abroad, len(rows)) > options.building_cut_m2
    tree = shapely.STRtree(footprints[rows])
    cut[tree.query(ridges, predicate="intersects")[1]] = True
    if not cut.any():
        return geometries([])
    # a border led round one footprint must not cut another that lies over it
    fresh = cut
    while fresh.any():
        over = [tree.query(footprints[rows[fresh]], predicate=p)[1] for p in ("overlaps", "within")]
        fresh = np.isin(np.arange(len(rows)), np.concatenate(over)) & ~cut
        cut = cut | fresh
    cores = shapely.make_valid(footprints[rows[cut]])
    united = shapely.union_all(cores, grid_size=options.precision_m)
    parts = shapely.get_parts(united)
    return geometries(parts[shapely.get_type_id(parts) == 3])


def _count(found: _Arrangement, given: Geometries, buildings: Buildings) -> Units:
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


def _containing(polygons: Geometries, areas: Geometries) -> Ints:
    return locate(shapely.get_coordinates(shapely.point_on_surface(polygons)), areas)


def _occupied(face: Ints, n: int) -> Flags:
    return np.bincount(face + 1, minlength=n + 1)[1:] > 0


def _sums(unit: Ints, values: Ints, n: int) -> Ints:
    return np.bincount(unit + 1, values, n + 1)[1:].astype(np.int64)


def _neighbours(polygons: Geometries, community: Ints, major: Geometries, precision_m: float) -> Neighbours:
    """Neighbours inside communities; ``open_m`` leaves out border that runs along a major barrier."""
    i, j, ends = border_segments(polygons)
    inner = community[i] == community[j]
    i, j, ends = i[inner], j[inner], ends[inner]
    length_m = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    open_m = length_m.copy()
    if len(major) and len(i):
        middle = shapely.points((ends[:, :2] + ends[:, 2:]) / 2)
        open_m[shapely.STRtree(middle).query(major, predicate="dwithin", distance=2 * precision_m)[1]] = 0.0
    first, second, total = sum_pairs(i, j, length_m, len(polygons))
    return Neighbours(first, second, total, sum_pairs(i, j, open_m, len(polygons))[2])


def _within_origin(where: Ints, first: Ints, neighbours: Neighbours, origin: Ints) -> Neighbours:
    """Neighbours of the dissolved pieces; open to each other where they come from the same unit."""
    i, j = where[neighbours.i], where[neighbours.j]
    low, high = np.minimum(i, j), np.maximum(i, j)
    apart = low != high
    low, high, length_m = sum_pairs(low[apart], high[apart], neighbours.length_m[apart], len(first))
    kin = origin[first[low]] == origin[first[high]]
    return replace(neighbours, i=low, j=high, length_m=length_m, open_m=length_m * kin)
