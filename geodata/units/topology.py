"""Faces, shared borders and unions of an exact coverage: neighbours share every vertex of their common border."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from geodata.units.model import Floats, Geometries, Ints, geometries


def node(lines: Any, precision_m: float) -> Geometries:
    """``lines`` rounded to the lattice and split wherever they meet, each piece once (snap rounding, OverlayNG)."""
    noded = shapely.union_all(geometries(lines), grid_size=precision_m)
    return geometries(shapely.get_parts(noded))


def faces(noded: Geometries) -> Geometries:
    """The faces that noded lines enclose; lines that end in the open bound nothing."""
    return geometries(shapely.get_parts(shapely.polygonize(noded)))


def rings(polygons: Any) -> Geometries:
    """All rings of polygons (Polygon or MultiPolygon) as lines."""
    return geometries(shapely.get_parts(shapely.boundary(geometries(polygons))))


def border_segments(polygons: Geometries) -> tuple[Ints, Ints, Floats]:
    """Segments that two polygons of a coverage share: polygon i < j, and (m, 4) x1 y1 x2 y2."""
    lines, owner = shapely.get_parts(shapely.boundary(polygons), return_index=True)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    segments = np.hstack([xy[:-1], xy[1:]])[same]
    owner = owner[line[:-1][same]]
    swap = (segments[:, 2] < segments[:, 0]) | ((segments[:, 2] == segments[:, 0]) & (segments[:, 3] < segments[:, 1]))
    segments[swap] = segments[swap][:, [2, 3, 0, 1]]
    order = np.lexsort((owner, *segments.T))
    segments, owner = segments[order], owner[order]
    pair = np.flatnonzero((segments[1:] == segments[:-1]).all(axis=1) & (owner[1:] != owner[:-1]))
    return owner[pair].astype(np.int64), owner[pair + 1].astype(np.int64), segments[pair]


def shared_borders(polygons: Geometries) -> tuple[Ints, Ints, Floats]:
    """Neighbours i < j of a coverage with the ``length_m`` of the border they share; corners do not count."""
    i, j, segments = border_segments(polygons)
    length_m = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    return sum_pairs(i, j, length_m, len(polygons))


def sum_pairs(i: Ints, j: Ints, length_m: Floats, n: int) -> tuple[Ints, Ints, Floats]:
    """Lengths of equal pairs added up, sorted by pair."""
    keys, inverse = np.unique(i * n + j, return_inverse=True)
    return keys // max(n, 1), keys % max(n, 1), np.bincount(inverse, length_m, len(keys)).astype(np.float64)


def dissolve(polygons: Geometries, group: Ints) -> tuple[Geometries, Ints]:
    """Union of each group of a coverage, one Polygon a connected piece: the pieces, and the piece of each polygon.

    Groups come out in order of their first member; vertices on borders that stay are kept as they are.
    """
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    members = rank[inverse]
    order = np.argsort(members, kind="stable")
    starts = np.searchsorted(members[order], np.arange(len(first) + 1))
    pieces: list[Any] = []
    piece_of = np.empty(len(polygons), np.int64)
    for start, end in pairwise(starts):
        rows = order[start:end]
        piece_of[rows] = len(pieces)
        if len(rows) == 1:
            pieces.append(polygons[rows[0]])
            continue
        parts = shapely.get_parts(shapely.coverage_union_all(polygons[rows]))
        if len(parts) > 1:
            inside = shapely.point_on_surface(polygons[rows])
            tree = shapely.STRtree(parts)
            row, part = tree.query(inside, predicate="intersects")
            piece_of[rows[row]] = len(pieces) + part
        pieces.extend(parts)
    return geometries(pieces), piece_of
