"""Division of a face by Voronoi borders: among groups of its buildings, or (water) among the polygons on its banks.

Groups come from weighted bisection along the longer axis; the border between two groups is the set of Voronoi ridges
between their buildings (of points sampled on the outline where a building is a footprint).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geodata.units.linework import OVERSHOOT_M
from geodata.units.model import NONE, Flags, Floats, Geometries, Ints, geometries
from geodata.units.topology import border_segments

_SAMPLE_M = 4.0
_SMOOTH_M = 0.5


def divide(face: Any, buildings: Geometries, weight: Ints, compound: Ints, target: int) -> tuple[Ints, Geometries]:
    """Group of each building (0..k-1) and the lines between groups, which end just outside ``face``.

    Buildings of one compound stay together, as do buildings at one place. ``target`` is households per group; 0 makes a
    group of every building.
    """
    centre = shapely.get_coordinates(shapely.centroid(buildings))
    item = _items(centre, compound)
    mass = np.bincount(item, np.maximum(weight, 1)).astype(np.float64)
    place = np.stack([np.bincount(item, centre[:, k]) for k in (0, 1)], axis=1) / np.bincount(item)[:, None]
    group = np.zeros(len(mass), np.int64)
    if target > 0:
        _bisect(place, mass, np.arange(len(mass)), max(round(float(mass.sum()) / target), 1), group)
    else:
        group = np.arange(len(mass))
    of_building = np.unique(group, return_inverse=True)[1][item]
    if of_building.max(initial=0) == 0:
        return of_building, geometries([])
    return of_building, _ridges(face, *_samples(buildings, of_building))


def _items(centre: Floats, compound: Ints) -> Ints:
    place = np.unique(centre, axis=0, return_inverse=True)[1].ravel()
    return np.unique(np.where(compound == NONE, place, -1 - compound), return_inverse=True)[1]


def _bisect(place: Floats, mass: Floats, rows: Ints, parts: int, group: Ints) -> None:
    """Give ``rows`` group numbers (each the first row of its group) so that about ``parts`` of equal mass arise."""
    group[rows] = rows[0]
    if parts < 2 or len(rows) < 2:
        return
    axis = int(np.argmax(np.ptp(place[rows], axis=0)))
    ordered = rows[np.lexsort((place[rows, 1 - axis], place[rows, axis]))]
    running = np.cumsum(mass[ordered])
    left_parts = parts // 2
    at = int(np.argmin(np.abs(running[:-1] - running[-1] * left_parts / parts))) + 1
    _bisect(place, mass, ordered[:at], left_parts, group)
    _bisect(place, mass, ordered[at:], parts - left_parts, group)


def share_waters(
    polygons: Geometries, community: Ints, water: Flags, buildings: Geometries, home: Ints, group: Ints
) -> Geometries:
    """Lines that share each water of a coverage among its banks: to each polygon what lies nearest to it.

    Where a polygon is about to be divided (several ``group`` of buildings have their ``home`` in it), its bank counts
    as that of the group of the nearest building.
    """
    several = np.zeros(len(polygons), dtype=bool)
    several[home[(home != NONE) & (group > 0)]] = True
    i, j, ends = border_segments(polygons)
    i, j, ends = np.concatenate([i, j]), np.concatenate([j, i]), np.vstack([ends, ends])
    bank = water[i] & ~water[j] & (community[i] == community[j])
    i, j, ends = i[bank], j[bank], ends[bank]
    length_m = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    found: list[Geometries] = []
    for face in np.unique(i):
        rows = np.flatnonzero(i == face)
        if (j[rows] != j[rows[0]]).any() or several[j[rows]].any():
            # from the middles of equal steps, so that samples lie alike on both sides of where the bank changes hands
            steps = np.maximum(np.ceil(length_m[rows] / _SAMPLE_M), 1).astype(np.int64)
            row = np.repeat(rows, steps)
            step = np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)
            along = ((step + 0.5) / np.repeat(steps, steps))[:, None]
            xy = ends[row, :2] * (1 - along) + ends[row, 2:] * along
            label = j[row] * (group.max(initial=0) + 1)
            for bank_of in np.unique(j[rows][several[j[rows]]]):
                here = np.flatnonzero(home == bank_of)
                on = np.flatnonzero(j[row] == bank_of)
                label[on] += group[here[shapely.STRtree(buildings[here]).nearest(shapely.points(xy[on]))]]
            found.append(_ridges(polygons[face], xy, label))
    return geometries(np.concatenate(found) if found else [])


def _samples(buildings: Geometries, group: Ints) -> tuple[Floats, Ints]:
    areal = np.isin(shapely.get_type_id(buildings), (3, 6))
    shapes = np.where(areal, shapely.segmentize(buildings, _SAMPLE_M), shapely.centroid(buildings))
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    return xy, group[owner]


def _ridges(face: Any, xy: Floats, group: Ints) -> Geometries:
    """Voronoi ridges between points of different groups, inside ``face`` (and a hair beyond)."""
    from scipy.spatial import Voronoi

    xy, first = np.unique(np.round(xy, 2), axis=0, return_index=True)
    west, south, east, north = shapely.bounds(face)
    size = 4 * max(east - west, north - south, 1.0)
    origin = np.array([(west + east) / 2, (south + north) / 2])
    far = np.array([(-size, -size), (size, -size), (size, size), (-size, size)])
    diagram = Voronoi(np.vstack([xy - origin, far]))
    label = np.append(group[first], np.full(4, NONE))
    pairs = diagram.ridge_points
    vertices = np.array(diagram.ridge_vertices)
    between = (label[pairs[:, 0]] != label[pairs[:, 1]]) & (label[pairs] != NONE).all(axis=1) & (vertices >= 0).all(1)
    ends = diagram.vertices[vertices[between]] + origin
    ends = ends[np.abs(ends[:, 0] - ends[:, 1]).max(axis=1) > 0]
    # ridges between sampled outlines zigzag by their nature; a footprint grazed by the smoothed line is led round later
    merged = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(ends)))
    smooth = shapely.simplify(merged, _SMOOTH_M, preserve_topology=False)
    clipped = shapely.intersection(smooth, shapely.buffer(face, OVERSHOOT_M, join_style="mitre"))
    parts = shapely.get_parts(clipped)
    return geometries(parts[shapely.get_type_id(parts) == 1])
