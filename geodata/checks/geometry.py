"""Geometry of each row: there, of the right type, valid, at a possible place, inside the known regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.checks.columns import geometry_of, rows_of, text_of, where
from geodata.checks.context import CheckContext
from geodata.coverage import Floats, Geometries, repair
from geodata.crs import middle_lon, to_metric
from geodata.fields import Kind
from geodata.problems import Problem, Severity

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

AREAS = frozenset({Kind.REGIONS, Kind.GRIDS, Kind.UNITS})
_POINT, _POLYGON = {0}, {3, 6}
_TYPES: dict[Kind, tuple[set[int], str, str]] = {
    **dict.fromkeys(AREAS, (_POLYGON, "面", "a polygon")),
    Kind.BUILDINGS: (_POINT | _POLYGON, "点或面", "a point or a polygon"),
    Kind.BARRIERS: ({1, 2, 5} | _POLYGON, "线或面", "a line or a polygon"),
    Kind.CASES: (_POINT, "点", "a point"),
}
_TYPE_NAMES_ZH = ("点", "线", "环", "面", "多点", "多线", "多面", "几何集合")
_NULL_ISLAND_DEG = 1e-3


def missing_geometry(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Rows without geometry or with an empty one. A case that names its grid or building may do without (W).

    Does not check whether the address could be geocoded.
    """
    shapes = geometry_of(frame)
    gone = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if not gone.any():
        return
    has_place = np.zeros(len(frame), dtype=bool)
    if kind is Kind.CASES:
        has_place = (text_of(frame, "grid_code").notna() | text_of(frame, "building_key").notna()).to_numpy(bool)
    rows = rows_of(frame)
    for k in where(gone):
        severity = Severity.WARNING if has_place[k] else Severity.ERROR
        code = "CHECK_GEOMETRY_BY_KEY" if has_place[k] else "CHECK_GEOMETRY_MISSING"
        yield Problem(code, severity, int(rows[k]))


def geometry_type(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Rows whose geometry cannot be what the kind needs: polygons for regions, grids and units, points for cases."""
    shapes, rows = geometry_of(frame), rows_of(frame)
    allowed, zh, en = _TYPES[kind]
    types = shapely.get_type_id(shapes)
    for k in where(~np.isin(types, [-1, *allowed])):
        found = {"found_zh": _TYPE_NAMES_ZH[types[k]], "found_en": shapes[k].geom_type}
        params = {**found, "wanted_zh": zh, "wanted_en": en}
        yield Problem("CHECK_GEOMETRY_TYPE", Severity.ERROR, int(rows[k]), shapes[k], params)


def impossible_place(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Coordinates that are no place: at (0, 0), not finite, beyond 180 or 90 degrees.

    Does not check whether the place is the right one.
    """
    shapes, rows = geometry_of(frame), rows_of(frame)
    bounds = shapely.bounds(shapes)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    with np.errstate(invalid="ignore"):
        beyond = (np.abs(bounds[:, ::2]) > 180).any(axis=1) | (np.abs(bounds[:, 1::2]) > 90).any(axis=1)
        null = (np.abs(bounds) < _NULL_ISLAND_DEG).all(axis=1)
    beyond = there & (beyond | ~np.isfinite(bounds).all(axis=1))
    for k in where(there & null):
        yield Problem("CHECK_PLACE_ZERO", Severity.ERROR, int(rows[k]), shapes[k])
    for k in where(beyond):
        yield Problem("CHECK_PLACE_BEYOND", Severity.ERROR, int(rows[k]))


def invalid_geometry(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Invalid geometries with the reason, and the square metres that a repair (structure rule) would change.

    A repair that changes no more than a sliver is a warning: the row may be accepted repaired. Does not repair.
    """
    shapes, rows = geometry_of(frame), rows_of(frame)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    broken = where(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes) & finite)
    if not len(broken):
        return
    before = to_metric(shapes[broken], middle_lon(shapes[broken]))
    repaired = repair(before)
    for k, was_m2, fixed, change_m2 in zip(
        broken, shapely.area(before), repaired.geometry, repaired.changed_m2, strict=True
    ):
        minor = change_m2 <= context.sliver_m2 and not shapely.is_empty(fixed)
        params = {
            "reason": shapely.is_valid_reason(shapes[k]).split("[")[0],
            "before_m2": round(float(was_m2), 1),
            "after_m2": round(float(shapely.area(fixed)), 1),
            "change_m2": round(float(change_m2), 1),
        }
        severity = Severity.WARNING if minor else Severity.ERROR
        yield Problem("CHECK_GEOMETRY_INVALID", severity, int(rows[k]), shapes[k], params)


def outside_regions(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Buildings, cases, grids and units whose place (a polygon's: a point inside it) lies outside all known regions.

    Up to ``border_m`` outside is a warning. Does not check which region a place lies in, nor barriers, nor regions.
    """
    ground = context.ground
    if ground is None or kind in (Kind.BARRIERS, Kind.REGIONS):
        return
    shapes, rows = geometry_of(frame), rows_of(frame)
    usable = where(np.isfinite(shapely.bounds(shapes)).all(axis=1))
    xy = _inner_points(shapes[usable])
    far = ~shapely.intersects_xy(ground, xy[:, 0], xy[:, 1])
    usable, xy = usable[far], xy[far]
    if not len(usable):
        return
    possible = (np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)
    usable, xy = usable[possible], xy[possible]
    places: Geometries = np.atleast_1d(np.asarray(shapely.points(xy), dtype=object))
    for k, place, distance_m in zip(usable, places, _distance_m(xy, ground), strict=True):
        severity = Severity.WARNING if distance_m <= context.border_m else Severity.ERROR
        yield Problem("CHECK_OUTSIDE", severity, int(rows[k]), place, {"distance_m": round(float(distance_m))})


def _inner_points(shapes: Geometries) -> Floats:
    """Longitude, latitude (n, 2) of points, or of a point inside each other shape."""
    if (shapely.get_type_id(shapes) == 0).all():
        return shapely.get_coordinates(shapes)
    return shapely.get_coordinates(shapely.point_on_surface(shapes))


def _distance_m(xy: Floats, ground: shapely.Geometry) -> Floats:
    """Distance in metres of points outside the ground to the nearest point of it, along the ellipsoid."""
    from pyproj import Geod

    nearest = shapely.get_point(shapely.shortest_line(ground, shapely.points(xy)), 0)
    return np.asarray(Geod(ellps="GRS80").inv(shapely.get_x(nearest), shapely.get_y(nearest), *xy.T)[2])
