"""Numbers as protocol buffers write them."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def varint(lines: Any, used: int, value: int) -> int:
    """Write ``value`` (not negative) seven bits a byte; the new end."""
    while value > 127:
        lines[used] = value & 127 | 128
        value >>= 7
        used += 1
    lines[used] = value
    return used + 1


@njit(cache=True, nogil=True)
def width(value: int) -> int:
    """How many bytes :func:`varint` takes."""
    size = 1
    while value > 127:
        value >>= 7
        size += 1
    return size


@njit(cache=True, nogil=True)
def copied(lines: Any, used: int, data: Any, begin: int, size: int) -> int:
    """Write ``size`` bytes of ``data``; the new end. A plain loop: slices take long to compile."""
    for k in range(size):
        lines[used + k] = data[begin + k]
    return used + size
