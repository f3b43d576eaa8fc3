"""Stacked addresses: many cases on one point, for a station, a market or an unknown address was written down there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: A point is stacked with so many cases, and this share of all, and so many times what points commonly have.
LEAST, SHARE, TIMES = 20, 0.001, 20


class Stacks(NamedTuple):
    """``lonlat`` (k, 2) of each stacked point, ``cases`` (k,) on it, the most first; ``of`` (n,): the number of the
    stack that each case lies in, -1 for none."""

    lonlat: NDArray[np.float64]
    cases: NDArray[np.int64]
    of: NDArray[np.int64]


def stacks(lonlat: ArrayLike, *, least: int = LEAST, share: float = SHARE, times: float = TIMES) -> Stacks:
    """Points of ``lonlat`` (n, 2), degrees, that hold far more cases than points do.

    The very same coordinates are one point. It is stacked with at least ``least`` cases, ``share`` of all cases, and
    ``times`` the mean number on points that have any (its own left out). A block of flats with a few cases a year is
    none; a police station that all cases without an address were given is one.
    """
    points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    if not len(points):
        return Stacks(np.empty((0, 2)), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    known, which, count = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    others = (len(points) - count) / max(len(known) - 1, 1)
    high = (count >= least) & (count >= share * len(points)) & ((count >= times * others) | (len(known) == 1))
    chosen = np.flatnonzero(high)
    chosen = chosen[np.argsort(-count[chosen], kind="stable")]
    number = np.full(len(known), -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    return Stacks(known[chosen], count[chosen].astype(np.int64), number[which.reshape(-1)])
