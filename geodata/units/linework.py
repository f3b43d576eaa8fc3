"""The lines that cut a community: borders, barriers by class, outlines of compounds; loose ends are closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.units.classes import cutting
from geodata.units.model import Barriers, Compounds, Flags, Floats, Geometries, UnitOptions, geometries
from geodata.units.topology import faces, node, rings

#: Lines are cut off this far inside what they end on, so that noding finds a true crossing.
OVERSHOOT_M = 0.02


@dataclass(frozen=True, slots=True)
class Linework:
    """Lines as drawn (not noded): borders of communities, all others, major barriers; and waters that have an area."""

    borders: Geometries
    lines: Geometries
    major: Geometries
    waters: Geometries


def collect(communities: Geometries, barriers: Barriers, compounds: Compounds, options: UnitOptions) -> Linework:
    """What cuts these communities; barriers and compounds elsewhere are left out."""
    cuts, major = cutting(barriers, options)
    near = _near(barriers.geometry, communities)
    roads = as_lines(barriers.geometry[cuts & near & ~major])
    great = as_lines(barriers.geometry[cuts & near & major])
    outlines = compounds.geometry[_near(compounds.geometry, communities)]
    inner_roads = outside(roads, outlines)
    inner_great = outside(great, outlines[~_truly_crossed(outlines, great, options.compound_cut_share)])
    wet = cuts & near & (barriers.kind == "water") & np.isin(shapely.get_type_id(barriers.geometry), (3, 6))
    lines = np.concatenate([inner_roads, inner_great, rings(outlines)])
    return Linework(rings(communities), lines, great, barriers.geometry[wet])


def as_lines(shapes: Geometries) -> Geometries:
    """Single lines: parts of lines, and the banks of polygons; points and empty shapes fall away."""
    areal = np.isin(shapely.get_type_id(shapes), (3, 6))
    parts = shapely.get_parts(np.concatenate([shapes[~areal], geometries(shapely.boundary(shapes[areal]))]))
    return geometries(parts[np.isin(shapely.get_type_id(parts), (1, 2)) & ~shapely.is_empty(parts)])


def outside(lines: Geometries, outlines: Geometries) -> Geometries:
    """``lines`` without what runs inside an outline (a compound's own lanes do not cut it, nor a border a house)."""
    if not len(outlines) or not len(lines):
        return lines
    row, at = shapely.STRtree(outlines).query(lines, predicate="intersects")
    if not len(row):
        return lines
    shrunk = shapely.buffer(outlines, -OVERSHOOT_M, join_style="mitre")
    kept = lines.copy()
    starts = np.searchsorted(row, np.unique(row))
    for start, end in zip(starts, [*starts[1:], len(row)], strict=True):
        inside = shapely.union_all(shrunk[at[start:end]])
        kept[row[start]] = shapely.difference(lines[row[start]], inside)
    return as_lines(kept)


def _truly_crossed(outlines: Geometries, great: Geometries, share: float) -> Flags:
    """Compounds that a major barrier divides into parts worth the name, rather than grazing the outline."""
    crossed = np.zeros(len(outlines), dtype=bool)
    if not len(great) or not len(outlines):
        return crossed
    at, row = shapely.STRtree(great).query(outlines, predicate="intersects")
    for compound in np.unique(at):
        outline = outlines[compound]
        pieces = faces(node(np.append(great[row[at == compound]], shapely.boundary(outline)), 1e-5))
        pieces = pieces[shapely.intersects(outline, shapely.point_on_surface(pieces))]
        areas = np.sort(shapely.area(pieces))
        crossed[compound] = len(areas) > 1 and areas[-2] >= share * shapely.area(outline)
    return crossed


def connectors(noded: Geometries, reach_m: float) -> Geometries:
    """Short lines from loose ends of noded lines to the nearest line within ``reach_m`` that they do not meet."""
    ends_xy = shapely.get_coordinates(np.concatenate([shapely.get_point(noded, end) for end in (0, -1)]))
    line = np.tile(np.arange(len(noded)), 2)
    _, inverse, count = np.unique(ends_xy, axis=0, return_inverse=True, return_counts=True)
    stub = shapely.length(noded) < 2 * OVERSHOOT_M
    loose = np.flatnonzero((count[inverse.ravel()] == 1) & ~stub[line])
    if reach_m <= 0 or not len(loose):
        return noded[:0]
    ends = geometries(shapely.points(ends_xy[loose]))
    end, other = shapely.STRtree(noded).query(ends, predicate="dwithin", distance=reach_m)
    apart = shapely.distance(noded[line[loose][end]], noded[other]) > 0
    end, other = end[apart], other[apart]
    distance_m = shapely.distance(ends[end], noded[other])
    order = np.lexsort((other, distance_m, end))
    end, other = end[order], other[order]
    first = np.flatnonzero(np.diff(end, prepend=-1))
    return _beyond(ends[end[first]], noded[other[first]])


def _beyond(ends: Geometries, lines: Geometries) -> Geometries:
    """Lines from each end to the nearest place of its line and a little further."""
    xy = shapely.get_coordinates(shapely.shortest_line(ends, lines)).reshape(-1, 2, 2)
    step: Floats = xy[:, 1] - xy[:, 0]
    length_m = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    xy[:, 1] += step / length_m * OVERSHOOT_M
    return geometries(shapely.linestrings(xy))


def _near(shapes: Geometries, communities: Geometries) -> Flags:
    near = np.zeros(len(shapes), dtype=bool)
    if len(shapes):
        near[shapely.STRtree(shapes).query(communities, predicate="intersects")[1]] = True
    return near
