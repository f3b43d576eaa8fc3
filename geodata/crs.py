"""Coordinate reference systems: one stored CRS, one local metric CRS, and the way between them.

Stored coordinates are CGCS2000 longitude, latitude in degrees (EPSG:4490), always in that order. Metres exist only
in the 3-degree Gauss-Krueger zone of the place, without zone prefix (false easting 500 km). WGS-84 and CGCS2000
differ by centimetres and are taken as one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
import pyproj
import shapely
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import TransverseMercatorConversion

from geodata import gcj02
from geodata.errors import GeodataError

STORED_CRS = "EPSG:4490"

Datum: TypeAlias = Literal["CGCS2000", "GCJ02", "BD09"]
TO_WGS84: dict[str, gcj02.Shift] = {"GCJ02": gcj02.gcj02_to_wgs84, "BD09": gcj02.bd09_to_wgs84}

_ZONE_WIDTH_DEG = 3
_FIRST_ZONE = (75, 4534)  # central meridian and EPSG code of the first CGCS2000 3-degree zone without prefix
_LAST_MERIDIAN = 135
_FALSE_EASTING_M = 500_000.0


def central_meridian(lon: float) -> int:
    """Central meridian in degrees of the 3-degree zone that holds longitude ``lon``."""
    return round(lon / _ZONE_WIDTH_DEG) * _ZONE_WIDTH_DEG


def local_metric_crs(lon: float) -> pyproj.CRS:
    """The 3-degree Gauss-Krueger zone of longitude ``lon``, metres, false easting 500 km without prefix.

    EPSG:4534-4554 from 75 E to 135 E; elsewhere the same projection built around that central meridian.
    """
    return _zone_crs(central_meridian(lon))


def middle_lon(lonlat: Any) -> float:
    """Longitude in the middle of a geometry, an array of geometries or an (n, 2) array of lon, lat.

    Raises ``GeodataError`` CRS_NOTHING_TO_PLACE where no finite coordinate exists.
    """
    lon = np.asarray(lonlat)[:, 0] if _is_points(lonlat) else shapely.bounds(np.asarray(lonlat, dtype=object))[..., ::2]
    finite = lon[np.isfinite(lon)]
    if finite.size == 0:
        raise GeodataError("CRS_NOTHING_TO_PLACE")
    return float((finite.min() + finite.max()) / 2)


def to_metric(lonlat: Any, lon0: float | None = None) -> Any:
    """Stored coordinates to metres in the local metric CRS of longitude ``lon0`` (default: the middle of the input).

    Takes and returns a geometry, an array of geometries, or an (n, 2) float array of points. To come back, give the
    same ``lon0`` to :func:`to_lonlat`; Z is dropped.
    """
    meridian = central_meridian(middle_lon(lonlat) if lon0 is None else lon0)
    return reproject(lonlat, _transformer(STORED_CRS, _zone_crs(meridian).to_wkt()))


def to_lonlat(metric: Any, lon0: float) -> Any:
    """Metres in the local metric CRS of longitude ``lon0`` back to stored coordinates; shapes as :func:`to_metric`."""
    return reproject(metric, _transformer(_zone_crs(central_meridian(lon0)).to_wkt(), STORED_CRS))


def reproject(shapes: Any, transformer: pyproj.Transformer) -> Any:
    """Run every coordinate of geometries, or of an (n, 2) float array, through ``transformer``; failures become inf."""
    if _is_points(shapes):
        points = np.asarray(shapes, dtype=np.float64)
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
    return _transformed(shapes, transformer.transform)


def stored_transformer(crs: str) -> pyproj.Transformer | None:
    """Transformer from ``crs`` (EPSG code or WKT) to stored coordinates, x, y order; None where they are the same.

    Datums other than CGCS2000 go to WGS-84, for which PROJ knows published parameters (Beijing 1954: some metres).
    Raises ``GeodataError`` CRS_UNREADABLE.
    """
    source = read_crs(crs)
    geodetic = source.geodetic_crs
    if geodetic is None:
        raise GeodataError("CRS_UNREADABLE", crs=source.name)
    target = STORED_CRS if _same_datum(geodetic, STORED_CRS) else "EPSG:4326"
    if source.is_geographic and _same_datum(geodetic, target):
        return None
    try:
        return _transformer(source.to_wkt(), target)
    except pyproj.exceptions.ProjError as error:
        raise GeodataError("CRS_UNREADABLE", crs=source.name) from error


@cache
def read_crs(text: str) -> pyproj.CRS:
    """A CRS from an EPSG code, a PROJ string or WKT (ESRI's too). Raises ``GeodataError`` CRS_UNREADABLE."""
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        raise GeodataError("CRS_UNREADABLE", crs=text[:80]) from error


def unshift(lonlat: Any, datum: Datum) -> Any:
    """Geometries, or an (n, 2) float array, from ``datum`` to CGCS2000, exact to well under 1 cm."""
    if datum == "CGCS2000":
        return lonlat
    shift = TO_WGS84[datum]
    if _is_points(lonlat):
        return np.column_stack(shift(lonlat[:, 0], lonlat[:, 1]))
    return _transformed(lonlat, shift)


def _same_datum(crs: pyproj.CRS, other: str) -> bool:
    # Longitude from Greenwich in degrees is meant; ESRI's WKT names datums its own way, so compare the meaning.
    return bool(crs.equals(other, ignore_axis_order=True)) or crs.to_epsg(min_confidence=60) == int(other[5:])


def _is_points(shapes: Any) -> bool:
    return isinstance(shapes, np.ndarray) and shapes.dtype.kind in "fiu"


def _transformed(shapes: Any, move: Callable[..., Any]) -> Any:
    geometries = shapes if isinstance(shapes, shapely.Geometry) else np.asarray(shapes, dtype=object)
    return shapely.transform(geometries, move, interleaved=False)


@cache
def _zone_crs(meridian: int) -> pyproj.CRS:
    first, epsg = _FIRST_ZONE
    if first <= meridian <= _LAST_MERIDIAN:
        return pyproj.CRS.from_epsg(epsg + (meridian - first) // _ZONE_WIDTH_DEG)
    return ProjectedCRS(
        name=f"CGCS2000 / 3-degree Gauss-Kruger CM {abs(meridian)}{'E' if meridian >= 0 else 'W'}",
        conversion=TransverseMercatorConversion(0.0, float(meridian), _FALSE_EASTING_M, 0.0, 1.0),
        geodetic_crs=pyproj.CRS(STORED_CRS),
    )


@cache
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)
