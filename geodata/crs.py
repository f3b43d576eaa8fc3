"""Which coordinate reference system a file is in, and the way from it to stored coordinates.

Files declare too little or the wrong thing: metres under a declaration of degrees, northing before easting (as Chinese
survey sheets do), eastings with and without the zone prefix, degrees packed with minutes and seconds.
:func:`recognise` tries every reading that the magnitudes allow and ranks them by where the points then fall; a person
confirms. This module also gives the names of :mod:`geodata.projection`, so one import serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import gcj02
from geodata.messages import sentence
from geodata.projection import (
    STORED_CRS,
    central_meridian,
    local_metric_crs,
    middle_lon,
    read_crs,
    stored_transformer,
    to_lonlat,
    to_metric,
    transform_coordinates,
)

__all__ = [
    "STORED_CRS",
    "CrsGuess",
    "Datum",
    "central_meridian",
    "local_metric_crs",
    "middle_lon",
    "read_crs",
    "recognise",
    "stored_transformer",
    "to_lonlat",
    "to_metric",
    "to_stored",
    "unshift",
]

Datum: TypeAlias = Literal["CGCS2000", "GCJ02", "BD09"]
Packing: TypeAlias = Literal["", "dddmmss", "ddd.mmss"]
Bounds: TypeAlias = tuple[float, float, float, float]
_Points: TypeAlias = NDArray[np.float64]

CHINA: Bounds = (73.0, 3.0, 136.0, 54.0)
_NEAR_DEG = 0.5  # a file lies near the trusted extent if it falls within about 50 km of it
_KEPT = 0.05  # readings under this plausibility are not worth a question
_PLACES = ("CRS_PLACE_TRUSTED", "CRS_PLACE_CHINA", "CRS_PLACE_ABROAD")
_WEIGHTS = (0.0, 0.6, 0.3)
_WEIGHTS_BESIDE_TRUSTED = (1.0, 0.3, 0.1)
_SWAPPED = 0.8

#: (datum, EPSG of 3-degree zone 25, of 6-degree zone 13, of the 3-degree zone 75 E without prefix, prior)
_FAMILIES = (
    ("CGCS2000", 4513, 4491, 4534, 1.0),
    ("Xian 1980", 2349, 2327, 2370, 0.5),
    ("Beijing 1954", 2401, 21413, 2422, 0.35),
)


@dataclass(frozen=True, slots=True)
class CrsGuess:
    """One reading of a file's coordinates.

    ``code`` is its main reason (a message code), ``crs`` an EPSG code or WKT, ``plausibility`` 0 to 1, ``bounds``
    where the sampled points then fall (west, south, east, north in degrees). ``swapped``: the file gives y first.
    """

    code: str
    crs: str
    plausibility: float
    swapped: bool = False
    packing: Packing = ""
    notes: tuple[str, ...] = ()
    bounds: Bounds = (0.0, 0.0, 0.0, 0.0)
    declared: str = ""

    @property
    def epsg(self) -> int | None:
        """EPSG code, None where the CRS has none."""
        return read_crs(self.crs).to_epsg()

    def sentence(self, locale: str = "zh") -> str:
        """Why the file may be read so and where it then falls, in ``locale``."""
        name = read_crs(self.crs).name
        parts = [sentence(c, locale, crs=name, declared=self.declared) for c in (self.code, *self.notes)]
        return ("；" if locale == "zh" else "; ").join(parts)


def recognise(
    declared: str | None, bounds: Bounds, sample_xy: ArrayLike, trusted: Bounds | None = None
) -> list[CrsGuess]:
    """Rank the readings of a file's coordinates, the most plausible first; empty where none makes sense.

    ``declared`` is WKT or an EPSG code, ``sample_xy`` (n, 2) coordinates of the file in file order (some hundreds are
    enough), ``bounds`` (xmin, ymin, xmax, ymax) of the file, used where the sample is empty; ``trusted`` the extent in
    degrees of layers already accepted. Raises ``GeodataError`` CRS_UNREADABLE for a declaration nobody understands.

    Plausibility is the share of the sample that falls in China (weight 0.6) or elsewhere on Earth (0.3), times a prior
    of the reading. Where there is a trusted extent the weights are near it 1, in China 0.3, elsewhere 0.1. The old
    datums Xian 1980 and Beijing 1954 cannot be told from CGCS2000 by position and rank below it.
    """
    points = _clean(sample_xy)
    if not len(points):
        points = _clean(np.reshape(bounds, (2, 2)))
    if not len(points):
        return []
    found: list[CrsGuess] = []
    for swapped in (False, True):
        xy = points[:, ::-1] if swapped else points
        for guess, prior in _readings(declared, xy, trusted is not None):
            candidate = replace(guess, swapped=swapped)
            if swapped:
                candidate = replace(candidate, notes=(*candidate.notes, "CRS_SWAPPED"))
            placed = _place(candidate, points, prior * (_SWAPPED if swapped else 1.0), trusted)
            if placed.plausibility >= _KEPT:
                found.append(placed)
    return sorted(found, key=lambda g: -g.plausibility)


def to_stored(shapes: Any, guess: CrsGuess, datum: Datum = "CGCS2000") -> Any:
    """Geometries, or an (n, 2) float array, as the file has them, to stored longitude, latitude (EPSG:4490).

    ``datum`` is the answer of the datum detective. Coordinates that the projection cannot place become inf; Z is
    dropped. Raises ``GeodataError`` CRS_UNREADABLE.
    """
    transformer = stored_transformer(guess.crs)

    def move(x: _Points, y: _Points) -> tuple[_Points, _Points]:
        if guess.swapped:
            x, y = y, x
        if guess.packing:
            x, y = _unpacked(x, guess.packing), _unpacked(y, guess.packing)
        if transformer is not None:
            x, y = transformer.transform(x, y)
        return _UNSHIFT[datum](x, y) if datum in _UNSHIFT else (x, y)

    return transform_coordinates(shapes, move)


def unshift(lonlat: Any, datum: Datum) -> Any:
    """Longitude, latitude of ``datum`` to CGCS2000, exact to well under 1 cm; shapes as :func:`to_stored`."""
    return transform_coordinates(lonlat, _UNSHIFT[datum]) if datum in _UNSHIFT else lonlat


_UNSHIFT: dict[str, gcj02.Shift] = {"GCJ02": gcj02.gcj02_to_wgs84, "BD09": gcj02.bd09_to_wgs84}


def _clean(xy: ArrayLike) -> _Points:
    """Finite points other than (0, 0), which stands for "unknown" in many ledgers."""
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    kept: _Points = points[np.isfinite(points).all(axis=1) & (points != 0).any(axis=1)]
    return kept


def _readings(declared: str | None, xy: _Points, has_trusted: bool) -> Iterator[tuple[CrsGuess, float]]:
    """Every reading of x = east, y = north that the magnitudes allow, with its prior."""
    x, y = np.median(xy, axis=0)
    degrees = bool(abs(x) <= 180 and abs(y) <= 90)
    stated = read_crs(declared) if declared else None
    name = stated.name if stated is not None else ""
    if declared and stated is not None and stated.is_geographic == degrees:
        yield CrsGuess("CRS_DECLARED", declared, 0.0, notes=_old_datum_note(stated.name), declared=name), 1.0
    conflict = () if stated is None else ("CRS_DEGREES_FOR_METRES" if degrees else "CRS_METRES_FOR_DEGREES",)
    if degrees:
        if stated is None or not stated.is_geographic:
            yield CrsGuess("CRS_DEGREES", STORED_CRS, 0.0, notes=conflict, declared=name), 0.95
        if (prior := _minutes_prior(xy)) > 0:
            yield CrsGuess("CRS_DMS", STORED_CRS, 0.0, packing="ddd.mmss", declared=name), prior
        return
    if max(abs(x), abs(y)) <= 180:
        return  # degrees, but in the other order
    conflict = conflict if stated is not None and stated.is_geographic else ()
    for code, crs, prior in _metre_readings(x, y, has_trusted):
        yield CrsGuess(code, crs, 0.0, notes=(*conflict, *_old_datum_note(read_crs(crs).name)), declared=name), prior
    if 730_000 <= x < 1_360_000 and 30_000 <= y < 540_000 and _share_of_minutes(xy / 10_000) == 1.0:
        yield CrsGuess("CRS_DMS", STORED_CRS, 0.0, packing="dddmmss", declared=name), 0.95


def _metre_readings(x: float, y: float, has_trusted: bool) -> Iterator[tuple[str, str, float]]:
    if 3e5 < y < 6.2e6:
        prefix = int(x // 1_000_000)
        for _, three, six, plain, prior in _FAMILIES:
            if 25 <= prefix <= 45:
                yield "CRS_ZONE_PREFIXED", f"EPSG:{three + prefix - 25}", 0.95 * prior
            elif 13 <= prefix <= 23:
                # 13 and 14 million metres are also Web Mercator between Wuhan and Shanghai, the likelier thing
                yield "CRS_ZONE_PREFIXED", f"EPSG:{six + prefix - 13}", (0.5 if prefix < 15 else 0.95) * prior
            elif 50_000 < x < 950_000 and (has_trusted or prior == 1.0):
                # without a trusted extent nothing tells the zones apart: list CGCS2000 only
                for zone in range(21):
                    yield "CRS_ZONE_PLAIN", f"EPSG:{plain + zone}", 0.9 * prior * (1.0 if has_trusted else 0.5)
    if abs(x) < 20_037_509 and abs(y) < 20_037_509:
        yield "CRS_WEB_MERCATOR", "EPSG:3857", 0.85


def _place(guess: CrsGuess, points: _Points, prior: float, trusted: Bounds | None) -> CrsGuess:
    """The guess with its plausibility and the place where the points fall."""
    lon, lat = to_stored(points, guess).T
    on_earth = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    if not on_earth.any():
        return guess
    shares = [_share_within(lon, lat, trusted, _NEAR_DEG), _share_within(lon, lat, CHINA, 0.0), on_earth.mean()]
    weights = _WEIGHTS if trusted is None else _WEIGHTS_BESIDE_TRUSTED
    scores = [share * weight for share, weight in zip(shares, weights, strict=True)]
    score = max(scores)
    note = _PLACES[scores.index(score)]
    lon, lat = lon[on_earth], lat[on_earth]
    place = (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
    return replace(guess, plausibility=float(score * prior), notes=(*guess.notes, note), bounds=place)


def _share_within(lon: _Points, lat: _Points, box: Bounds | None, margin_deg: float) -> float:
    if box is None:
        return 0.0
    west, south, east, north = box
    inside = (lon >= west - margin_deg) & (lon <= east + margin_deg)
    return float((inside & (lat >= south - margin_deg) & (lat <= north + margin_deg)).mean())


def _old_datum_note(name: str) -> tuple[str, ...]:
    return ("CRS_OLD_DATUM",) if "1980" in name or "1954" in name else ()


def _minutes_prior(xy: _Points) -> float:
    """How likely decimal-looking degrees are degrees.minutes-seconds ("121.2830" for 121 deg 28 min 30 s).

    Every third and fourth, first and second decimal must be below 60. That happens by chance in a file of few points
    or of small extent, so below 20 points no such reading is offered and below 0.02 degrees it ranks behind degrees.
    """
    distinct = np.unique(xy, axis=0)
    if len(distinct) < 20 or _share_of_minutes(distinct) < 1.0:
        return 0.0
    return 0.98 if np.ptp(distinct, axis=0).min() > 0.02 else 0.4


def _share_of_minutes(packed: _Points) -> float:
    """Share of points whose ddd.mmss numbers have minutes and seconds below 60 on both axes."""
    minutes, seconds = _minutes_seconds(packed)
    return float(((minutes < 60) & (seconds < 60)).all(axis=1).mean())


def _minutes_seconds(packed: _Points) -> tuple[_Points, _Points]:
    hundredths = (np.abs(packed) % 1.0) * 100 + 1e-9  # 121.30 has 30 minutes, not 29.999
    minutes = np.floor(hundredths)
    return minutes, np.maximum((hundredths - minutes) * 100 - 1e-7, 0.0)


def _unpacked(values: _Points, packing: Packing) -> _Points:
    """Degrees of numbers that hold degrees, minutes and seconds side by side."""
    packed = values / 10_000 if packing == "dddmmss" else values
    minutes, seconds = _minutes_seconds(packed)
    degrees: _Points = np.sign(packed) * (np.floor(np.abs(packed) + 1e-11) + minutes / 60 + seconds / 3600)
    return degrees
