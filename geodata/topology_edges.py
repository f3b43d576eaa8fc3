"""The edges of snapped rings: which two units share one, and where a border between two units begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Edges:
    """Rings of whole-numbered vertices (e,), the closing one left out; edge k goes from vertex k to ``follower[k]``.

    ``vertex`` (e,): the number of the place, equal where x and y are. ``ring_start`` (r + 1), ``unit_of_ring`` (r,)
    ascending. Outer rings run counter-clockwise on a map with north up (y grows to the south), holes clockwise: the
    unit is always on the left.
    """

    x: Ints
    y: Ints
    vertex: Ints
    ring_start: Ints
    unit_of_ring: Ints

    @property
    def ring(self) -> Ints:
        """The ring of each edge (e,)."""
        return np.repeat(np.arange(len(self.unit_of_ring)), np.diff(self.ring_start))

    @property
    def follower(self) -> Ints:
        """The position (e,) of the vertex that comes next in the ring."""
        return _follower(self.ring)

    @classmethod
    def of(cls, values: Ints, ring: Ints, unit_of_ring: Ints, hole: Bools) -> Edges:
        """From closed rings (k, 2) snapped to numbers; what collapses (fewer than 3 vertices, no area) is left out."""
        follows = ring[1:] == ring[:-1]
        moves = (values[1:] != values[:-1]).any(axis=1)
        kept = np.flatnonzero(follows & moves)
        x, y, ring = values[kept, 0], values[kept, 1], ring[kept]
        sizes = np.bincount(ring, minlength=len(unit_of_ring))
        twice_area = np.bincount(ring, _cross(x, y, _follower(ring)), len(unit_of_ring)) if len(ring) else sizes
        real = (sizes >= 3) & (np.abs(twice_area) > 0.5)  # sums of whole numbers, but for rounding
        inside = real[ring]
        # y grows to the south: a positive sum is clockwise on the map
        turned = ((twice_area > 0) != hole)[ring[inside]]
        return cls._ordered(x[inside], y[inside], ring[inside], turned, unit_of_ring)

    @classmethod
    def _ordered(cls, x: Ints, y: Ints, ring: Ints, turned: Bools, unit_of_ring: Ints) -> Edges:
        """Rings numbered anew, those that are ``turned`` the other way round."""
        known, ring = np.unique(ring, return_inverse=True)
        start = np.searchsorted(ring, np.arange(len(known) + 1)).astype(np.int64)
        place = np.arange(len(ring))
        mirrored = start[:-1][ring] + start[1:][ring] - 1 - place
        order = np.where(turned, mirrored, place)
        x, y = x[order], y[order]
        return cls(x, y, _numbered(x, y), start, unit_of_ring[known])


class Matched(NamedTuple):
    """``edge`` (e,): equal for both sides of a shared edge. ``node`` (e,): a border begins or ends at the vertex."""

    edge: Ints
    node: Bools


def rings_of(shapes: NDArray[np.object_]) -> tuple[Floats, Ints, Ints, Bools]:
    """Coordinates (k, 2) of all rings, the ring of each (k,), and of each its unit (ascending), if it is a hole."""
    solid = np.array(shapes, dtype=object)
    solid[shapely.is_missing(solid)] = shapely.Polygon()
    if not len(solid):
        none = np.zeros(0, dtype=np.int64)
        return np.zeros((0, 2)), none, none, none.astype(bool)
    kind, xy, offsets = shapely.to_ragged_array(solid, include_z=False)
    if kind not in (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON):
        raise TypeError(f"polygons wanted, not {kind.name}")
    ring_start, part_start = (offset.astype(np.int64) for offset in offsets[:2])
    unit_start = part_start if len(offsets) == 2 else part_start[offsets[2]]
    hole = np.ones(len(ring_start) - 1, dtype=bool)
    hole[part_start[:-1][np.diff(part_start) > 0]] = False
    unit = np.repeat(np.arange(len(solid)), np.diff(unit_start))
    return xy, np.repeat(np.arange(len(hole)), np.diff(ring_start)), unit, hole


def match(edges: Edges) -> Matched:
    """Pair the sides of shared edges, each with one that runs the other way, and find the nodes.

    Edges that lie upon each other the same way (ground held twice) stay alone beyond the pairs.
    """
    start, end = edges.vertex, edges.vertex[edges.follower]
    back = start > end
    key = (np.minimum(start, end) * (int(start.max(initial=0)) + 1) + np.maximum(start, end)) * 2 + back
    order = np.argsort(key, kind="stable")
    pair, back = key[order] >> 1, back[order]
    head = np.append(True, pair[1:] != pair[:-1])[: len(pair)]
    begins = np.flatnonzero(head)
    group = np.cumsum(head) - 1
    forth = np.bincount(group, ~back, len(begins)).astype(np.int64)
    both = np.minimum(forth, np.bincount(group, back, len(begins)).astype(np.int64))
    # the p-th that runs forth and the p-th that runs back are one edge
    place = np.arange(len(pair)) - begins[group]
    rank = np.where(back, place - forth[group], place)
    edge = np.empty(len(pair), dtype=np.int64)
    edge[order] = np.where(rank < both[group], begins[group] + rank, np.arange(len(pair)))
    return Matched(edge, _nodes(edges, edge))


def _nodes(edges: Edges, edge: Ints) -> Bools:
    """Vertices at which other than two edges meet. At two, the same units lie on either side of both."""
    weight = np.full(len(edge), 2)  # a shared edge is met twice, once from each side
    for side in _sides(edge):
        weight[side] = 1
    vertex, places = edges.vertex, int(edges.vertex.max(initial=-1)) + 1
    met = np.bincount(vertex, weight, places) + np.bincount(vertex[edges.follower], weight, places)
    return np.asarray((met != 4)[vertex], dtype=bool)


def _sides(edge: Ints) -> tuple[Ints, Ints]:
    """The two sides of each shared edge."""
    order = np.argsort(edge, kind="stable")
    same = edge[order[1:]] == edge[order[:-1]]
    return order[:-1][same], order[1:][same]


def split_at_vertices(edges: Edges, near: float) -> Edges:
    """Put vertices of other units into edges that only one unit has, where they lie on them (within ``near`` steps)."""
    edge = match(edges).edge
    alone = np.ones(len(edge), dtype=bool)
    for side in _sides(edge):
        alone[side] = False
    lone = np.flatnonzero(alone)
    if not len(lone):
        return edges
    xy, follower = np.stack([edges.x, edges.y], axis=1).astype(np.float64), edges.follower
    start, end = xy[lone], xy[follower[lone]]
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    at, on = shapely.STRtree(np.asarray(lines).tolist()).query(
        shapely.points(start), predicate="dwithin", distance=near
    )
    along = end[on] - start[on]
    share = ((start[at] - start[on]) * along).sum(axis=1) / np.square(along).sum(axis=1)
    unit = edges.unit_of_ring[edges.ring[lone]]
    vertex = edges.vertex[lone]
    inner = (share > 0) & (share < 1) & (unit[at] != unit[on])
    inner &= (vertex[at] != vertex[on]) & (vertex[at] != edges.vertex[follower[lone]][on])
    at, on, share = at[inner], on[inner], share[inner]
    _, first = np.unique(on * np.int64(len(xy)) + vertex[at], return_index=True)
    at, on, share = at[first], on[first], share[first]
    return _inserted(edges, lone[on], share, lone[at]) if len(on) else edges


def _inserted(edges: Edges, into: Ints, share: Floats, which: Ints) -> Edges:
    """Vertices ``which`` put into the edges ``into`` in the order of their ``share`` of the way."""
    n = len(edges.x)
    position = np.concatenate([np.arange(n), into])
    order = np.lexsort((np.concatenate([np.zeros(n), share]), position))
    source = np.concatenate([np.arange(n), which])[order]
    sizes = np.bincount(edges.ring[position], minlength=len(edges.unit_of_ring))
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Edges(edges.x[source], edges.y[source], edges.vertex[source], start, edges.unit_of_ring)


def _numbered(x: Ints, y: Ints) -> Ints:
    """A number for every place, equal where x and y are (both from 0 to 2^31)."""
    return np.asarray(np.unique((x << 32) | y, return_inverse=True)[1], dtype=np.int64)


def _follower(ring: Ints) -> Ints:
    """Next position in the ring of each vertex; ``ring`` ascending."""
    after = np.arange(1, len(ring) + 1)
    if len(ring):
        last = np.flatnonzero(np.append(ring[1:] != ring[:-1], True))
        after[last] = np.concatenate([[0], last[:-1] + 1])
    return after


def _cross(x: Ints, y: Ints, after: Ints) -> Floats:
    """Twice the area under each edge; relative to the middle, so that no number outgrows a float."""
    dx, dy = x.astype(np.float64) - x.mean(), y.astype(np.float64) - y.mean()
    crossed: Floats = dx * dy[after] - dx[after] * dy
    return crossed
