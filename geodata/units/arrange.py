"""Arranging lines into faces, and letting faces that cannot stand alone join their neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.locate import locate
from geodata.units.assign import assign
from geodata.units.linework import collect, connectors
from geodata.units.merge import Neighbours, join_weak
from geodata.units.model import NONE, Barriers, Buildings, Compounds, Flags, Geometries, Ints, UnitOptions
from geodata.units.topology import border_segments, dissolve, faces, node, sum_pairs


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A coverage in the making: polygons with community and compound; which are water still to be shared out among
    their banks; which Voronoi cut."""

    polygons: Geometries
    community: Ints
    compound: Ints
    water: Flags
    cell: Flags


def arrange(
    communities: Geometries, barriers: Barriers, compounds: Compounds, buildings: Buildings, options: UnitOptions
) -> Arrangement:
    """Faces of borders, barriers and compounds, weak ones joined to their neighbours."""
    work = collect(communities, barriers, compounds, options)
    noded = node(np.concatenate([work.borders, work.lines]), options.precision_m)
    closing = connectors(noded, options.dangle_m)
    if len(closing):
        noded = node(np.concatenate([noded, closing]), options.precision_m)
    polygons = faces(noded)
    community = containing(polygons, communities)
    polygons, community = polygons[community != NONE], community[community != NONE]
    at = containing(polygons, compounds.geometry)
    compound = np.append(compounds.id, NONE)[at]
    peopled = occupied(assign(buildings.geometry, polygons), len(polygons))
    area_m2 = shapely.area(polygons)
    narrow = 2 * area_m2 < options.sliver_width_m * shapely.length(polygons)
    sliver = (area_m2 < options.sliver_area_m2) | narrow
    neighbours = neighbours_of(polygons, community, work.major, options.precision_m)
    water = containing(polygons, work.waters) != NONE
    weak = ~water & (~peopled | (sliver & (compound == NONE)))
    root = join_weak(weak, area_m2, neighbours.among(~water))
    units, unit_of = dissolve(polygons, root)
    of_unit = np.empty(len(units), np.int64)
    of_unit[unit_of] = root
    whole = np.zeros(len(units), dtype=bool)
    return Arrangement(units, community[of_unit], compound[of_unit], water[of_unit], whole)


def containing(polygons: Geometries, areas: Geometries) -> Ints:
    return locate(shapely.get_coordinates(shapely.point_on_surface(polygons)), areas)


def occupied(face: Ints, n: int) -> Flags:
    return np.bincount(face + 1, minlength=n + 1)[1:] > 0


def neighbours_of(polygons: Geometries, community: Ints, major: Geometries, precision_m: float) -> Neighbours:
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
