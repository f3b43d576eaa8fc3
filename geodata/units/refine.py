"""Refining units: dividing those with too many households, sharing out waters, sparing footprints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from geodata.locate import locate
from geodata.units.arrange import Arrangement, neighbours_of, occupied
from geodata.units.assign import assign, shares
from geodata.units.cells import divide, share_waters
from geodata.units.linework import outside
from geodata.units.merge import Neighbours, components, join_weak
from geodata.units.model import NONE, Buildings, Flags, Geometries, Ints, UnitOptions, geometries
from geodata.units.topology import dissolve, faces, node, rings, sum_pairs

_AREAL = (3, 6)


def refine(before: Arrangement, buildings: Buildings, options: UnitOptions) -> Arrangement:
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

    peopled = occupied(face_of, len(polygons))
    neighbours = neighbours_of(polygons, community, geometries([]), options.precision_m)
    same = (part[neighbours.i] == part[neighbours.j]) & (part[neighbours.i] != NONE)
    piece = components(len(polygons), neighbours.i[same], neighbours.j[same])
    polygons, where = dissolve(polygons, piece)
    first = np.unique(where, return_index=True)[1]
    stands = np.bincount(where, peopled & ~before.water[origin]) > 0
    root = join_weak(~stands, shapely.area(polygons), _within_origin(where, first, neighbours, origin))
    units, unit_of = dissolve(polygons, root)
    of_unit = np.empty(len(units), np.int64)
    of_unit[unit_of] = first[root]
    source = origin[of_unit]
    dry = np.zeros(len(units), dtype=bool)
    return Arrangement(units, before.community[source], before.compound[source], dry, divided[source])


def _divide(
    before: Arrangement, buildings: Buildings, home: Ints, options: UnitOptions
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
    before: Arrangement, footprints: Geometries, home: Ints, ridges: Geometries, options: UnitOptions
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


def _within_origin(where: Ints, first: Ints, neighbours: Neighbours, origin: Ints) -> Neighbours:
    """Neighbours of the dissolved pieces; open to each other where they come from the same unit."""
    i, j = where[neighbours.i], where[neighbours.j]
    low, high = np.minimum(i, j), np.maximum(i, j)
    apart = low != high
    low, high, length_m = sum_pairs(low[apart], high[apart], neighbours.length_m[apart], len(first))
    kin = origin[first[low]] == origin[first[high]]
    return replace(neighbours, i=low, j=high, length_m=length_m, open_m=length_m * kin)
