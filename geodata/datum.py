"""The datum detective: is a file in WGS-84/CGCS2000, in GCJ-02 (Amap, Tencent) or in BD-09 (Baidu)?

Files do not say. Each hypothesis is undone (:mod:`geodata.gcj02`) and the file compared with layers already trusted:
nearest distance of building points to buildings, of lines to lines, of borders to borders; where only regions are
known, the share of points, or of the vertices of roads and rivers, inside them. The shift is 23-699 m (GCJ-02) or
696-1,514 m (BD-09).

The answer is called confident when at least 30 places were compared and

- by distance: the best median is at most 50 m, and every other one at least twice as large plus 3 m;
- by regions: at most 5 % of the points fall more than 50 m outside under the best hypothesis, and under every other
  one at least 10 more and three times as many (nearer ones say more of the borders than of the datum);

and when no two layers are confident of different answers. Otherwise a person is asked, with the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.crs import Datum, middle_lon, to_metric, unshift
from geodata.fields import Kind
from geodata.messages import sentence

DATUMS: tuple[Datum, ...] = ("CGCS2000", "GCJ02", "BD09")
SAMPLE = 5_000
MIN_COMPARED = 30
MAX_MEDIAN_M = 50.0
MAX_OUTSIDE_SHARE = 0.05
BORDER_M = 50.0

_BORDERS = frozenset({Kind.REGIONS, Kind.GRIDS, Kind.UNITS})
_POINTS = frozenset({Kind.BUILDINGS, Kind.CASES})

_Geometries = NDArray[np.object_]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """How well the file fits if it is in ``datum``: offsets in metres; ``outside`` counts places more than
    50 m outside, where regions were used."""

    datum: Datum
    median_offset_m: float
    p90_m: float
    n: int
    outside: int | None = None


@dataclass(frozen=True, slots=True)
class DatumReport:
    """The detective's answer; ``against`` is the kind of the trusted layer it rests on, None where there is none."""

    hypotheses: tuple[Hypothesis, ...]
    best: Datum
    confident: bool
    against: Kind | None
    code: str

    def sentence(self, locale: str = "zh") -> str:
        """The numbers of every hypothesis and the verdict, in ``locale``."""
        numbers = {
            f"{h.datum.lower()}_{name}": value
            for h in self.hypotheses
            for name, value in (("m", round(h.median_offset_m)), ("outside", h.outside), ("n", h.n))
        }
        verdict = sentence("DATUM_SURE" if self.confident else "DATUM_ASK", locale, datum=_NAMES[self.best])
        return sentence(self.code, locale, **numbers) + ("。" if locale == "zh" else ". ") + verdict


_NAMES = {"CGCS2000": "WGS-84/CGCS2000", "GCJ02": "GCJ-02", "BD09": "BD-09"}


def detect(kind: Kind, shapes: Any, trusted: Mapping[Kind, Any], *, seed: int = 0) -> DatumReport:
    """Compare a file of ``kind``, geometries in longitude and latitude, with trusted layers in EPSG:4490.

    At most 5,000 places are compared, drawn with ``seed``; the cost grows with the trusted geometries (about 3 us
    each), so pass those of the file's surroundings. Layers that say nothing about the file are left aside.
    """
    geometries = _usable(shapes)
    if not len(geometries):
        return DatumReport((), "CGCS2000", False, None, "DATUM_NO_EVIDENCE")
    picked = _pick(geometries, np.random.default_rng(seed))
    if not _is_shifted(picked):
        return DatumReport((), "CGCS2000", True, None, "DATUM_ABROAD")
    reports = [
        report
        for other, layer in trusted.items()
        if len(known := _usable(layer)) and (report := _compare(kind, picked, other, known, seed)) is not None
    ]
    return _judge(reports)


def _judge(reports: list[DatumReport]) -> DatumReport:
    """The strongest report: a confident one by distance, then by regions; contradiction makes all unsure."""
    if not reports:
        return DatumReport((), "CGCS2000", False, None, "DATUM_NO_EVIDENCE")
    ranked = sorted(reports, key=lambda r: (not r.confident, r.code != "DATUM_OFFSETS", _best_of(r).median_offset_m))
    first = ranked[0]
    answers = {r.best for r in reports if r.confident}
    if len(answers) > 1:
        return DatumReport(first.hypotheses, first.best, False, first.against, first.code)
    return first


def _best_of(report: DatumReport) -> Hypothesis:
    return next(h for h in report.hypotheses if h.datum == report.best)


def _compare(kind: Kind, shapes: _Geometries, other: Kind, known: _Geometries, seed: int) -> DatumReport | None:
    """The report against one trusted layer; None where the two kinds do not lie on one another."""
    lon0 = middle_lon(known)
    if kind in _POINTS | {Kind.BARRIERS} and other is Kind.REGIONS:
        places = _places(shapes) if kind in _POINTS else _vertices(shapes, seed)
        return _by_regions(places, to_metric(known, lon0), lon0)
    if kind in _BORDERS and other in _BORDERS | {Kind.BARRIERS}:
        return _by_borders(shapes, known, other, lon0, seed)
    if kind is Kind.BARRIERS and other is Kind.BARRIERS:
        return _by_distance(_vertices(shapes, seed), _lines(to_metric(known, lon0)), other, lon0)
    if kind in _POINTS and other is Kind.BUILDINGS:
        areal = (shapely.get_dimensions(shapes) == 2).all() and (shapely.get_dimensions(known) == 2).all()
        sampled, target = (_vertices(shapes, seed), _lines(known)) if areal else (_places(shapes), known)
        return _by_distance(sampled, to_metric(target, lon0), other, lon0)
    if kind is Kind.CASES and other is Kind.BARRIERS:
        return _by_distance(_places(shapes), _lines(to_metric(known, lon0)), other, lon0)
    return None


def _by_distance(lonlat: _Floats, target_m: _Geometries, against: Kind, lon0: float) -> DatumReport:
    tree = shapely.STRtree(target_m)
    offsets = {datum: _nearest_m(tree, to_metric(unshift(lonlat, datum), lon0)) for datum in DATUMS}
    return _offset_report(offsets, against)


def _by_borders(shapes: _Geometries, known: _Geometries, against: Kind, lon0: float, seed: int) -> DatumReport:
    """Borders both ways, the closer way counting: a grid's inner borders lie on no region's, but not the reverse."""
    known_tree = shapely.STRtree(_lines(to_metric(known, lon0)))
    vertices, known_vertices = _vertices(shapes, seed), _vertices(known, seed)
    offsets = {}
    for datum in DATUMS:
        mine = to_metric(unshift(shapes, datum), lon0)
        there = _nearest_m(known_tree, to_metric(unshift(vertices, datum), lon0))
        back = _nearest_m(shapely.STRtree(_lines(mine)), _within(to_metric(known_vertices, lon0), mine))
        offsets[datum] = min((there, back), key=lambda d: np.median(d) if len(d) >= MIN_COMPARED else np.inf)
    return _offset_report(offsets, against)


def _offset_report(offsets: Mapping[Datum, _Floats], against: Kind) -> DatumReport:
    hypotheses = tuple(
        Hypothesis(datum, float(np.median(d)), float(np.percentile(d, 90)), len(d)) for datum, d in offsets.items()
    )
    best, *others = sorted(hypotheses, key=lambda h: h.median_offset_m)
    confident = (
        best.n >= MIN_COMPARED
        and best.median_offset_m <= MAX_MEDIAN_M
        and all(h.median_offset_m >= 2 * best.median_offset_m + 3 for h in others)
    )
    return DatumReport(hypotheses, best.datum, confident, against, "DATUM_OFFSETS")


def _by_regions(lonlat: _Floats, regions_m: _Geometries, lon0: float) -> DatumReport:
    tree = shapely.STRtree(regions_m)
    hypotheses = []
    for datum in DATUMS:
        offsets = _nearest_m(tree, to_metric(unshift(lonlat, datum), lon0))
        outside = int((offsets > BORDER_M).sum())
        median, p90 = np.percentile(offsets, [50, 90])
        hypotheses.append(Hypothesis(datum, float(median), float(p90), len(offsets), outside))
    best, *others = sorted(hypotheses, key=lambda h: h.outside or 0)
    least = best.outside or 0
    confident = (
        best.n >= MIN_COMPARED
        and least <= MAX_OUTSIDE_SHARE * best.n
        and all((h.outside or 0) >= max(least + 10, 3 * least) for h in others)
    )
    return DatumReport(tuple(hypotheses), best.datum, confident, Kind.REGIONS, "DATUM_REGIONS")


def _usable(shapes: Any) -> _Geometries:
    geometries = np.atleast_1d(np.asarray(shapes, dtype=object))
    bounds = shapely.bounds(geometries)
    kept: _Geometries = geometries[np.isfinite(bounds).all(axis=1) & (np.abs(bounds).max(axis=1) > 0)]
    return kept


def _pick(geometries: _Geometries, rng: np.random.Generator) -> _Geometries:
    return geometries if len(geometries) <= SAMPLE else rng.choice(geometries, SAMPLE, replace=False)


def _is_shifted(shapes: _Geometries) -> bool:
    """Whether undoing GCJ-02 moves any of the places at all (it does nothing outside China)."""
    places = _places(shapes)
    return bool(np.abs(unshift(places, "GCJ02") - places).max() > 1e-6)


def _places(shapes: _Geometries) -> _Floats:
    return shapely.get_coordinates(shapely.centroid(shapes))


def _vertices(shapes: _Geometries, seed: int) -> _Floats:
    vertices = shapely.get_coordinates(shapes)
    rng = np.random.default_rng(seed)
    return vertices if len(vertices) <= SAMPLE else rng.choice(vertices, SAMPLE, replace=False)


def _lines(shapes: _Geometries) -> _Geometries:
    """Polygons become their boundaries; lines and points stay."""
    return np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)


def _within(xy_m: _Floats, shapes_m: _Geometries) -> _Floats:
    """The points inside the bounding box of ``shapes_m``."""
    west, south, east, north = shapely.total_bounds(shapes_m)
    kept: _Floats = xy_m[(xy_m[:, 0] >= west) & (xy_m[:, 0] <= east) & (xy_m[:, 1] >= south) & (xy_m[:, 1] <= north)]
    return kept


def _nearest_m(tree: shapely.STRtree, xy_m: _Floats) -> _Floats:
    """Distance in metres from every point to the nearest geometry of ``tree``."""
    _, distance = tree.query_nearest(shapely.points(xy_m), return_distance=True, all_matches=False)
    return np.asarray(distance, dtype=np.float64)
