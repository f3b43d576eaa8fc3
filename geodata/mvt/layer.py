"""A layer of a tile, from the rows of a query to bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import atan, cosh, pi, sinh
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.mvt.rows import fields, message
from geodata.mvt.shapes import commands

EXTENT = 4096


def polygons(
    name: str, columns: Sequence[str], rows: bytes | memoryview, at: tuple[int, int, int], *, buffer: int
) -> bytes:
    """The layer ``name`` of the tile ``at`` (z, x, y); empty bytes where nothing lies in it.

    ``rows``: one after another as PostgreSQL's ``record_send`` writes them: ``columns`` (integers, texts, booleans,
    floats; null is left out), then a polygon or several (EWKB, valid, lon/lat in degrees). ``buffer``: steps of the
    raster of 4096 around the tile that are kept. Raises ``ValueError`` for a column of another type.
    """
    if not rows:
        return b""
    data = np.frombuffer(rows, dtype=np.uint8)
    found = fields(data, len(columns) + 1)
    if (found[:, :-1, 0] < 0).any():
        raise ValueError(f"layer {name}: a column has a type that tiles do not have")
    where = np.ascontiguousarray(found[:, -1, 1:])
    lines, pieces, hard = commands(data, where, _frame(*at), -buffer, EXTENT + buffer)
    if hard.any():
        lines, pieces = _with(lines, pieces, hard, _worked_out(data, where[hard], _frame(*at), buffer))
    return bytes(message(data, found, lines, pieces, *_texts(name, tuple(columns)), EXTENT))


def _frame(z: int, x: int, y: int) -> NDArray[np.float64]:
    """How degrees lead to steps: steps a degree eastwards, of the west, steps a unit of Mercator, of the north.

    Then the Taylor series of the Mercator height about the tile's middle latitude (radians): exact to a ten-thousandth
    of a step where the kernel uses it, and a third of the time of sine and logarithm.
    """
    steps = float(EXTENT << z)
    height = pi * (1 - (2 * y + 1) / (1 << z))
    t, s = sinh(height), cosh(height)  # tangent and secant of the latitude
    series = (s, s * t / 2, s * (2 * t * t + 1) / 6, s * t * (6 * t * t + 5) / 24)
    return np.array(
        [steps / 360, steps / 2 - x * EXTENT, steps / (2 * pi), steps / 2 - y * EXTENT, atan(t), height, *series]
    )


def _worked_out(
    data: NDArray[np.uint8], where: NDArray[np.int64], frame: NDArray[np.float64], buffer: int
) -> NDArray[Any]:
    """The shapes at ``where`` in steps, cut and snapped by GEOS: whole numbers, valid, perhaps empty."""

    def project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        height = np.arctanh(np.sin(np.radians(lonlat[:, 1])))
        return np.column_stack([lonlat[:, 0] * frame[0] + frame[1], frame[3] - height * frame[2]])

    shapes = shapely.from_wkb([data[begin : begin + size].tobytes() for begin, size in where])
    shapes = shapely.make_valid(shapely.transform(shapes, project), method="structure", keep_collapsed=False)
    window = shapely.box(-buffer, -buffer, EXTENT + buffer, EXTENT + buffer)
    cut = shapely.intersection(shapes, window, grid_size=1.0)
    return np.array([_flat(one) for one in cut], dtype=object)


def _flat(shape: Any) -> Any:
    """What of a shape has an area."""
    parts = shapely.get_parts(shape)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])


def _with(
    lines: NDArray[np.uint8], pieces: NDArray[np.int64], hard: NDArray[np.bool_], shapes: NDArray[Any]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The commands, and where those of each row lie, with ``shapes`` for the hard ones."""
    encoded = shapely.to_wkb(shapes, byte_order=1).tolist()
    sizes = np.array([len(one) for one in encoded], dtype=np.int64)
    where = np.column_stack([np.cumsum(sizes) - sizes, sizes])
    more, of_more, _ = commands(np.frombuffer(b"".join(encoded), dtype=np.uint8), where, np.zeros(10), 0, 0)
    pieces[hard] = of_more + np.array([len(lines), 0])
    return np.concatenate([lines, more]), pieces


@cache
def _texts(name: str, columns: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Name and keys of a layer as the message holds them."""

    def field(number: int, text: str) -> bytes:
        written = text.encode()
        if len(written) > 127:
            raise ValueError(text)
        return bytes([number << 3 | 2, len(written)]) + written

    keys = b"".join(field(3, one) for one in columns)
    return np.frombuffer(field(1, name), dtype=np.uint8), np.frombuffer(keys, dtype=np.uint8)
