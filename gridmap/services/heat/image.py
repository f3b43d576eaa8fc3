"""Case heat: density in cases per km2 with a bandwidth in metres and a fixed legend, as an image for a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services.actor import Actor
from gridmap.services.heat.bins import bins
from gridmap.services.mapdata import Bounds
from gridmap.services.plans.access import subtree

BANDWIDTHS_M = (100, 250, 500, 1000)
#: Bins of an image: no finer than an eighth of the bandwidth or a pixel, and no more than so many.
_FINE, _BINS_MAX = 8, 1 << 16
_AROUND_M = 40_075_016.7
_LEVEL_MAX = 22
#: Those who may not see single cases have views counted in whole squares of this level.
_COARSE = 16
_TOP = 85.0


@dataclass(frozen=True, slots=True)
class HeatImage:
    """A transparent PNG in Web Mercator that fills the asked bounds, and the number of cases inside them."""

    png: bytes
    cases: int


@service
def image(
    session: Session,
    actor: Actor,
    bounds: Bounds,
    size: tuple[int, int],
    *,
    bandwidth_m: float = 250.0,
    since: datetime | None = None,
    until: datetime | None = None,
    categories: Sequence[str] | None = None,
    region: str | None = None,
) -> HeatImage:
    """Density of the cases in ``bounds`` (west, south, east, north in degrees), ``size`` columns and rows.

    Cases whose place was not found, put down on one point by many addresses, are left out. ``since`` belongs to the
    span, ``until`` does not; naive times are refused. Who may not see single cases gets no bandwidth below 100 m, and
    the count of the squares of half a kilometre around. ``Forbidden`` CASES_SMALL_NUMBERS; ``Invalid`` (HEAT_RANGE)
    for a span or a bandwidth that makes no sense.
    """
    from geodata.density import png, smooth

    if not 20 <= bandwidth_m <= 5000:
        raise Invalid("HEAT_RANGE")
    close = actor.sees_raw(subtree(region) or "")
    if not close:  # no image and no count tells the address of a single case
        bandwidth_m = max(bandwidth_m, float(BANDWIDTHS_M[0]))
    west, south, east, north = bounds
    latitude = (south + north) / 2
    shrink = math.cos(math.radians(latitude))
    margin_lat = 1.01 * bandwidth_m / 110_000
    margin_lon = margin_lat / max(math.cos(math.radians(min(abs(latitude) + 1, 89))), 0.01)
    around = (
        max(west - margin_lon, -180.0),
        max(south - margin_lat, -_TOP),
        min(east + margin_lon, 180.0),
        min(north + margin_lat, _TOP),
    )
    pixel_m = (east - west) / 360 * _AROUND_M * shrink / size[0]
    level = _level(around, _AROUND_M * shrink / max(pixel_m, bandwidth_m / _FINE))
    chosen = {"since": since, "until": until, "categories": categories, "region": region}
    found = bins.within(session, actor, around, level, placed=True, **chosen)  # type: ignore[arg-type]
    counted = bounds if close else _widened(bounds)
    inside = bins.within(session, actor, counted, min(level, 12), placed=True, **chosen)  # type: ignore[arg-type]
    surface = smooth(found.counts, _AROUND_M * shrink / 2**level, bandwidth_m)
    left, right = (_across(lon) * 2**level - found.column for lon in (west, east))
    top, bottom = (_down(lat) * 2**level - found.row for lat in (north, south))
    rows = max(1, math.ceil(size[0] * (bottom - top) / (right - left) - 1e-6))
    rows, columns = (size[1], math.ceil(size[1] / rows * size[0])) if rows > size[1] else (rows, size[0])
    drawn = _resampled(_resampled(surface, top, bottom, rows).T, left, right, columns).T
    return HeatImage(png(drawn), inside.total)


def _level(around: Bounds, squares: float) -> int:
    """Level of at least ``squares`` across the world, or as many as there may be in the view."""
    level = min(max(math.ceil(math.log2(squares)), 0), _LEVEL_MAX)
    share = (_across(around[2]) - _across(around[0])) * (_down(around[1]) - _down(around[3]))
    while level > 0 and share * 4**level > _BINS_MAX:
        level -= 1
    return level


def _widened(bounds: Bounds) -> Bounds:
    """Bounds moved outwards to the next edges of squares of about half a kilometre."""
    n = 2**_COARSE
    west, east = math.floor(_across(bounds[0]) * n) / n, math.ceil(_across(bounds[2]) * n) / n
    north, south = math.floor(_down(bounds[3]) * n) / n, math.ceil(_down(bounds[1]) * n) / n
    return west * 360 - 180, _latitude(south), east * 360 - 180, _latitude(north)


def _latitude(down: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * down))))


def _across(lon: float) -> float:
    """West to east of the world as 0 to 1."""
    return (lon + 180) / 360


def _down(lat: float) -> float:
    """North to south of the web map's world as 0 to 1."""
    return (1 - math.asinh(math.tan(math.radians(min(max(lat, -85.06), 85.06)))) / math.pi) / 2


def _resampled(surface: np.ndarray, begin: float, end: float, length: int) -> np.ndarray:
    """``length`` rows lying evenly from ``begin`` to ``end`` of those of ``surface``, linear between their middles."""
    at = np.clip(begin + (np.arange(length) + 0.5) * (end - begin) / length - 0.5, 0, len(surface) - 1)
    low = np.minimum(at.astype(np.int64), max(len(surface) - 2, 0))
    share = (at - low).astype(np.float32)[:, None]
    return np.asarray(surface[low] * (1 - share) + surface[np.minimum(low + 1, len(surface) - 1)] * share)
