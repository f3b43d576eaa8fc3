"""A town of nothing but blocks, for the redraw engine: Voronoi cells around random points, with households."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import adjacency
from geodata.redraw.model import Borders, Ints, Units

MEAN_HOUSEHOLDS, SIGMA = 40.0, 0.8
FEWEST, MOST = 1, 250
CELL_M = 100.0


@dataclass(frozen=True, slots=True)
class Cells:
    """``polygons`` (n,) tile a square in metres that has no place on earth; ``units`` are the same blocks as arrays."""

    polygons: NDArray[np.object_]
    units: Units

    @property
    def households(self) -> Ints:
        """Households of each block (n,)."""
        return self.units.households


def cells(n: int, seed: int = 1) -> Cells:
    """``n`` (at least 2) blocks of ``CELL_M`` squared on average, the same for the same ``seed``.

    Households are lognormal with mean 40 and sigma 0.8 of their logarithm, rounded and clipped to 1..250, so that no
    block alone is above a grid's maximum. They live at the centroid of their block.
    """
    rng = np.random.default_rng(seed)
    side_m = CELL_M * np.sqrt(n)
    frame = shapely.box(0, 0, side_m, side_m)
    points = shapely.multipoints(rng.random((n, 2)) * side_m)
    polygons = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame, ordered=True))
    rim = ~shapely.within(polygons, frame)
    polygons[rim] = shapely.intersection(polygons[rim], frame)
    drawn = rng.lognormal(np.log(MEAN_HOUSEHOLDS) - SIGMA**2 / 2, SIGMA, n)
    near = adjacency(polygons)
    units = Units.of(
        households=np.clip(np.round(drawn), FEWEST, MOST),
        area_m2=shapely.area(polygons),
        perimeter_m=shapely.length(polygons),
        xy_m=shapely.get_coordinates(shapely.centroid(polygons)),
        borders=Borders.plain(near.i, near.j, near.border_m),
    )
    return Cells(polygons, units)
