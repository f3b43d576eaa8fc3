"""The squares of the web map as half-open intervals of degrees, the same at every level and at every place that asks.

At level ``q`` the world is 2**q columns from -180 degrees east and 2**q rows from the north. Column c holds
``longitude(c) <= x < longitude(c + 1)``, row r holds ``latitude(r + 1) <= y < latitude(r)``; so a point belongs to a
square by comparing degrees, never by a rounded projection, and SQL that compares with the same edges agrees to the last
bit. What lies beyond the world belongs to its outermost squares.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

FINEST = 33  # squares of 5 mm at the equator; what is finer is told by the degrees themselves


@njit(cache=True, nogil=True)
def longitude(column: int, q: int) -> float:
    """Western edge of a column in degrees, without rounding."""
    return column * 360.0 / float(1 << q) - 180.0


@njit(cache=True, nogil=True)
def latitude(row: int, q: int) -> float:
    """Northern edge of a row in degrees."""
    return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * row / float(1 << q)))))


@njit(cache=True, nogil=True)
def column_at(x: float, q: int) -> int:
    """Column of a longitude in degrees."""
    last = (1 << q) - 1
    column = min(max(math.floor((x + 180.0) / 360.0 * float(1 << q)), 0), last)
    while column > 0 and x < longitude(column, q):
        column -= 1
    while column < last and x >= longitude(column + 1, q):
        column += 1
    return column


@njit(cache=True, nogil=True)
def row_at(y: float, q: int) -> int:
    """Row of a latitude in degrees."""
    last = (1 << q) - 1
    if y >= 85.06:
        return 0
    if y <= -85.06:
        return last
    mercator = math.asinh(math.tan(math.radians(y)))
    row = min(max(math.floor((1.0 - mercator / math.pi) / 2.0 * float(1 << q)), 0), last)
    while row > 0 and y >= latitude(row, q):
        row -= 1
    while row < last and y < latitude(row + 1, q):
        row += 1
    return row


@njit(cache=True, nogil=True)
def ordinal(value: float) -> int:
    """Number of a double among all doubles: neighbours differ by one."""
    bits: Any = np.float64(value).view(np.int64)
    return bits if bits >= 0 else -(bits & np.int64(0x7FFFFFFFFFFFFFFF))  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def double(number: int) -> float:
    """The double of an :func:`ordinal`."""
    bits = number if number >= 0 else (-number) | np.int64(-0x8000000000000000)
    value: float = np.int64(bits).view(np.float64)
    return value


@njit(cache=True, nogil=True)
def squares(x: Any, y: Any, q: int) -> Any:
    """Columns and rows (n,) at level ``q`` of points in degrees."""
    columns, rows = np.empty(len(x), np.int64), np.empty(len(x), np.int64)
    for k in range(len(x)):
        columns[k], rows[k] = column_at(x[k], q), row_at(y[k], q)
    return columns, rows


@njit(cache=True, nogil=True)
def remainders(x: Any, y: Any, columns: Any, rows: Any, q: int) -> Any:
    """How many doubles lie between the western and southern edge of its square and each point: (n,) twice."""
    right, up = np.empty(len(x), np.int64), np.empty(len(x), np.int64)
    for k in range(len(x)):
        right[k] = ordinal(x[k]) - ordinal(longitude(columns[k], q))
        up[k] = ordinal(y[k]) - ordinal(latitude(rows[k] + 1, q))
    return right, up
