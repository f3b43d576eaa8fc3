"""Case heat as a density surface: cases per km2 with a bandwidth in metres and a legend that never changes.

Cases are counted in square cells and the counts convolved with a kernel of sum 1, by FFT; so the surface integrates to
the number of cases, and zooming changes the resolution, never the meaning of a colour. Kernels: the quartic one that
the field's desktop programs draw, ``3 / (pi h^2) * (1 - r^2 / h^2)^2`` within the radius h (Silverman 1986, eq. 4.5),
and the Gaussian with standard deviation h.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Kernel: TypeAlias = Literal["quartic", "gaussian"]
Bounds: TypeAlias = tuple[float, float, float, float]
Surface: TypeAlias = NDArray[np.float32]
Classes: TypeAlias = NDArray[np.uint8]

#: Lower bounds of the classes in cases per km2; below the first nothing is drawn.
BREAKS = (5.0, 20.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0)
#: RGBA of the classes: ColorBrewer YlOrRd, nine classes (Apache 2.0), the denser the more opaque.
PALETTE: Classes = np.array(
    [
        (255, 255, 204, 100),
        (255, 237, 160, 125),
        (254, 217, 118, 145),
        (254, 178, 76, 160),
        (253, 141, 60, 175),
        (252, 78, 42, 190),
        (227, 26, 28, 205),
        (189, 0, 38, 220),
        (128, 0, 38, 230),
    ],
    dtype=np.uint8,
)

_REACH = {"quartic": 1.0, "gaussian": 4.0}  # radius in bandwidths beyond which the kernel is nought
_FINE = 24  # cells a bandwidth; more only cost time, so a wide kernel is convolved coarsely and interpolated
_EARTH_M = 6_378_137.0
_M2_PER_KM2 = 1e6


def density_grid(
    xy_m: ArrayLike, bandwidth_m: float, cell_m: float, bounds_m: Bounds, kernel: Kernel = "quartic"
) -> Surface:
    """Cases per km2 in square cells of ``cell_m`` over ``bounds_m`` (xmin, ymin, xmax, ymax), shape (rows, columns).

    ``xy_m`` (n, 2) are metres; row 0 is the north edge, as in an image. Cases outside the bounds count as far as the
    kernel reaches in; rows with NaN are passed over. Raises ``ValueError`` unless bandwidth, cell and bounds are
    positive.
    """
    xmin, ymin, xmax, ymax = bounds_m
    if not (bandwidth_m > 0 and cell_m > 0 and xmax > xmin and ymax > ymin):
        raise ValueError("bandwidth, cell and bounds must be positive")
    columns, rows = (max(1, int(np.ceil(span / cell_m - 1e-9))) for span in (xmax - xmin, ymax - ymin))
    factor = max(1, int(bandwidth_m / cell_m / _FINE))
    coarse_m = cell_m * factor
    pad = int(np.ceil(_REACH[kernel] * bandwidth_m / coarse_m)) + 1
    shape = (-(-rows // factor) + 2 * pad, -(-columns // factor) + 2 * pad)
    counts = _count(xy_m, xmin - pad * coarse_m, ymax + pad * coarse_m, coarse_m, shape)
    surface = smooth(counts, coarse_m, bandwidth_m, kernel)
    if factor == 1:
        return surface[pad : pad + rows, pad : pad + columns]
    return _interpolate(_interpolate(surface, rows, factor, pad).T, columns, factor, pad).T


def smooth(counts: ArrayLike, cell_m: float, bandwidth_m: float, kernel: Kernel = "quartic") -> Surface:
    """Cases per km2 from counts in square cells (rows, columns): what lies beyond the edge is taken as empty."""
    from scipy import fft

    given = np.asarray(counts, dtype=np.float32)
    spectrum, size, reach = _kernel(given.shape[0], given.shape[1], bandwidth_m / cell_m, kernel)
    full = fft.irfft2(fft.rfft2(given, size) * spectrum, size)
    surface = full[reach : reach + given.shape[0], reach : reach + given.shape[1]]
    noise = 1e-6 * float(surface.max(initial=0))  # what single precision leaves where there is nothing
    return np.where(surface > noise, surface, 0).astype(np.float32) * np.float32(_M2_PER_KM2 / cell_m**2)


def map_metres(lonlat: ArrayLike, lat0: float) -> NDArray[np.float64]:
    """Web map coordinates (n, 2) of longitude, latitude, scaled to true metres at latitude ``lat0``.

    A density surface in these metres lies on a Leaflet or Folium map as an image without warping; within 0.3 degrees
    of ``lat0``, and up to 45 N, its lengths are true to half a per cent.
    """
    lon, lat = np.radians(np.asarray(lonlat, dtype=np.float64)).T
    scale = _EARTH_M * np.cos(np.radians(lat0))
    return np.column_stack([scale * lon, scale * np.arcsinh(np.tan(lat))])


def classify(density: ArrayLike, breaks: Sequence[float] = BREAKS) -> Classes:
    """Class of each cell: 0 below the first of the ascending ``breaks``, k at or above the k-th."""
    values = np.asarray(density)
    classes = np.zeros(values.shape, dtype=np.uint8)
    for lower in breaks:
        classes += values >= lower
    return classes


def colour(density: ArrayLike, breaks: Sequence[float] = BREAKS, palette: ArrayLike = PALETTE) -> Classes:
    """RGBA image (rows, columns, 4) of a density surface: one colour a class, clear below the first break.

    ``palette`` is (len(breaks), 4) uint8. Raises ``ValueError`` where the two do not match.
    """
    return _with_clear(palette, len(breaks))[classify(density, breaks)]


def png(density: ArrayLike, breaks: Sequence[float] = BREAKS, palette: ArrayLike = PALETTE) -> bytes:
    """The image of :func:`colour` as an indexed PNG, a fraction of the size of full colour."""
    from PIL import Image

    colours = _with_clear(palette, len(breaks))
    image = Image.fromarray(classify(density, breaks), mode=None).convert("P")
    image.putpalette(colours[:, :3].tobytes())
    out = BytesIO()
    image.save(out, "PNG", transparency=colours[:, 3].tobytes(), compress_level=3)
    return out.getvalue()


def _count(xy_m: ArrayLike, west: float, north: float, cell_m: float, shape: tuple[int, int]) -> Surface:
    """Cases in each cell of a grid whose north-west corner is (west, north)."""
    xy = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    column, row = (xy[:, 0] - west) / cell_m, (north - xy[:, 1]) / cell_m
    inside = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])  # NaN is nowhere inside
    cell = row[inside].astype(np.int64) * shape[1] + column[inside].astype(np.int64)
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)


@lru_cache(maxsize=32)
def _kernel(
    rows: int, columns: int, bandwidth_cells: float, kernel: Kernel
) -> tuple[NDArray[np.complex64], tuple[int, int], int]:
    """Spectrum of the kernel for a grid of that shape, the size it is padded to, and the kernel's reach in cells."""
    from scipy import fft

    reach = int(np.ceil(_REACH[kernel] * bandwidth_cells))
    # mean over each cell rather than its middle, so that a kernel narrower than a few cells keeps its form
    fine = 5
    offsets = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    r2 = (offsets[:, None] ** 2 + offsets[None, :] ** 2) / bandwidth_cells**2
    values = np.clip(1 - r2, 0, None) ** 2 if kernel == "quartic" else np.exp(-r2 / 2)
    side = 2 * reach + 1
    weights = values.reshape(side, fine, side, fine).sum(axis=(1, 3))
    weights = weights / weights.sum() if weights.any() else np.array([[1.0]])
    size = (fft.next_fast_len(rows + side - 1, real=True), fft.next_fast_len(columns + side - 1, real=True))
    return fft.rfft2(weights.astype(np.float32), size), size, reach


def _interpolate(surface: Surface, length: int, factor: int, pad: int) -> Surface:
    """Rows of the fine grid from those of the coarse one, linear between cell centres."""
    at = (np.arange(length, dtype=np.float32) + 0.5) / factor - 0.5 + pad
    low = at.astype(np.int64)
    share = (at - low)[:, None]
    return (surface[low] * (1 - share) + surface[low + 1] * share).astype(np.float32)


def _with_clear(palette: ArrayLike, classes: int) -> Classes:
    colours = np.asarray(palette, dtype=np.uint8)
    if colours.shape != (classes, 4):
        raise ValueError(f"{classes} breaks need a palette of shape ({classes}, 4), not {colours.shape}")
    return np.vstack([np.zeros((1, 4), dtype=np.uint8), colours])
