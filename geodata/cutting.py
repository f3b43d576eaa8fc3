"""Cutting a unit in two along a line drawn by hand, so that the pieces tile it to the last digit.

Pieces keep the vertices of the unit as they are stored. Where the line meets its border between two vertices, the
pieces get a new one there that the neighbour beyond has not (a T-junction, harmless to measuring); :func:`noded` gives
it to the neighbour too before pieces and whole units are united, so that unions stay exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.crs import middle_lon, to_lonlat, to_metric
from geodata.errors import GeodataError

#: An end of the line inside the unit is drawn on this far to reach the border.
REACH_M = 15.0
#: An end this near to a corner of the unit is the corner.
SNAP_M = 0.3
#: A piece smaller than this is a slip of the hand.
SLIVER_M2 = 5.0
_ON_BORDER_M = 1e-6

Floats = NDArray[np.float64]
Point = tuple[float, float]
#: (corner, new vertex, corner): where a cut met the border of the unit, lon/lat.
End = tuple[Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Split:
    """Two pieces (Polygons, lon/lat) from west to east, their areas, and the new vertices on the unit's border."""

    pieces: tuple[Any, Any]
    area_m2: tuple[float, float]
    ends: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class _Cross:
    """An end of the cut: vertex or place ``t`` (0 to 1) on edge ``edge`` of ring ``ring``."""

    ring: int
    edge: int
    t: float
    lonlat: Point
    new: bool


def split(unit: Any, line: Any) -> Split:
    """Cut ``unit`` (Polygon or MultiPolygon of one part, lon/lat) along ``line`` ((n, 2) lon/lat).

    Raises ``GeodataError``: CUT_MISSES where the line does not cross the unit from border to border, CUT_PIECES where
    more than two pieces would result, CUT_SLIVER where one is smaller than :data:`SLIVER_M2`.
    """
    parts = shapely.get_parts(unit)
    if len(parts) != 1:
        raise GeodataError("CUT_PIECES", count=len(parts) + 1)
    lon0 = middle_lon(unit)
    rings = [np.asarray(shapely.get_coordinates(ring)) for ring in shapely.get_rings(parts[0])]
    metric = [to_metric(ring, lon0) for ring in rings]
    ground = shapely.Polygon(metric[0], metric[1:])
    chords, crosses = [], []
    for part in _inside(ground, to_metric(np.asarray(line, dtype=np.float64).reshape(-1, 2), lon0)):
        start, end = (_cross(rings, metric, point) for point in (part[0], part[-1]))
        middle = to_lonlat(part[1:-1], lon0).tolist() if len(part) > 2 else []
        chords.append([start.lonlat, *map(tuple, middle), end.lonlat])
        crosses += [start, end]
    if not chords:
        raise GeodataError("CUT_MISSES")
    faces = _faces(rings, crosses, chords, parts[0])
    if len(faces) != 2:
        raise GeodataError(*(("CUT_MISSES",) if len(faces) < 2 else ("CUT_PIECES",)), count=len(faces))
    first, second = sorted(faces, key=lambda face: float(shapely.get_x(shapely.centroid(face))))
    measured = to_metric(np.array([first, second], dtype=object), lon0)
    if not shapely.is_valid(measured).all():
        raise GeodataError("CUT_PIECES", count=3)  # it runs along the border, nearer than can be measured
    area_m2 = shapely.area(measured).tolist()
    if min(area_m2) < SLIVER_M2:
        raise GeodataError("CUT_SLIVER", area_m2=round(min(area_m2), 1), least_m2=SLIVER_M2)
    ends = tuple((_point(rings[c.ring][c.edge]), c.lonlat, _point(rings[c.ring][c.edge + 1])) for c in crosses if c.new)
    return Split((first, second), (area_m2[0], area_m2[1]), ends)


def _inside(ground: Any, drawn: Floats) -> list[Floats]:
    """Stretches of the line (metres) that cross ``ground`` from border to border."""
    steps = np.r_[True, np.hypot(*np.diff(drawn, axis=0).T) > 0]
    path = drawn[steps]
    if len(path) < 2 or not np.isfinite(path).all():
        raise GeodataError("CUT_MISSES")
    shapely.prepare(ground)
    for end, before in ((0, 1), (-1, -2)):
        if shapely.intersects_xy(ground, *path[end]):
            away = path[end] - path[before]
            further = path[end] + away / np.hypot(*away) * REACH_M
            path = np.vstack([further, path]) if end == 0 else np.vstack([path, further])
    if not shapely.is_simple(shapely.LineString(path)):
        raise GeodataError("CUT_PIECES", count=3)  # it meets itself
    border = shapely.boundary(ground)
    found = []
    crossing = shapely.line_merge(shapely.intersection(ground, shapely.LineString(path)))
    for part in shapely.get_parts(crossing):
        if shapely.get_type_id(part) != 1 or shapely.length(part) < SNAP_M:
            continue
        xy = shapely.get_coordinates(part)
        if (shapely.distance(shapely.points(xy[[0, -1]]), border) <= _ON_BORDER_M).all():
            found.append(xy)
    return found


def _cross(rings: list[Floats], metric: list[Floats], point: Floats) -> _Cross:
    """Where on the border ``point`` (metres) lies."""
    best = (np.inf, 0, 0, 0.0)
    for number, xy in enumerate(metric):
        a, along = xy[:-1], np.diff(xy, axis=0)
        length2 = np.maximum((along**2).sum(axis=1), 1e-18)
        t = np.clip(((point - a) * along).sum(axis=1) / length2, 0.0, 1.0)
        away = np.hypot(*(a + t[:, None] * along - point).T)
        edge = int(away.argmin())
        if away[edge] < best[0]:
            best = (float(away[edge]), number, edge, float(t[edge]))
    _, ring, edge, t_best = best
    for corner in (edge, edge + 1):
        if np.hypot(*(metric[ring][corner] - point)) <= SNAP_M:
            return _Cross(ring, edge, 0.0, _point(rings[ring][corner]), new=False)
    # on the stored edge, from which the projected one bends away by some hundredths of a millimetre
    start, end = rings[ring][edge], rings[ring][edge + 1]
    return _Cross(ring, edge, t_best, _point(start + t_best * (end - start)), new=True)


def _faces(rings: list[Floats], crosses: list[_Cross], chords: list[list[Point]], unit: Any) -> list[Any]:
    """The pieces that chords make of a unit: its rings with the new vertices, and the chords, closed to polygons."""
    edges: list[tuple[Point, Point]] = []
    for number, xy in enumerate(rings):
        path: list[Point] = [_point(xy[0])]
        for edge in range(len(xy) - 1):
            here = sorted((c.t, c.lonlat) for c in crosses if c.new and (c.ring, c.edge) == (number, edge))
            path += [lonlat for _, lonlat in here] + [_point(xy[edge + 1])]
        edges += itertools.pairwise(path)
    for chord in chords:
        edges += itertools.pairwise(chord)
    lines = shapely.linestrings([edge for edge in edges if edge[0] != edge[1]])
    found = shapely.get_parts(shapely.polygonize(lines))
    mine = [face for face in found if shapely.contains_properly(unit, shapely.point_on_surface(face))]
    whole = abs(sum(float(shapely.area(face)) for face in mine) - float(shapely.area(unit)))
    if len(mine) == 2 and (whole > 1e-9 * float(shapely.area(unit)) or not shapely.is_valid(mine).all()):
        raise GeodataError("CUT_PIECES", count=3)  # the line runs along the border
    return mine


def noded(polygons: Any, ends: Iterable[Sequence[Sequence[float]]]) -> Any:
    """``polygons`` ((n,) Polygon or MultiPolygon) with the vertices of ``ends`` where their edges run past them.

    Ends are (corner, vertex, corner) as :class:`Split` gives them, of all cuts that may touch; no edge moves.
    """
    place = _places(ends)
    shapes = np.array(polygons, dtype=object)
    for k, shape in enumerate(shapes):
        parts = shapely.get_parts(shape)
        rings = [[_with(shapely.get_coordinates(ring), place) for ring in shapely.get_rings(part)] for part in parts]
        if any(new is not None for part in rings for _, new in part):
            made = [shapely.Polygon(*_shell([old if new is None else new for old, new in part])) for part in rings]
            shapes[k] = made[0] if shapely.get_type_id(shape) == 3 else shapely.MultiPolygon(made)
    return shapes


def _shell(rings: list[Any]) -> tuple[Any, list[Any]]:
    return rings[0], rings[1:]


def _places(ends: Iterable[Sequence[Sequence[float]]]) -> dict[Point, dict[int, tuple[int, list[Point]]]]:
    """For each vertex the straight lines it lies on: its position there, and all vertices of the line in order."""
    lines: list[tuple[Point, Point, set[Point]]] = []
    for a, p, b in dict.fromkeys(tuple(_point(xy) for xy in end) for end in ends):
        lines.append((a, b, {a, p, b}))
    merged = True
    while merged:
        merged = False
        for line in lines:
            # the edge that was cut is part of a longer one, or the same from the other side
            host = next((o for o in lines if o is not line and line[0] in o[2] and line[1] in o[2]), None)
            if host is not None:
                host[2].update(line[2])
                lines.remove(line)
                merged = True
                break
    place: dict[Point, dict[int, tuple[int, list[Point]]]] = {}
    for number, (a, b, points) in enumerate(lines):
        along = np.subtract(b, a)
        ordered = sorted(points, key=lambda p, a=a, along=along: float(np.dot(np.subtract(p, a), along)))  # type: ignore[misc]
        for at, point in enumerate(ordered):
            place.setdefault(point, {})[number] = (at, ordered)
    return place


def _with(ring: Floats, place: dict[Point, dict[int, tuple[int, list[Point]]]]) -> tuple[Floats, list[Point] | None]:
    """A ring as it is, and with the vertices that its edges run past; None where there is none."""
    points = [_point(xy) for xy in ring]
    out, changed = [points[0]], False
    for start, end in itertools.pairwise(points):
        for number, (at, ordered) in place.get(start, {}).items():
            if number in place.get(end, {}):
                to = place[end][number][0]
                between = ordered[at + 1 : to] if at < to else ordered[to + 1 : at][::-1]
                out += between
                changed = changed or bool(between)
        out.append(end)
    return ring, out if changed else None


def _point(xy: Any) -> Point:
    return float(xy[0]), float(xy[1])
