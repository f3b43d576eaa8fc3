"""Rows that stand twice, points that hold too many rows, and places far from all others; from fingerprints alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.checks.columns import where
from geodata.checks.context import CheckContext
from geodata.checks.fingerprints import Fingerprints, Hashes
from geodata.fields import Kind
from geodata.problems import Problem, Severity

_CROWD = 50  # this many cases on one point are likelier one geocoded address than that many places
_FAR = 3.0  # times the distance within which nine tenths of the places lie
_ENOUGH = 30
_M_PER_DEG = 111_320.0
_CHUNK = 1 << 20


def same_key(kind: Kind, marks: Fingerprints, context: CheckContext) -> Iterator[Problem]:
    """Rows whose code or number an earlier row has. Does not compare with what is already accepted."""
    for k, first in _repeats(marks.key):
        yield Problem("CHECK_SAME_KEY", Severity.ERROR, int(marks.rows[k]), None, _first(marks, first))


def same_geometry(kind: Kind, marks: Fingerprints, context: CheckContext) -> Iterator[Problem]:
    """Regions, grids and units (E) and barriers and building outlines (W) that repeat an earlier row's geometry.

    Does not compare regions of different levels, grids of different departments, nor micro-grids with others; does not
    check points (several things may share one), nor nearly equal geometry: overlaps show that.
    """
    if kind is Kind.CASES:
        return
    severity = Severity.ERROR if kind in (Kind.REGIONS, Kind.GRIDS, Kind.UNITS) else Severity.WARNING
    shape = np.where(marks.thing == 0, marks.shape, np.uint64(0))
    for k, first in _repeats(shape):
        yield Problem("CHECK_SAME_GEOMETRY", severity, int(marks.rows[k]), _point(marks, k), _first(marks, first))


def same_thing(kind: Kind, marks: Fingerprints, context: CheckContext) -> Iterator[Problem]:
    """Buildings of one point, address and name; cases of one point, time and category. A warning.

    Does not compare buildings without address and name.
    """
    code = "CHECK_SAME_CASE" if kind is Kind.CASES else "CHECK_SAME_BUILDING"
    for k, first in _repeats(marks.thing):
        yield Problem(code, Severity.WARNING, int(marks.rows[k]), _point(marks, k), _first(marks, first))


def crowded_points(kind: Kind, marks: Fingerprints, context: CheckContext) -> Iterator[Problem]:
    """Points that hold 50 cases or more: one finding each, the fullest first. It may be a true hot spot."""
    if kind is not Kind.CASES:
        return
    shapes, first, counts = np.unique(marks.shape, return_index=True, return_counts=True)
    crowds = where((counts >= _CROWD) & (shapes != 0))
    for k in crowds[np.argsort(-counts[crowds], kind="stable")]:
        yield Problem("CHECK_CROWD", Severity.INFO, None, _point(marks, first[k]), {"n": int(counts[k])})


def far_from_the_rest(kind: Kind, marks: Fingerprints, context: CheckContext) -> Iterator[Problem]:
    """Buildings and cases three times as far from the middle of the file as nine tenths of it lie. A warning.

    Only where no regions are known (else being outside is checked) and there are 30 places or more.
    """
    if context.ground is not None or kind not in (Kind.BUILDINGS, Kind.CASES):
        return
    there = where(np.isfinite(marks.lon) & np.isfinite(marks.lat) & ((marks.lon != 0) | (marks.lat != 0)))
    if len(there) < _ENOUGH:
        return
    lon, lat = marks.lon[there], marks.lat[there]
    middle = np.median(lon), np.median(lat)
    east_m = (lon - middle[0]) * np.cos(np.radians(middle[1])) * _M_PER_DEG
    distance_m = np.hypot(east_m, (lat - middle[1]) * _M_PER_DEG)
    usual_m = float(np.quantile(distance_m, 0.9))
    for k in where((distance_m > _FAR * usual_m) & (usual_m > 0)):
        params = {"distance_km": round(float(distance_m[k]) / 1_000, 1), "usual_km": round(usual_m / 1_000, 1)}
        row = int(marks.rows[there[k]])
        yield Problem("CHECK_FAR", Severity.WARNING, row, _point(marks, there[k]), params)


def _repeats(hashes: Hashes) -> Iterator[tuple[int, int]]:
    """Positions of values that stood before, with the position of the first; 0 does not count.

    Values that stand once, nearly all of millions, are left behind before anything else is held of them.
    """
    places = _shared(hashes)
    order = places[np.argsort(hashes[places], kind="stable")]
    ordered = hashes[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.empty(0, dtype=bool)
    first: NDArray[np.intp] = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
    pairs = np.column_stack([order[~starts], first[~starts]])
    yield from map(tuple, pairs[np.argsort(pairs[:, 0], kind="stable")].tolist())


def _shared(hashes: Hashes) -> NDArray[np.intp]:
    """Positions of the values other than 0 that stand more than once, ascending."""
    ordered = np.sort(hashes)
    shared = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)])
    del ordered
    if not len(shared):
        return np.empty(0, dtype=np.intp)
    found = []
    for start in range(0, len(hashes), _CHUNK):
        part = hashes[start : start + _CHUNK]
        nearest = np.minimum(np.searchsorted(shared, part), len(shared) - 1)
        found.append(start + np.flatnonzero(shared[nearest] == part))
    return np.concatenate(found)


def _first(marks: Fingerprints, position: int) -> dict[str, int]:
    return {"other_row": int(marks.rows[position])}


def _point(marks: Fingerprints, position: int) -> shapely.Point | None:
    lon, lat = float(marks.lon[position]), float(marks.lat[position])
    return shapely.Point(lon, lat) if np.isfinite(lon + lat) else None
