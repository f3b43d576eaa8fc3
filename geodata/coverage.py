"""Coverage topology: where polygons that should tile the ground overlap or leave gaps.

All functions take arrays of (Multi)Polygons in a metric CRS; areas are m2, distances metres. Missing and empty
geometries are passed over. Closing micro-gaps is in :mod:`geodata.closing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Overlaps(NamedTuple):
    """Ground held twice: polygons ``i`` < ``j`` (k,), their common ground (k,) and its area; the largest first."""

    i: Ints
    j: Ints
    geometry: Geometries
    area_m2: Floats


class Gaps(NamedTuple):
    """Ground held by nobody: one polygon each, and its area; the largest first."""

    geometry: Geometries
    area_m2: Floats


@dataclass(frozen=True, slots=True)
class Repaired:
    """Valid geometries and what making them valid changed; ``changed_m2`` is 0 where nothing was wrong."""

    geometry: Geometries
    changed_m2: Floats


def overlaps(geoms: Any, min_m2: float = 0.0) -> Overlaps:
    """Pairs of polygons whose interiors meet in more than ``min_m2``; identical polygons are a pair too.

    Invalid polygons are read as their repair. Polygons that a coverage check clears are not compared pairwise.
    """
    shapes = _valid(geoms)
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    left, right = shapely.STRtree(shapes[suspects]).query(shapes[suspects], predicate="intersects")
    once = left < right
    i, j = suspects[left[once]], suspects[right[once]]
    common = _areal(shapely.intersection(shapes[i], shapes[j]))
    area_m2 = shapely.area(common)
    order = np.argsort(-area_m2, kind="stable")
    order = order[area_m2[order] > min_m2]
    return Overlaps(i[order], j[order], common[order], area_m2[order])


def gaps(geoms: Any, within: shapely.Geometry | None = None, min_m2: float = 0.0) -> Gaps:
    """Ground of more than ``min_m2`` that no polygon holds: holes of the union and what is uncovered of ``within``.

    Without ``within`` an open bay between two polygons is not a gap: nothing says that the ground belongs to them.
    """
    union = shapely.union_all(_valid(geoms))
    # faces, not the holes of polygons: pieces that touch at two points enclose ground and have no hole
    edges = shapely.get_parts(shapely.node(shapely.boundary(union)))
    faces = shapely.get_parts(shapely.polygonize(edges))
    shapely.prepare(union)
    pieces = faces[~shapely.intersects(union, shapely.point_on_surface(faces))]
    if within is not None:
        ground = repair(within).geometry[0]
        beyond = shapely.difference(pieces, ground)
        pieces = shapely.get_parts(_areal(np.array([*beyond, shapely.difference(ground, union)])))
    area_m2 = shapely.area(pieces)
    order = np.argsort(-area_m2, kind="stable")
    order = order[area_m2[order] > min_m2]
    return Gaps(pieces[order], area_m2[order])


def is_valid_coverage(geoms: Any, within: shapely.Geometry | None = None) -> bool:
    """Whether polygons match edge by edge and neither overlap nor leave gaps, to 0 m2.

    A hole of the union is a gap; pass ``within`` where the ground has an outline of its own. Nothing is repaired: an
    invalid polygon makes no coverage.
    """
    return edges_match(geoms) and len(gaps(geoms, within).area_m2) == 0


def edges_match(geoms: Any) -> bool:
    """Whether valid polygons touch one another along identical edges only; holes and gaps are allowed.

    ``shapely.coverage_is_valid`` decides. GEOS 3.14 refuses some sound coverages (a wedge-shaped gap that ends in a
    shared vertex), so what it refuses is looked at pair by pair.
    """
    shapes = _given(geoms)
    if not shapely.is_valid(shapes).all():
        return False
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    i, j = shapely.STRtree(shapes).query(shapes[suspects], predicate="intersects")
    differ = suspects[i] != j
    a, b = shapes[suspects[i][differ]], shapes[j[differ]]
    apart = shapely.relate_pattern(a, b, "F********").all()
    return bool(apart and all(_vertices_match(one, other) for one, other in zip(a, b, strict=True)))


def _vertices_match(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    """Whether every vertex of either that lies on the other's border is a vertex there too."""
    corners = [shapely.get_coordinates(shape) for shape in (one, other)]
    known = [{tuple(xy) for xy in vertices.tolist()} for vertices in corners]
    for vertices, border, there in (
        (corners[0], shapely.boundary(other), known[1]),
        (corners[1], shapely.boundary(one), known[0]),
    ):
        touching = vertices[shapely.intersects(shapely.points(vertices), border)]
        if not all(tuple(xy) in there for xy in touching.tolist()):
            return False
    return True


def repair(geoms: Any) -> Repaired:
    """Valid versions of polygons by the structure rule (outer rings hold ground, inner rings do not); lines keep lines.

    ``changed_m2`` is the difference of the areas before and after, before taken by the signed (shoelace) area: a
    bow-tie whose halves cancel out counts with all its ground. Parts that collapse to lines are left out.
    """
    shapes = np.atleast_1d(np.asarray(geoms, dtype=object))
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    valid, changed_m2 = shapes.copy(), np.zeros(len(shapes))
    if broken.any():
        made = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        areal = shapely.get_dimensions(shapes[broken]) == 2
        made[areal] = _areal(made[areal])
        valid[broken] = made
        changed_m2[broken] = np.abs(shapely.area(made) - shapely.area(shapes[broken]))
    return Repaired(valid, changed_m2)


def _given(geoms: Any) -> Geometries:
    """The polygons that are there; missing ones become empty, so positions stay."""
    shapes = np.array(geoms, dtype=object, ndmin=1)
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    return shapes


def _valid(geoms: Any) -> Geometries:
    return repair(_given(geoms)).geometry


def _areal(shapes: Geometries) -> Geometries:
    """Only the polygons of results that may also hold points and lines."""
    out = shapes.copy()
    for index in np.flatnonzero(shapely.get_type_id(shapes) == 7):
        parts = shapely.get_parts(shapes[index])
        out[index] = shapely.union_all(parts[shapely.get_type_id(parts) == 3])
    out[shapely.get_dimensions(out) < 2] = shapely.Polygon()
    return out
