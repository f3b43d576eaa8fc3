"""From the drawing board to the ground: a smooth warp bends straight plan lines, a projection gives them lon/lat.

Plan space is metres on a board where every county is a rectangle of :data:`WIDTH` by :data:`HEIGHT` and all
region and block borders lie on a lattice of :data:`STEP` metres. Because every border is a chain of lattice nodes and
the warp is one function of the node, borders that meet in plan space meet bit for bit on the ground: the coverage
needs no snapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]

WIDTH, HEIGHT = 6000.0, 3600.0
RIVER_V = 1760.0
RAIL_U = 2520.0
STEP = 20.0
CENTRE_LON, CENTRE_LAT = 120.1, 30.2
#: Decimals of a degree kept: 1e-8 degree is a millimetre, and makes the bytes equal on every machine.
DECIMALS = 8
#: No edge is cut into shorter ones than half of this: a chord lies within a millimetre of its arc long before.
FINEST_M = 2.0


@cache
def _transformer() -> Any:
    from pyproj import Transformer

    metric = f"+proj=tmerc +lat_0={CENTRE_LAT} +lon_0={CENTRE_LON} +ellps=GRS80 +units=m"
    return Transformer.from_crs(metric, "EPSG:4490", always_xy=True)


def county_origin(index: int) -> tuple[float, float]:
    """Lower left corner in plan space (m) of county ``index``; counties fill a square shell by shell."""
    shell = int(np.sqrt(index))
    rest = index - shell * shell
    column, row = (shell, rest) if rest <= shell else (rest - shell - 1, shell)
    return column * WIDTH, row * HEIGHT


@dataclass(frozen=True, slots=True)
class Ground:
    """The warp of one seed; the same for all counties of a town, so that neighbours fit."""

    phases: tuple[float, ...]

    @classmethod
    def from_seed(cls, seed: int) -> Ground:
        return cls(tuple(np.random.default_rng([seed, 7919]).uniform(0, 2 * np.pi, 5)))

    def metres(self, uv: Floats) -> Floats:
        """Plan (n, 2) to local metres (n, 2): swells, wobbles (more in the country), the river's bend, a turn."""
        u, v = uv[:, 0], uv[:, 1]
        a, b, c, d, e = self.phases
        from_river = v - RIVER_V - HEIGHT * np.round((v - RIVER_V) / HEIGHT)
        bend = 190 * np.sin(2 * np.pi * u / WIDTH + e) * np.exp(-((from_river / 1100) ** 2))
        x = u + 75 * np.sin(2 * np.pi * v / 4700 + a) + 22 * np.sin(2 * np.pi * (u + 0.6 * v) / 1500 + b)
        y = v + 70 * np.sin(2 * np.pi * u / 5300 + c) + 20 * np.sin(2 * np.pi * (v - 0.5 * u) / 1300 + d) + bend
        country = np.sin(np.pi * (u - 1200) / WIDTH) ** 2
        x += country * 34 * np.sin(2 * np.pi * v / 1100 + d)
        y += country * 30 * np.sin(2 * np.pi * (u + 0.3 * v) / 1000 + a)
        cos, sin = np.cos(0.14), np.sin(0.14)
        return np.column_stack([cos * x - sin * y, sin * x + cos * y])

    def lonlat(self, xy: Floats) -> Floats:
        """Local metres (n, 2) to lon/lat degrees (n, 2), EPSG:4490."""
        lon, lat = _transformer().transform(xy[:, 0] - WIDTH / 2, xy[:, 1] - HEIGHT / 2)
        return np.round(np.column_stack([lon, lat]), DECIMALS)

    def place(self, plan: Geometries, step_m: float = STEP) -> Geometries:
        """Plan geometries on the ground in lon/lat; edges get a vertex every ``step_m`` metres so that they bend.

        Where a neck or a wedge is so narrow that the chords of its two sides cross, the vertices lie closer together.
        """
        if len(plan) == 0:
            return np.empty(0, object)
        placed: Geometries = shapely.transform(shapely.segmentize(plan, step_m), self._lattice_to_lonlat)
        crossed = np.flatnonzero(~shapely.is_valid(placed))
        if len(crossed) and step_m > FINEST_M:
            placed[crossed] = self.place(plan[crossed], step_m / 2)
        return placed

    def _lattice_to_lonlat(self, uv: Floats) -> Floats:
        exact: Floats = np.round(uv, 6)
        return self.lonlat(self.metres(exact))

    def axes(self, uv: Floats) -> tuple[Floats, Floats, Floats]:
        """At plan points (n, 2): metres (n, 2), heading of the u axis (radians), scale along and across it (n, 2)."""
        here = self.metres(uv)
        along = self.metres(uv + np.array([0.5, 0.0])) - here
        across = self.metres(uv + np.array([0.0, 0.5])) - here
        heading = np.arctan2(along[:, 1], along[:, 0])
        length = np.hypot(along[:, 0], along[:, 1]) / 0.5
        area = (along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]) / 0.25
        return here, heading, np.column_stack([length, area / length])


def boxes(rects: Floats) -> Geometries:
    """Rectangles (n, 4) as ``u0, v0, u1, v1`` in plan space to polygons."""
    polygons: Geometries = shapely.box(rects[:, 0], rects[:, 1], rects[:, 2], rects[:, 3])
    return polygons


def noded_boxes(rects: Floats) -> Geometries:
    """Rectangles on the lattice with a vertex at every node, so that neighbours of other sizes share all of them."""
    nodes: Geometries = shapely.transform(shapely.segmentize(boxes(rects), STEP), np.round)
    return nodes


def segments(lines: Floats) -> Geometries:
    """Segments (n, 4) as ``u0, v0, u1, v1`` in plan space to lines."""
    return np.asarray(shapely.linestrings(lines.reshape(-1, 2, 2)), dtype=object)
