"""The squares of the Web Mercator tile grid."""

from __future__ import annotations

from math import atan, degrees, pi, sinh

MAX_ZOOM = 22
EXTENT, BUFFER = 4096, 64
#: Half the width of the world in Web Mercator, metres.
HALF_M = 20037508.342789244


def square(z: int, x: int, y: int) -> dict[str, float]:
    """Bounds: ``mw ms me mn`` in Web Mercator metres; ``w s e n`` in degrees, wider by the buffer."""
    side = 2 * HALF_M / (1 << z)
    margin = BUFFER / EXTENT
    return {
        "mw": x * side - HALF_M, "me": (x + 1) * side - HALF_M,
        "mn": HALF_M - y * side, "ms": HALF_M - (y + 1) * side,
        "w": _lon(z, x - margin), "e": _lon(z, x + 1 + margin),
        "n": _lat(z, y - margin), "s": _lat(z, y + 1 + margin),
    }  # fmt: skip


def _lon(z: int, x: float) -> float:
    return max(-180.0, min(180.0, x / (1 << z) * 360 - 180))


def _lat(z: int, y: float) -> float:
    return degrees(atan(sinh(pi * (1 - 2 * y / (1 << z)))))
