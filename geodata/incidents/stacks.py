"""Stacked addresses: many cases on one point, which fool a heat map and a hot-spot statistic alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
#: A stack has at least so many cases.
LEAST = 20
#: Addresses from which a stack is one of cases whose place was not found, and the least share of its cases they are.
ADDRESSES, ADDRESS_SHARE = 10, 0.1


class Stacks(NamedTuple):
    """``lonlat`` (k, 2) of each stacked point, ``cases`` (k,) on it, the most first; ``of`` (n,): the number of the
    stack that each case lies in, -1 for none."""

    lonlat: NDArray[np.float64]
    cases: Ints
    of: Ints


def stacks(lonlat: ArrayLike, *, least: int = LEAST) -> Stacks:
    """Points of ``lonlat`` (n, 2), degrees, that hold far more cases than points do; the very same degrees are one.

    A stack has at least ``least`` cases, so that a quiet village names nothing, and more than the far-out fence of the
    cases a point: the third quartile and three times the range between the quartiles (Tukey 1977), so that a town of
    towers does not name them all.
    """
    points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    if not len(points):
        return Stacks(np.empty((0, 2)), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    # as one complex number each: a second for a million points less than by rows
    both, which, count = np.unique(points @ (1, 1j), return_inverse=True, return_counts=True)
    known = np.column_stack([both.real, both.imag])
    low, high = np.quantile(count, [0.25, 0.75])
    fence = high + 3 * (high - low) if len(known) > 1 else 0
    chosen = np.flatnonzero((count >= least) & (count > fence))
    chosen = chosen[np.argsort(-count[chosen], kind="stable")]
    number = np.full(len(known), -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    return Stacks(known[chosen], count[chosen].astype(np.int64), number[which.reshape(-1)])


def unplaced(cases: ArrayLike, addresses: ArrayLike) -> NDArray[np.bool_]:
    """Of stacks with so many ``cases`` (k,) that give so many different ``addresses`` (k,), which say nothing of where.

    Many addresses on one point were not found there: somebody, or a program, put down the middle of a community, an
    office, a street. A point with few is a place where much happens.
    """
    count, named = np.asarray(cases, dtype=np.float64), np.asarray(addresses, dtype=np.float64)
    return np.asarray(named >= np.maximum(ADDRESSES, ADDRESS_SHARE * count))
