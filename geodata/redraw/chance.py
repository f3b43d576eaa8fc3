"""Random numbers inside kernels: xorshift64* (Vigna 2016), one state per thread, so that a seed fixes every move."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Chance = NDArray[np.uint64]


def chance(*seed: int) -> Chance:
    """A generator state (1,) that depends on every number of ``seed``."""
    state = np.random.SeedSequence([abs(int(part)) for part in seed]).generate_state(1, np.uint64)
    return np.maximum(state, np.uint64(1))


@njit(cache=True, nogil=True, inline="always")
def draw(state):  # type: ignore[no-untyped-def]
    """The next 64 random bits."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(2685821657736338717)


@njit(cache=True, nogil=True, inline="always")
def below(state, n):  # type: ignore[no-untyped-def]
    """A whole number in [0, n), n below 2^31."""
    return np.int64(((draw(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def share(state):  # type: ignore[no-untyped-def]
    """A number in [0, 1)."""
    return (draw(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
