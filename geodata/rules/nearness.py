"""How much of a border runs along barriers, by points along it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.adjacency import SharedBorders
from geodata.near import near_masks
from geodata.rules.view import Objects


def share_near(pieces: SharedBorders, barriers: Objects, distance_m: float, step_m: float) -> NDArray[np.float64]:
    """Share (k,) of each straight piece of border within ``distance_m`` of a barrier.

    Measured at the middles of equal parts of at most ``step_m``; the inside of polygons (water) is near.
    """
    everyone = np.ones(len(barriers), dtype=np.uint8)
    found: NDArray[np.float64] = shares_near(pieces, barriers, everyone, distance_m, step_m, 1)[0]
    return found


def shares_near(
    pieces: SharedBorders,
    barriers: Objects,
    masks: NDArray[np.uint8],
    distance_m: float,
    step_m: float,
    groups: int = 8,
) -> NDArray[np.float64]:
    """As :func:`share_near` for up to 8 ``groups`` of barriers at once (groups, k): bit g of a mask is group g."""
    parts = np.maximum(np.ceil(pieces.length_m / step_m), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(parts)), parts)
    first = np.cumsum(parts) - parts
    along = ((np.arange(len(piece)) - first[piece]) + 0.5) / parts[piece]
    points = pieces.start[piece] + (pieces.end - pieces.start)[piece] * along[:, None]
    met = near_masks(points, barriers, masks, distance_m)
    return np.stack([np.bincount(piece, (met >> bit) & 1, len(parts)) / parts for bit in range(groups)])
