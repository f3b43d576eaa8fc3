"""Closing micro-gaps: polygons that were simplified each on its own become one exact coverage again.

All borders are noded on a fine grid (snap rounding; Hobby 1999, GEOS OverlayNG), which cuts the ground into faces whose
owners can be counted: one, several (an overlap) or none (a gap). Faces narrower than the tolerance are given to the
neighbour with the longest shared border; every square metre that changes hands is reported. Since the result is made
of whole faces, neighbours share every vertex: 0 m2 gap and 0 m2 overlap by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import adjacency, components
from geodata.coverage import Floats, Geometries, Ints, repair

GRID_M = 0.001


@dataclass(frozen=True, slots=True)
class Closed:
    """The coverage and what it cost.

    ``geoms``: the polygons in the given order. ``moved_m2`` (n,): ground that each gained and lost together.
    ``gaps_closed`` and ``overlaps_removed`` count faces, with their areas. ``wide_overlaps``: those wider than the
    tolerance; they went to the smaller polygon, and a person should look. ``gaps_left``: holes wider than the
    tolerance, left open, as a lake or an enclave may be meant. ``vanished``: positions of polygons without ground left.
    """

    geoms: Geometries
    moved_m2: Floats
    gaps_closed: int
    gaps_closed_m2: float
    overlaps_removed: int
    overlaps_removed_m2: float
    wide_overlaps: Geometries
    gaps_left: Geometries
    vanished: Ints


@dataclass(slots=True)
class _Faces:
    """Faces of the noded borders: their claims (face, polygon), neighbours with border length, and width in metres."""

    shapes: Geometries
    area_m2: Floats
    claim_face: Ints
    claim_polygon: Ints
    i: Ints
    j: Ints
    border_m: Floats


def close_micro_gaps(geoms: Any, tolerance_m: float, grid_m: float = GRID_M) -> Closed:
    """Turn ``geoms`` (metric CRS) into a coverage without gaps or overlaps narrower than ``tolerance_m``.

    Width is the diameter of the largest circle that fits. Overlaps of any width are resolved; gaps wider than the
    tolerance stay. Narrow bays between two polygons, open to the outside, are closed like gaps. Vertices move by at
    most ``grid_m``.
    """
    shapes = repair(geoms).geometry
    faces = _cut(shapes, tolerance_m, grid_m)
    claims = np.bincount(faces.claim_face, minlength=len(faces.shapes))
    narrow = _is_narrow(faces.shapes, claims != 1, tolerance_m)
    owner = _owners(faces, claims, narrow, shapes)
    _return_islets(faces, owner, tolerance_m, len(shapes))
    closed = (claims == 0) & (owner >= 0)
    shared = claims > 1
    out = _dissolve(faces.shapes, owner, len(shapes))
    return Closed(
        out,
        _moved_m2(faces, owner, len(shapes)),
        int(closed.sum()),
        float(faces.area_m2[closed].sum()),
        int(shared.sum()),
        float(faces.area_m2[shared].sum()),
        faces.shapes[shared & ~narrow],
        faces.shapes[owner < 0],
        np.flatnonzero(shapely.is_empty(out) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)),
    )


def _cut(shapes: Geometries, tolerance_m: float, grid_m: float) -> _Faces:
    """Node all borders and find who claims each face."""
    borders = shapely.boundary(np.concatenate([shapes, _slits(shapes, tolerance_m, grid_m)]))
    noded = shapely.union_all(borders, grid_size=grid_m)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    claim_face, claim_polygon = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="intersects")
    neighbours = adjacency(faces, tolerance_m=grid_m / 10)
    return _Faces(faces, shapely.area(faces), claim_face, claim_polygon, *neighbours)


def _slits(shapes: Geometries, tolerance_m: float, grid_m: float) -> Geometries:
    """Narrow bays between two polygons, open to the outside: what widening and narrowing the outline by half fills.

    Holes are left out: they are faces already, and are judged whole.
    """
    shells = shapely.get_exterior_ring(shapely.get_parts(shapely.union_all(shapes, grid_size=grid_m)))
    outline = shapely.union_all(shapely.polygons(shells[~shapely.is_missing(shells)]))
    wide = shapely.buffer(outline, tolerance_m / 2, join_style="mitre")
    filled = shapely.buffer(wide, -tolerance_m / 2, join_style="mitre")
    bays = shapely.get_parts(shapely.difference(filled, outline, grid_size=grid_m))
    bays = bays[(shapely.get_dimensions(bays) == 2) & (shapely.area(bays) > tolerance_m * grid_m)]
    bay, _ = shapely.STRtree(shapes).query(bays, predicate="dwithin", distance=grid_m)
    between: Geometries = bays[np.bincount(bay, minlength=len(bays)) > 1]
    return between


def _is_narrow(shapes: Geometries, wanted: NDArray[np.bool_], tolerance_m: float) -> NDArray[np.bool_]:
    """Which of the ``wanted`` faces hold no circle of ``tolerance_m`` diameter: nothing is left when shrunk by half.

    Faces smaller than such a circle need no shrinking. (``maximum_inscribed_circle`` takes 100 times as long.)
    """
    narrow = wanted.copy()
    large = np.flatnonzero(wanted & (shapely.area(shapes) > np.pi / 4 * tolerance_m**2))
    narrow[large] = shapely.is_empty(shapely.buffer(shapes[large], -tolerance_m / 2))
    return narrow


def _owners(faces: _Faces, claims: Ints, narrow: NDArray[np.bool_], shapes: Geometries) -> Ints:
    """The polygon (index) that gets each face, -1 for gaps that stay."""
    owner = np.full(len(faces.shapes), -1, dtype=np.int64)
    single = claims[faces.claim_face] == 1
    owner[faces.claim_face[single]] = faces.claim_polygon[single]
    wide_or_inner = (claims > 1) & ~narrow
    _give_to_smallest(faces, owner, wide_or_inner, shapes)
    claimed = faces.claim_face * len(shapes) + faces.claim_polygon
    _give_by_border(faces, owner, (claims > 1) & narrow, len(shapes), np.sort(claimed))
    _give_to_smallest(faces, owner, (claims > 1) & (owner < 0), shapes)
    _give_by_border(faces, owner, (claims == 0) & narrow, len(shapes), None)
    return owner


def _give_to_smallest(faces: _Faces, owner: Ints, which: NDArray[np.bool_], shapes: Geometries) -> None:
    """Faces to the smallest polygon that claims them: one that lies inside another keeps its ground."""
    mine = which[faces.claim_face]
    face, polygon = faces.claim_face[mine], faces.claim_polygon[mine]
    order = np.lexsort((shapely.area(shapes[polygon]), face))
    first, position = np.unique(face[order], return_index=True)
    owner[first] = polygon[order][position]


def _give_by_border(
    faces: _Faces, owner: Ints, which: NDArray[np.bool_], n_polygons: int, allowed: Ints | None
) -> None:
    """Faces to the neighbouring owner with the longest shared border, rim first, until no face has a neighbour.

    ``allowed``: sorted keys face * n + polygon of the owners a face may go to; None: any.
    """
    here, there = np.concatenate([faces.i, faces.j]), np.concatenate([faces.j, faces.i])
    border_m = np.concatenate([faces.border_m, faces.border_m])
    open_faces = which & (owner < 0)
    while open_faces.any():
        use = open_faces[here] & (owner[there] >= 0)
        keys, inverse = np.unique(here[use] * n_polygons + owner[there[use]], return_inverse=True)
        length_m = np.bincount(inverse, border_m[use], len(keys))
        if allowed is not None and len(keys):
            keep = np.isin(keys, allowed)
            keys, length_m = keys[keep], length_m[keep]
        if not len(keys):
            return
        face, polygon = np.divmod(keys, n_polygons)
        order = np.lexsort((polygon, -length_m, face))
        first, position = np.unique(face[order], return_index=True)
        owner[first] = polygon[order][position]
        open_faces[first] = False


def _return_islets(faces: _Faces, owner: Ints, tolerance_m: float, n_polygons: int) -> None:
    """Slivers that the cutting severed from their polygon's main piece go to the neighbour that surrounds them."""
    same = (owner[faces.i] == owner[faces.j]) & (owner[faces.i] >= 0)
    piece = components(len(owner), faces.i[same], faces.j[same])
    piece_m2 = np.bincount(piece, faces.area_m2)
    piece_owner = np.full(len(piece_m2), -1, dtype=np.int64)
    piece_owner[piece] = owner
    main_m2 = np.zeros(n_polygons)
    held = piece_owner >= 0
    np.maximum.at(main_m2, piece_owner[held], piece_m2[held])
    minor = held & (piece_m2 < main_m2[np.maximum(piece_owner, 0)])
    lone = minor[piece]
    severed = lone & _is_narrow(faces.shapes, lone, tolerance_m)
    whole = np.bincount(piece, lone & ~severed) == 0  # a piece with one wide face was there before
    severed &= whole[piece]
    former = owner[severed].copy()
    owner[severed] = -1
    _give_by_border(faces, owner, severed, n_polygons, None)
    back = np.flatnonzero(severed)
    owner[back] = np.where(owner[back] < 0, former, owner[back])


def _dissolve(faces: Geometries, owner: Ints, n_polygons: int) -> Geometries:
    """The union of each polygon's faces; empty where it got none."""
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(n_polygons + 1))
    out = np.full(n_polygons, shapely.Polygon(), dtype=object)
    for polygon in np.flatnonzero(np.diff(bounds)):
        out[polygon] = shapely.coverage_union_all(faces[order[bounds[polygon] : bounds[polygon + 1]]])
    return out


def _moved_m2(faces: _Faces, owner: Ints, n_polygons: int) -> Floats:
    """Ground each polygon got without claiming it plus ground it claimed and did not get."""
    claimed = np.bincount(faces.claim_polygon, faces.area_m2[faces.claim_face], n_polygons)
    held = owner >= 0
    got = np.bincount(owner[held], faces.area_m2[held], n_polygons)
    kept = owner[faces.claim_face] == faces.claim_polygon
    both = np.bincount(faces.claim_polygon[kept], faces.area_m2[faces.claim_face[kept]], n_polygons)
    return np.asarray(claimed + got - 2 * both, dtype=np.float64)
