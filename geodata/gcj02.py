"""The shifts of Chinese web maps: GCJ-02 (Amap, Tencent) and BD-09 (Baidu) to and from WGS-84, in NumPy.

The formulas are not published; these are the ones recovered by the open source community (eviltransform,
coordtransform) and agree with the web services to about a metre or better. WGS-84 and CGCS2000 differ by a few
centimetres and are taken as one. Points outside the box 72.004-137.8347 E, 0.8293-55.8271 N are left as they are:
the field's usual rule, applied to the WGS-84 position.

All functions take and return float arrays of degrees of one shape (longitude, latitude); NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Degrees = NDArray[np.float64]
Shift = Callable[[ArrayLike, ArrayLike], tuple[Degrees, Degrees]]

_AXIS_M = 6378245.0  # Krassovsky 1940, which the shift is computed on
_ECCENTRICITY_2 = 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0
_LAST_PLACE_DEG = 5e-14  # 5e-9 m: what a double can still tell apart at 135 degrees
_MAX_ROUNDS = 30
_BLOCK = 16_384  # points that stay in the processor's cache


def inside_shifted_box(lon: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    """Where the shift applies: the rectangle around China that web maps use."""
    inside: NDArray[np.bool_] = (lon > 72.004) & (lon < 137.8347) & (lat > 0.8293) & (lat < 55.8271)
    return inside


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """GCJ-02 position of WGS-84 points."""
    lon, lat = _degrees(lon), _degrees(lat)
    inside = inside_shifted_box(lon, lat)
    d_lon, d_lat = _gcj02_offset(lon, lat)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """WGS-84 position of GCJ-02 points: fixed-point inverse, residual under 1e-8 m."""
    return _invert(_gcj02_shifted, _degrees(lon), _degrees(lat))


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """BD-09 position of GCJ-02 points inside China (Baidu's own second shift)."""
    lon, lat = _degrees(lon), _degrees(lat)
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def wgs84_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """BD-09 position of WGS-84 points; outside the box unchanged."""
    lon, lat = _degrees(lon), _degrees(lat)
    inside = inside_shifted_box(lon, lat)
    shifted_lon, shifted_lat = _bd09_shifted(lon, lat)
    return np.where(inside, shifted_lon, lon), np.where(inside, shifted_lat, lat)


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """WGS-84 position of BD-09 points: fixed-point inverse of both shifts together, residual under 1e-8 m."""
    return _invert(_bd09_shifted, _degrees(lon), _degrees(lat))


def _degrees(values: ArrayLike) -> Degrees:
    return np.asarray(values, dtype=np.float64)


def _gcj02_shifted(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    d_lon, d_lat = _gcj02_offset(lon, lat)
    return lon + d_lon, lat + d_lat


def _bd09_shifted(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return gcj02_to_bd09(*_gcj02_shifted(lon, lat))


def _gcj02_offset(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The shift in degrees, without regard to the box."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (wave + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north = north + (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (wave + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east = east + (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _ECCENTRICITY_2 * np.sin(phi) ** 2
    d_lat = np.degrees(north * magic * np.sqrt(magic) / (_AXIS_M * (1.0 - _ECCENTRICITY_2)))
    d_lon = np.degrees(east * np.sqrt(magic) / (_AXIS_M * np.cos(phi)))
    return d_lon, d_lat


def _invert(
    shift: Callable[[Degrees, Degrees], tuple[Degrees, Degrees]], lon: Degrees, lat: Degrees
) -> tuple[Degrees, Degrees]:
    """The inverse of ``shift``, block by block."""
    found = np.empty((2, lon.size))
    flat_lon, flat_lat = lon.ravel(), lat.ravel()
    for start in range(0, lon.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        found[:, block] = _invert_block(shift, flat_lon[block], flat_lat[block])
    return found[0].reshape(lon.shape), found[1].reshape(lat.shape)


def _invert_block(
    shift: Callable[[Degrees, Degrees], tuple[Degrees, Degrees]], lon: Degrees, lat: Degrees
) -> tuple[Degrees, Degrees]:
    """The point that ``shift`` brings to (lon, lat): ``p <- p + target - shift(p)``, a contraction by about 100."""
    found_lon, found_lat = lon.copy(), lat.copy()
    for _ in range(_MAX_ROUNDS):
        at_lon, at_lat = shift(found_lon, found_lat)
        d_lon, d_lat = lon - at_lon, lat - at_lat
        found_lon += d_lon
        found_lat += d_lat
        largest = max(np.nanmax(np.abs(d_lon), initial=0.0), np.nanmax(np.abs(d_lat), initial=0.0))
        if largest < _LAST_PLACE_DEG:
            break
    inside = inside_shifted_box(found_lon, found_lat)
    return np.where(inside, found_lon, lon), np.where(inside, found_lat, lat)
