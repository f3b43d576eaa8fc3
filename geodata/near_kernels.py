"""Kernels of :mod:`geodata.near`: the raster of segments and the look around each point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Small = NDArray[np.int32]


@njit(cache=True, nogil=True)
def index(
    segments: Floats, x0: float, y0: float, cell: float, columns: int, rows: int, distance: float
) -> tuple[Small, Small]:
    """Which segments come within ``distance`` of each cell: starts (cells + 1) into the entries.

    Long segments are walked in steps of a cell, so that a diagonal one does not fill its whole box.
    """
    start = np.zeros(columns * rows + 1, dtype=np.int32)
    last = np.full(columns * rows, -1, dtype=np.int32)
    entry = np.zeros(0, dtype=np.int32)
    for turn in range(2):
        if turn == 1:
            for k in range(columns * rows):
                start[k + 1] += start[k]
            entry = np.zeros(start[columns * rows], dtype=np.int32)
            last[:] = -1
        free = start.copy()
        for s in range(len(segments)):
            ax, ay, bx, by = segments[s]
            steps = max(1, math.ceil(math.hypot(bx - ax, by - ay) / cell))
            for k in range(steps):
                px, py = ax + (bx - ax) * k / steps, ay + (by - ay) * k / steps
                qx, qy = ax + (bx - ax) * (k + 1) / steps, ay + (by - ay) * (k + 1) / steps
                west = max(0, math.floor((min(px, qx) - distance - x0) / cell))
                east = min(columns - 1, math.floor((max(px, qx) + distance - x0) / cell))
                south = max(0, math.floor((min(py, qy) - distance - y0) / cell))
                north = min(rows - 1, math.floor((max(py, qy) + distance - y0) / cell))
                for row in range(south, north + 1):
                    for column in range(west, east + 1):
                        at = row * columns + column
                        if last[at] == s:
                            continue
                        last[at] = s
                        if turn == 0:
                            start[at + 1] += 1
                        else:
                            entry[free[at]] = s
                            free[at] += 1
    return start, entry


@njit(cache=True, nogil=True)
def look(
    points: Floats,
    segments: Floats,
    bits: NDArray[np.uint8],
    x0: float,
    y0: float,
    cell: float,
    columns: int,
    start: Small,
    entry: Small,
    distance: float,
    found: NDArray[Any],
) -> None:
    """Add to ``found`` (k,) the bits of every segment within ``distance`` of each point."""
    squared = distance * distance
    for k in range(len(points)):
        x, y = points[k]
        at = int((y - y0) / cell) * columns + int((x - x0) / cell)
        have = found[k]
        for e in range(start[at], start[at + 1]):
            s = entry[e]
            if bits[s] & ~have == 0:
                continue
            ax, ay, bx, by = segments[s]
            dx, dy = bx - ax, by - ay
            length = dx * dx + dy * dy
            share = 0.0
            if length > 0:
                share = min(1.0, max(0.0, ((x - ax) * dx + (y - ay) * dy) / length))
            off_x, off_y = ax + share * dx - x, ay + share * dy - y
            if off_x * off_x + off_y * off_y <= squared:
                have |= bits[s]
        found[k] = have
