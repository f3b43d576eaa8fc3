"""Sets of up to 64 units as the bits of one machine word: walks, sizes and members at a few nanoseconds each."""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros
from numpy.typing import NDArray

Sets = NDArray[np.uint64]

MOST = 64  # units in one word
NONE = np.uint64(0)
ONE = np.uint64(1)


@njit(cache=True, nogil=True, inline="always")
def bit(u):  # type: ignore[no-untyped-def]
    """The set of unit ``u`` alone."""
    return ONE << np.uint64(u)


@njit(cache=True, nogil=True, inline="always")
def lowest(units):  # type: ignore[no-untyped-def]
    """The first unit of a set that is not empty."""
    return np.int64(trailing_zeros(units))  # type: ignore[call-arg]


@njit(cache=True, nogil=True, inline="always")
def full(m):  # type: ignore[no-untyped-def]
    """The set of the units 0 to ``m`` - 1."""
    return ~NONE >> np.uint64(MOST - m) if m > 0 else NONE


@njit(cache=True, nogil=True)
def reach(near: Sets, seed: np.uint64, allowed: np.uint64) -> np.uint64:
    """Units that hang together with ``seed`` through units of ``allowed``; ``near`` (m,) are each unit's neighbours."""
    met, edge = seed, seed
    while edge != NONE:
        u = lowest(edge)
        edge &= edge - ONE
        new = near[u] & allowed & ~met
        met |= new
        edge |= new
    return met


@njit(cache=True, nogil=True)
def whole(near: Sets, units: np.uint64) -> bool:
    """Whether a set that is not empty is in one piece."""
    return bool(reach(near, units & (~units + ONE), units) == units)


@njit(cache=True, nogil=True)
def joined(near: Sets, ends: np.uint64, allowed: np.uint64) -> bool:
    """Whether the units ``ends`` hang together through ``allowed``; ends its walk as soon as all are met."""
    met = ends & (~ends + ONE)
    edge = met
    while edge != NONE:
        if ends & ~met == NONE:
            return True
        u = lowest(edge)
        edge &= edge - ONE
        new = near[u] & allowed & ~met
        met |= new
        edge |= new
    return bool(ends & ~met == NONE)
