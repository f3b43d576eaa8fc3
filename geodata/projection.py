"""The stored CRS, the local metric CRS of a place, any other CRS, and the way between them.

Stored coordinates are CGCS2000 longitude, latitude in degrees (EPSG:4490), always in that order. Metres exist only
in the 3-degree Gauss-Krueger zone of the place, without zone prefix (false easting 500 km). WGS-84 and CGCS2000
differ by centimetres and are taken as one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyproj
import shapely
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import TransverseMercatorConversion

from geodata.errors import GeodataError

STORED_CRS = "EPSG:4490"

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
    return transform_coordinates(lonlat, _to_zone(meridian).transform)


def to_lonlat(metric: Any, lon0: float) -> Any:
    """Metres in the local metric CRS of longitude ``lon0`` back to stored coordinates; shapes as :func:`to_metric`."""
    return transform_coordinates(metric, _from_zone(central_meridian(lon0)).transform)


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
        return transformer_between(source.to_wkt(), target)
    except pyproj.exceptions.ProjError as error:
        raise GeodataError("CRS_UNREADABLE", crs=source.name) from error


@cache
def read_crs(text: str) -> pyproj.CRS:
    """A CRS from an EPSG code, a PROJ string or WKT (ESRI's too). Raises ``GeodataError`` CRS_UNREADABLE."""
    try:
        crs = pyproj.CRS.from_user_input(text)
        return crs.to_2d() if crs.is_geographic or crs.is_projected else crs
    except pyproj.exceptions.CRSError as error:
        raise GeodataError("CRS_UNREADABLE", crs=text[:80]) from error


def _same_datum(crs: pyproj.CRS, other: str) -> bool:
    # Longitude from Greenwich in degrees is meant; ESRI's WKT names datums its own way, so compare the meaning.
    return bool(crs.equals(other, ignore_axis_order=True)) or crs.to_epsg(min_confidence=60) == int(other[5:])


def _is_points(shapes: Any) -> bool:
    return isinstance(shapes, np.ndarray) and shapes.dtype.kind in "fiu"


def transform_coordinates(shapes: Any, move: Callable[..., Any]) -> Any:
    """Replace every coordinate of geometries, or of an (n, 2) float array, by ``move(x, y)``; Z is dropped."""
    if _is_points(shapes):
        points = np.asarray(shapes, dtype=np.float64)
        return np.column_stack(move(points[:, 0], points[:, 1]))
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
def _to_zone(meridian: int) -> pyproj.Transformer:
    return transformer_between(STORED_CRS, _zone_crs(meridian).to_wkt())


@cache
def _from_zone(meridian: int) -> pyproj.Transformer:
    return transformer_between(_zone_crs(meridian).to_wkt(), STORED_CRS)


@cache
def transformer_between(source: str, target: str) -> pyproj.Transformer:
    """The transformer of two CRS (EPSG codes or WKT), x, y order; safe to share between threads."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)
