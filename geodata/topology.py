"""Units as arcs: every border once, as a line between two nodes with the unit on its left and on its right.

Polygons that tile the ground repeat each other's vertices. Snapped to whole numbers of a small step, equal vertices are
equal numbers, and edges that two units share are found by sorting. What is drawn of a grid is then a choice of arcs:
those with the grid on one side only. No overlay, no tolerance; nothing can come apart.

Coordinates are Web Mercator "world" coordinates: x = (lon + 180) / 360, y = (1 - asinh(tan lat) / pi) / 2, from 0 to 1,
north at 0. Left and right are those of somebody who walks along the arc on a map with north up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.topology_edges import Edges, match, rings_of, split_at_vertices

Ints = NDArray[np.int64]
Small = NDArray[np.int32]
Floats = NDArray[np.float64]

#: The finest step: 2.3 mm at the equator, 2 mm at 30 degrees; 31 bits hold an eighth of the world at it.
FINEST_STEP = 2.0**-34
#: A vertex this near to an edge lies on it: about a centimetre, what rounding in a file or a projection amounts to.
NEAR_STEPS = 5.0
_MOST = 2**31 - 2
_LAT_MAX = 85.05


class Lattice(NamedTuple):
    """Whole numbers for places: world = origin + value * step (``step`` a power of two, so this is exact)."""

    x0: float
    y0: float
    step: float

    def values(self, world: Floats) -> Ints:
        """The numbers (k, 2) nearest to world coordinates (k, 2)."""
        return np.round((world - (self.x0, self.y0)) / self.step).astype(np.int64)

    def world(self, values: Any) -> Floats:
        """World coordinates (k, 2) of numbers (k, 2)."""
        found: Floats = np.asarray(values, dtype=np.float64) * self.step + (self.x0, self.y0)
        return found


@dataclass(frozen=True, slots=True)
class Topology:
    """m arcs and r rings of n units.

    ``arc_start`` (m + 1) into ``arc_x``, ``arc_y`` (numbers of ``lattice``, both ends of an arc are written);
    ``arc_left``, ``arc_right`` (m,): unit or -1. ``unit_rings`` (n + 1) into the rings, ``ring_start`` (r + 1) into
    ``ring_arc``: an arc walked forwards, or ``~arc`` where it is walked backwards, the unit always on the left. A unit
    has an outer ring for each part and one for each hole; a unit narrower than the step has none.
    """

    lattice: Lattice
    arc_start: Small
    arc_x: Small
    arc_y: Small
    arc_left: Small
    arc_right: Small
    unit_rings: Small
    ring_start: Small
    ring_arc: Small

    def arrays(self) -> dict[str, Small]:
        """Every array by its name."""
        names = ("arc_start", "arc_x", "arc_y", "arc_left", "arc_right", "unit_rings", "ring_start", "ring_arc")
        return {name: getattr(self, name) for name in names}

    def take(self, units: Ints) -> Topology:
        """The topology of some ``units`` (ascending): others count as outside, arcs between others fall away."""
        n = len(self.unit_rings) - 1
        number = np.full(n + 1, -1, dtype=np.int32)  # the last entry stands for -1
        number[units] = np.arange(len(units), dtype=np.int32)
        left, right = number[self.arc_left], number[self.arc_right]
        arcs = np.flatnonzero((left >= 0) | (right >= 0))
        new_arc = np.full(len(left), -1, dtype=np.int64)
        new_arc[arcs] = np.arange(len(arcs))
        points, arc_start = _rows(self.arc_start, arcs)
        rings, unit_rings = _rows(self.unit_rings, units)
        places, ring_start = _rows(self.ring_start, rings)
        ring_arc = self.ring_arc[places]
        backwards = ring_arc < 0
        renumbered = new_arc[np.where(backwards, ~ring_arc, ring_arc)]
        return Topology(
            self.lattice,
            arc_start,
            self.arc_x[points],
            self.arc_y[points],
            left[arcs],
            right[arcs],
            unit_rings,
            ring_start,
            np.where(backwards, ~renumbered, renumbered).astype(np.int32),
        )

    def bounds_lonlat(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in degrees; None without arcs."""
        if not len(self.arc_x):
            return None
        corners = np.array([[self.arc_x.min(), self.arc_y.max()], [self.arc_x.max(), self.arc_y.min()]])
        (west, south), (east, north) = to_lonlat(self.lattice.world(corners)).tolist()
        return west, south, east, north


def to_world(lonlat: Floats) -> Floats:
    """World coordinates (k, 2) of degrees (k, 2); latitudes beyond the square of Web Mercator are taken as its rim."""
    lat = np.radians(np.clip(lonlat[:, 1], -_LAT_MAX, _LAT_MAX))
    return np.stack([(lonlat[:, 0] + 180) / 360, (1 - np.arcsinh(np.tan(lat)) / np.pi) / 2], axis=1)


def to_lonlat(world: Floats) -> Floats:
    """Degrees (k, 2) of world coordinates (k, 2)."""
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * world[:, 1]))))
    return np.stack([world[:, 0] * 360 - 180, lat], axis=1)


def lattice_of(world: Floats) -> Lattice:
    """The finest lattice whose numbers for ``world`` (k, 2) fit 32 bits, its origin at their north-west corner."""
    if not len(world):
        return Lattice(0.0, 0.0, FINEST_STEP)
    low, high = world.min(axis=0), world.max(axis=0)
    step = FINEST_STEP
    while (high - low).max() / step > _MOST:
        step *= 2
    x0, y0 = (np.floor(low / step) * step).tolist()
    return Lattice(x0, y0, step)


def topology(geoms: Any) -> Topology:
    """The arcs of (Multi)Polygons in degrees (lon, lat); None and empty ones have no rings.

    A border is shared where both units have its vertices; where only one has them, they are put into the other's edge
    if they lie on it (within :data:`NEAR_STEPS`). Elsewhere each unit has arcs of its own, nothing on their other side.
    """
    shapes = np.asarray(geoms, dtype=object)
    lonlat, ring, unit_of_ring, hole = rings_of(shapes)
    world = to_world(lonlat)
    lattice = lattice_of(world)
    edges = Edges.of(lattice.values(world), ring, unit_of_ring, hole)
    edges = split_at_vertices(edges, NEAR_STEPS)
    return _arcs(edges, lattice, len(shapes))


def _arcs(edges: Edges, lattice: Lattice, n: int) -> Topology:
    """Rings cut at nodes into runs of edges; the two runs of one border become one arc."""
    matched = match(edges)
    size, starts = np.diff(edges.ring_start), edges.ring_start[:-1]
    # positions of every ring, from its first cut on and round
    ring = edges.ring
    step = np.arange(len(ring)) - starts[ring]
    position = starts[ring] + (step + (_first_cut(edges, matched.node) - starts)[ring]) % size[ring]
    run = np.flatnonzero(matched.node[position] | (step == 0))
    edge = matched.edge[position]
    mark = np.minimum.reduceat(edge, run) if len(run) else run
    # a border is one arc, which runs as the first of its runs does
    _, first, arc = np.unique(mark, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    first, arc = first[order], rank[arc]
    forwards = np.zeros(len(run), dtype=bool)
    forwards[first] = True
    unit = edges.unit_of_ring[ring[run]]
    right = np.full(len(first), -1, dtype=np.int64)
    right[arc[~forwards]] = unit[~forwards]
    vertex, arc_start = _vertices(edges, position, run[first], np.diff(np.append(run, len(edge)))[first])
    return Topology(
        lattice,
        arc_start.astype(np.int32),
        edges.x[vertex].astype(np.int32),
        edges.y[vertex].astype(np.int32),
        unit[first].astype(np.int32),
        right.astype(np.int32),
        np.searchsorted(edges.unit_of_ring, np.arange(n + 1)).astype(np.int32),
        np.searchsorted(ring[run], np.arange(len(size) + 1)).astype(np.int32),
        np.where(forwards, arc, ~arc).astype(np.int32),
    )


def _first_cut(edges: Edges, node: NDArray[np.bool_]) -> Ints:
    """Where each ring is first cut: at its first node, or at its lowest vertex, which the ring across it shares."""
    starts = edges.ring_start[:-1]
    if not len(starts):
        return starts
    place = np.arange(len(node))
    first_node = np.minimum.reduceat(np.where(node, place, len(node)), starts)
    lowest = np.minimum.reduceat(edges.vertex, starts)
    ring = np.repeat(np.arange(len(starts)), np.diff(edges.ring_start))
    first_low = np.minimum.reduceat(np.where(edges.vertex == lowest[ring], place, len(node)), starts)
    return np.where(first_node < len(node), first_node, first_low)


def _vertices(edges: Edges, position: Ints, start: Ints, length: Ints) -> tuple[Ints, Ints]:
    """Vertices of the runs of ``length`` edges from ``start`` on, both ends included, and where each run begins."""
    begins = np.concatenate([[0], np.cumsum(length + 1)])
    run = np.repeat(np.arange(len(start)), length + 1)
    step = np.arange(begins[-1]) - begins[run]
    inner = step < length[run]
    at = position[start[run] + step - ~inner]
    return np.where(inner, at, edges.follower[at]), begins


def _rows(start: Small, rows: NDArray[Any]) -> tuple[Ints, Small]:
    """What the chosen ``rows`` of a compressed table hold, and their own starts."""
    first, size = start[rows].astype(np.int64), (start[1:] - start[:-1])[rows].astype(np.int64)
    begins = np.concatenate([[0], np.cumsum(size)])
    row = np.repeat(np.arange(len(rows)), size)
    return np.arange(begins[-1]) - begins[row] + first[row], begins.astype(np.int32)


def polygons(found: Topology) -> NDArray[np.object_]:
    """Every unit (n,) rebuilt from its arcs, in degrees; a MultiPolygon where it has several outer rings."""
    return rings_to_polygons(found, np.arange(len(found.unit_rings) - 1))


def rings_to_polygons(found: Topology, units: Ints) -> NDArray[np.object_]:
    """Some units rebuilt from their arcs by the even-odd rule, in degrees."""
    made = np.empty(len(units), dtype=object)
    for k, unit in enumerate(np.asarray(units).tolist()):
        outline = [
            ring_lonlat(found, ring) for ring in range(int(found.unit_rings[unit]), int(found.unit_rings[unit + 1]))
        ]
        shape: Any = shapely.Polygon()
        for ring in outline:
            shape = shapely.symmetric_difference(shape, shapely.make_valid(shapely.Polygon(ring)))
        made[k] = shape
    return made


def ring_lonlat(found: Topology, ring: int) -> Floats:
    """The closed outline (k, 2) of one ring, in degrees."""
    pieces: list[Small] = []
    for signed in found.ring_arc[found.ring_start[ring] : found.ring_start[ring + 1]].tolist():
        arc = ~signed if signed < 0 else signed
        span = slice(int(found.arc_start[arc]), int(found.arc_start[arc + 1]))
        piece = np.stack([found.arc_x[span], found.arc_y[span]], axis=1)
        pieces.append((piece[::-1] if signed < 0 else piece)[1 if pieces else 0 :])
    return to_lonlat(found.lattice.world(np.concatenate(pieces)))
