"""Compile every numba kernel once and keep it on disk (``python -m geodata.warm``), so that no user waits for it."""

from __future__ import annotations

import numpy as np
import shapely


def warm() -> None:
    """Run the kernels on a toy so that numba's disk cache holds them."""
    from geodata.counting import count_by_polygon
    from geodata.locate import locate

    squares = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    points = np.array([[0.5, 0.5], [1.0, 0.5]])
    locate(points, squares)
    count_by_polygon(points, np.ones((2, 1)), squares)


if __name__ == "__main__":
    warm()
