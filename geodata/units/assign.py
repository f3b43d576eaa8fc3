"""Which face a building belongs to: a footprint to the face with its largest share, a point by the half-open rule."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.locate import locate
from geodata.units.model import NONE, Floats, Geometries, Ints

_AREAL = (3, 6)


def assign(buildings: Geometries, faces: Geometries) -> Ints:
    """Row of the face of each building, -1 where it touches none; equal shares go to the lower row.

    Buildings are points (or anything without area: their representative point counts) or footprints.
    """
    face = np.full(len(buildings), NONE, np.int64)
    if not len(faces) or not len(buildings):
        return face
    footprint = np.isin(shapely.get_type_id(buildings), _AREAL) & ~shapely.is_empty(buildings)
    areal = np.flatnonzero(footprint)
    if len(areal):
        row, at, area_m2 = shares(buildings[areal], faces)
        order = np.lexsort((at, -area_m2, row))
        row, at, area_m2 = row[order], at[order], area_m2[order]
        first = np.flatnonzero((np.diff(row, prepend=-1) != 0) & (area_m2 > 0))
        face[areal[row[first]]] = at[first]
    points = np.flatnonzero(~footprint & ~shapely.is_missing(buildings) & ~shapely.is_empty(buildings))
    if len(points):
        where = shapely.point_on_surface(buildings[points])
        face[points] = locate(shapely.get_coordinates(where), faces)
    return face


def shares(footprints: Geometries, faces: Geometries) -> tuple[Ints, Ints, Floats]:
    """Footprint row, face row and common ``area_m2`` of all that meet, sorted; invalid outlines count as repaired."""
    invalid = ~shapely.is_valid(footprints)
    if invalid.any():
        footprints = footprints.copy()
        footprints[invalid] = shapely.make_valid(footprints[invalid])
    row, at = shapely.STRtree(footprints).query(faces, predicate="intersects")[::-1]
    order = np.lexsort((at, row))
    row, at = row[order], at[order]
    area_m2 = shapely.area(footprints[row])
    # most footprints lie within one face: only the others need their share measured
    alone = np.flatnonzero((np.bincount(row, minlength=len(footprints)) == 1)[row])
    shapely.prepare(faces)
    whole = np.zeros(len(row), dtype=bool)
    whole[alone] = shapely.covers(faces[at[alone]], footprints[row[alone]])
    part = np.flatnonzero(~whole)
    area_m2[part] = shapely.area(shapely.intersection(footprints[row[part]], faces[at[part]]))
    return row.astype(np.int64), at.astype(np.int64), area_m2
