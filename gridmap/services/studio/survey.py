"""The costly part of a ground: land and arcs of polygons with the barriers along them, as one packed file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import SharedBorders
from geodata.crs import to_metric
from geodata.packed import pack
from geodata.redraw.barriers import NEAR_M
from geodata.redraw.land import land_of
from geodata.rules.nearness import shares_near
from geodata.topology import Topology, to_lonlat, to_world
from gridmap.db.bulk import Objects

if TYPE_CHECKING:
    from geodata.units import Barriers

_STEP_M = 5.0
_FOLLOWS = 0.5
_KINDS = ("road", "water", "rail", "wall")


def survey(shapes: Objects, metric: Objects, lon0: float, barriers: Barriers | None, arcs: Topology) -> bytes:
    """The file of units given in degrees and in the metric CRS of ``lon0``, with their topology."""
    land, how = land_of(metric, barriers, mend=True)
    borders = land.borders
    inside = arcs.lattice.values(to_world(_inside(shapes)))
    meta = {"n": len(shapes), "lon0": lon0, "tolerance_m": how.tolerance_m, "lattice": list(arcs.lattice)}
    return pack(
        meta,
        {
            "area_m2": land.area_m2,
            "perimeter_m": land.perimeter_m,
            "x_m": land.xy_m[:, 0],
            "y_m": land.xy_m[:, 1],
            "x": inside[:, 0].astype(np.int32),
            "y": inside[:, 1].astype(np.int32),
            "pair_i": borders.i.astype(np.int32),
            "pair_j": borders.j.astype(np.int32),
            "pair_length_m": borders.length_m,
            "pair_barrier_m": borders.barrier_m,
            "pair_torn_m": borders.torn_m,
            "pair_open": borders.crossable,
            "stacked": land.stacked[:, 0].astype(np.int32),
            "keeper": land.stacked[:, 1].astype(np.int32),
            **arcs.arrays(),
            "arc_barrier": followed(arcs, barriers, lon0),
        },
    )


def _inside(shapes: Objects) -> NDArray[np.float64]:
    """A point in each polygon (n, 2): its centroid where that lies in it, which is looked up ten times as fast."""
    xy = shapely.get_coordinates(shapely.centroid(shapes))
    out = ~shapely.contains_xy(shapes, xy[:, 0], xy[:, 1])
    xy[out] = shapely.get_coordinates(shapely.point_on_surface(shapes[out]))
    return np.asarray(xy, dtype=np.float64)


def followed(arcs: Topology, barriers: Barriers | None, lon0: float) -> NDArray[np.uint8]:
    """The kind of barrier that each arc follows (m,): 1 road, 2 water, 3 rail, 4 wall, 0 none.

    It follows the one that most of it has within 10 m, if that is half of it or more; tunnels do not count.
    """
    m = len(arcs.arc_left)
    if barriers is None or not m:
        return np.zeros(m, dtype=np.uint8)
    xy_m = to_metric(to_lonlat(arcs.lattice.world(np.stack([arcs.arc_x, arcs.arc_y], axis=1))), lon0)
    arc = np.repeat(np.arange(m), np.diff(arcs.arc_start))
    first = np.flatnonzero(arc[1:] == arc[:-1])
    arc = arc[first]
    pieces = SharedBorders(arc, arc, xy_m[first], xy_m[first + 1])
    bits = np.array([1 << _KINDS.index(kind) for kind in barriers.kind], dtype=np.uint8)
    shown = ~barriers.tunnel
    shares = shares_near(pieces, barriers.geometry[shown], bits[shown], NEAR_M, _STEP_M, len(_KINDS))
    length_m = pieces.length_m
    near_m = np.stack([np.bincount(arc, length_m * share, m) for share in shares])
    most = near_m.argmax(axis=0)
    enough = near_m.max(axis=0) >= _FOLLOWS * np.bincount(arc, length_m, m)
    return np.where(enough, most + 1, 0).astype(np.uint8)
